"""Every dependency has its line in docs/dependencies.md, and every line its dependency."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINE = re.compile(r"^\| `(?P<name>[^`]+)` \|(?P<cells>.+)\|$", re.MULTILINE)


def declared() -> set[str]:
    return {name for path in ("pyproject.toml", "sdk/pyproject.toml") for name in declared_in(ROOT / path)} - ours()


def ours() -> set[str]:
    return {
        tomllib.loads((ROOT / path).read_text())["project"]["name"] for path in ("pyproject.toml", "sdk/pyproject.toml")
    }


def declared_in(path: Path) -> set[str]:
    file = tomllib.loads(path.read_text())
    lists = [
        file["project"]["dependencies"],
        file["build-system"]["requires"],
        *file["project"].get("optional-dependencies", {}).values(),
        *file.get("dependency-groups", {}).values(),
    ]
    return {plain_name(requirement) for requirements in lists for requirement in requirements}


def plain_name(requirement: str) -> str:
    return re.split(r"[\[<>=!~; @]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def described() -> dict[str, list[str]]:
    text = (ROOT / "docs" / "dependencies.md").read_text()
    return {line["name"]: [cell.strip() for cell in line["cells"].split("|")] for line in LINE.finditer(text)}


def test_what_is_declared_is_described_and_what_is_described_is_declared():
    assert sorted(described()) == sorted(declared())


def test_each_line_says_what_for_why_this_one_and_what_would_replace_it():
    unfinished = [name for name, cells in described().items() if len(cells) != 3 or not all(cells)]

    assert unfinished == []
