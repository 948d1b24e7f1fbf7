"""Whole commands that make themselves ready: against an empty home, and against a database that is given."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from tests.server.conftest import copied, made_spot
from tests.server.homes import ask, is_stopped, opened
from tidegate.server.postgres import Database

PROGRAM = Path(sys.executable).with_name("tidegate")


def begin(*arguments: str, **settings: object) -> subprocess.Popen[str]:
    """One command of a user, in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    given = {f"TIDEGATE_{name.upper()}": str(value) for name, value in settings.items()}
    return subprocess.Popen(
        [PROGRAM, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**kept, **given},
    )


def end(command: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Its exit code, and what it said on standard output and standard error."""
    said, complained = command.communicate(timeout=60)
    return command.returncode, said, complained


def test_commands_that_begin_at_once_on_an_empty_home_all_work_and_leave_nothing_running(spot: Path):
    commands = [begin("record", "list", "--json", home=spot / "home") for _ in range(2)]

    ended = [end(command) for command in commands]

    assert [code for code, _, _ in ended] == [0, 0], ended
    assert [json.loads(said)["records"] for _, said, _ in ended] == [[], []]
    assert is_stopped(spot / "home")


# A database that is given


@pytest.fixture(scope="module")
def server(template: Path) -> Iterator[Database]:
    for folder in made_spot():
        with opened(copied(template, folder / "home")) as database:
            yield database


@pytest.fixture
def given(server: Database) -> Iterator[str]:
    """An empty database whose owner we are."""
    ask(server, "CREATE DATABASE given")
    yield make_conninfo(server.url, dbname="given")
    ask(server, "DROP DATABASE given WITH (FORCE)")


def test_a_given_database_waits_for_migrate_which_two_may_run_at_once(given: str, spot: Path):
    settings: dict[str, object] = {"home": spot / "home", "database_url": given}

    before = end(begin("record", "list", **settings))
    migrated = [end(command) for command in [begin("migrate", "--json", **settings) for _ in range(2)]]
    after = end(begin("record", "list", **settings))

    assert before[0] == 1
    assert before[2].endswith("Next: Run: tidegate migrate\n")
    assert [code for code, _, _ in migrated] == [0, 0], migrated
    applied = sorted(json.loads(said)["applied"] for _, said, _ in migrated)
    assert applied[0] == []
    assert "store.0001_initial" in applied[1]
    assert after[0] == 0, after
    assert not (spot / "home").exists()


def test_a_user_who_may_not_make_tables_is_told_whom_to_ask(given: str, spot: Path):
    ask(given, "REVOKE CREATE ON SCHEMA public FROM pg_database_owner")

    code, _, said = end(begin("migrate", home=spot / "home", database_url=given))

    assert code == 1
    assert "The user tidegate of TIDEGATE_DATABASE_URL may not make tables in the database given." in said
    assert 'GRANT CREATE ON SCHEMA public TO "tidegate"; then run: tidegate migrate\n' in said
