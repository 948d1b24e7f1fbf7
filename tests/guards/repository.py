"""What the guards look at: the files of this checkout that are, or are about to be, committed."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def committed() -> list[Path]:
    # Safe for a checkout that belongs to somebody else, as in a container; --others: what is about to be added.
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT)]
    listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run([*git, *listed], capture_output=True, check=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


WRONG_ON_PURPOSE = "src/tidegate/demo/app/"


def ours() -> list[Path]:
    """The Python that is shipped, but for the small app that the demo lets scanners find weaknesses in."""
    shipped = [path for path in committed() if path.suffix == ".py" and name(path).startswith(("src/", "sdk/src/"))]
    return [path for path in shipped if not name(path).startswith(WRONG_ON_PURPOSE)]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: str, source: str) -> Iterator[tuple[int, str]]:
    """Line and top-level package of every import."""
    for node in ast.walk(ast.parse(source, path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.split(".")[0]
