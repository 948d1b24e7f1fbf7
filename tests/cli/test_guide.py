"""The README and the guide can be followed to the letter: their commands are run here, in their order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tidegate.demo.fake_burp import FakeBurp

ROOT = Path(__file__).resolve().parents[2]
BURP = re.compile(r"https://burp\.example\.org(:8443)?")


def commands(page: Path, heading: str = "") -> list[list[str]]:
    """What stands in the code blocks of a page, or of the part below a heading."""
    text = page.read_text(encoding="utf-8")
    part = re.split(r"^## ", text.split(heading)[1], flags=re.MULTILINE)[0] if heading else text
    blocks = re.findall(r"^```\n(.*?)^```", part, re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize(
    ("page", "heading", "least"),
    [("docs/guide/first-steps.md", "", 12), ("README.md", "## On the command line", 6)],
)
def test_every_command_works_as_it_stands_there_in_its_order(
    tidegate: Any, burp: FakeBurp, page: str, heading: str, least: int
):
    found = commands(ROOT / page, heading)

    assert len(found) >= least
    for program, *arguments in found:
        ran = tidegate(*(BURP.sub(burp.url, argument) for argument in arguments))
        assert (program, ran.code) == ("tidegate", 0), f"{arguments}: {ran.out}{ran.err}"


PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "sdk" / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))

    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []
