"""These tests speak as a person at a terminal does: whole commands, against a real database and the fake Burp."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest

from tests.database import database, migrated_database
from tidegate.cli import run
from tidegate.demo.fake_burp import FakeBurp
from tidegate.server.postgres import Database

__all__ = ["burp", "database", "migrated_database", "shop", "tidegate"]


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, str]:
        return json.loads(self.err)["error"]


class Keyboard(io.StringIO):
    """Somebody sits there."""

    def isatty(self) -> bool:
        return True


class Person:
    """Runs whole commands; nobody sits at the keyboard unless `typed` says what they type."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def __call__(self, *arguments: object, stdin: str = "", keyboard: bool = False) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        self.monkeypatch.setattr("sys.stdin", Keyboard(stdin) if keyboard else io.StringIO(stdin))
        with redirect_stdout(out), redirect_stderr(err):
            code = run([str(argument) for argument in arguments])
        assert "Traceback" not in out.getvalue() + err.getvalue()
        return Ran(code, out.getvalue(), err.getvalue())

    def json(self, *arguments: object, stdin: str = "") -> Any:
        ran = self(*arguments, "--json", stdin=stdin)
        assert ran.code in (0, 3), ran.err
        return ran.json


@pytest.fixture
def tidegate(database: Database, monkeypatch: pytest.MonkeyPatch) -> Person:
    monkeypatch.setenv("TIDEGATE_DATABASE_URL", database.url)
    monkeypatch.setenv("LOGNAME", "alice")
    monkeypatch.delenv("TIDEGATE_DEBUG", raising=False)
    return Person(monkeypatch)


@pytest.fixture
def burp(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBurp]:
    with FakeBurp() as fake:
        monkeypatch.setenv("BURP_KEY", fake.api_key)
        yield fake


@pytest.fixture
def shop(tidegate: Person, burp: FakeBurp) -> Person:
    """Burp is connected and discovered; Storefront and Storefront API flow into *Web shop*."""
    added = tidegate(
        "connection",
        "add",
        "burpsuite",
        "--label",
        "Burp",
        "--set",
        f"url={burp.url}",
        "--secret",
        "api_key=env:BURP_KEY",
    )
    assert added.code == 0, added.err
    mapped = tidegate("record", "map", "Storefront", "Storefront API", "--new", "Web shop")
    assert mapped.code == 0, mapped.err
    return tidegate
