"""The demo's two scanners: bandit and ruff really look at the small app of demo/app, and write SARIF."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

APP = Path(__file__).parent / "app"
SCANNERS = {"bandit": ("bandit", "sarif_om"), "ruff": ("ruff",)}


class StoryBroken(Exception):
    """The demo cannot go on, or what it was about to claim did not happen."""

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step


def scanners_are_there() -> None:
    """Raises StoryBroken unless bandit (with its SARIF) and ruff are installed; asked before anything is begun."""
    if missing := [name for name, modules in SCANNERS.items() if not all(map(find_spec, modules))]:
        raise StoryBroken(
            f"The demo lets real scanners look at a small app, and {' and '.join(missing)} cannot be found here.",
            "Install them: pip install 'tidegate[demo]', or run: uvx --from 'tidegate[demo]' tidegate demo",
        )


def scan(source: Path, reports: Path) -> None:
    """Lets bandit and ruff look at the app; each writes its SARIF where the report folder is read."""
    reports.mkdir(parents=True, exist_ok=True)
    bandit = ["bandit", "--quiet", "--recursive", ".", "--format", "sarif", "--output"]
    ruff = ["ruff", "check", "--isolated", "--no-cache", "--quiet", "--select", "E4,E7,E9,F,B,UP", "--exit-zero"]
    _run_scanner([*bandit, str(reports / "bandit.sarif")], source, fine=(0, 1))
    _run_scanner([*ruff, "--output-format", "sarif", "--output-file", str(reports / "ruff.sarif"), "."], source)


def _run_scanner(command: list[str], source: Path, fine: tuple[int, ...] = (0,)) -> None:
    # -I: the folder that is scanned must not stand on the scanner's own path.
    run = subprocess.run(
        [sys.executable, "-I", "-m", *command], cwd=source, capture_output=True, text=True, check=False
    )
    if run.returncode not in fine:
        last = (run.stderr.strip() or run.stdout.strip() or "it said nothing").splitlines()[-1]
        raise StoryBroken(
            f"{command[0]} could not scan {source}: {last}", "Install it anew: pip install 'tidegate[demo]'"
        )
