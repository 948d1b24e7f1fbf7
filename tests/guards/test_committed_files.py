"""Nothing committed knows the machine it was written on, or where packages come from."""

import re
from pathlib import Path

import pytest

from tests.guards.repository import committed, name

MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|farm|home/(?!\.\.\.)[a-z][\w-]*)/\w")
REGISTRY = re.compile(
    "|".join([r"pypi\s*\.\s*org", r"python" + r"hosted\.org", r"registry\.npm" + r"js", r"ghcr\.i" + "o"])
)
# The lock file's format names the index it was made with, and tells by hashes what may come from anywhere.
MAY_NAME_A_REGISTRY = {"uv.lock"}
# A file that must show a path of some machine, and why.
MAY_NAME_A_PATH: dict[str, str] = {}


def findings(path: str, text: str) -> list[str]:
    patterns = []
    if path not in MAY_NAME_A_PATH:
        patterns.append(MACHINE_PATH)
    if path not in MAY_NAME_A_REGISTRY:
        patterns.append(REGISTRY)
    return [
        f"{path}:{number}: {found.group()}"
        for number, line in enumerate(text.splitlines(), start=1)
        for pattern in patterns
        for found in pattern.finditer(line)
    ]


def test_no_committed_file_names_a_machine_or_a_registry():
    found = [line for path in committed() for line in findings(name(path), text_of(path))]

    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "open('/ro" + "ot/x')",
        "file:///wo" + "rk/main",
        "see /fa" + "rm/a",
        "/ho" + "me/ada/x",
        "https://py" + "pi.org/simple",
    ],
)
def test_the_guard_sees_one(text: str):
    assert findings("a.py", text)


@pytest.mark.parametrize(
    "text", ["/api/work/items", "https://host.example/root/x", "/homepage/x", "~/work/x", "a/root/b"]
)
def test_the_guard_leaves_others_alone(text: str):
    assert findings("a.py", text) == []


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")
