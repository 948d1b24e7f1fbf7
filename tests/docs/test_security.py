"""The threat model names tests that exist; a promise without one says which part it waits for."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "guide" / "security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`((?:sdk/)?tests/[\w/]+\.py)(?:::(\w+))?`", GUIDE)
LATER = re.compile(r"comes with the (?:API|pages)")


def rows() -> list[tuple[str, str]]:
    """Each promise, and what holds it."""
    tables = re.findall(r"^\| promise \| test \|\n\|---\|---\|\n((?:\|.*\n)+)", GUIDE, re.MULTILINE)
    cells = [row.strip("| ").partition(" | ") for table in tables for row in table.splitlines()]
    return [(promise, held) for promise, _, held in cells]


def test_every_part_of_the_promise_has_its_table():
    headings = re.findall(r"^## (.+)$", GUIDE, re.MULTILINE)

    assert {"Outgoing requests", "Secrets", "What tools wrote", "Users", "Database", "Input"} <= set(headings)
    assert len(rows()) > 30


@pytest.mark.parametrize(("promise", "held"), rows(), ids=lambda text: text[:60])
def test_a_promise_names_a_test_or_what_it_comes_with(promise: str, held: str):
    assert promise
    assert LATER.fullmatch(held) or re.findall(r"`(?:sdk/)?tests/", held)


@pytest.mark.parametrize(("place", "name"), NAMED, ids=lambda text: text)
def test_a_test_that_is_named_exists(place: str, name: str):
    source = ast.parse((ROOT / place).read_text(encoding="utf-8"))
    functions = {node.name for node in ast.walk(source) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}

    assert functions if not name else name in functions
