"""A real PostgreSQL for tests: the fixture `database` is empty, migrated, and commits like the real one.

The server is our own embedded one, or the one of TIDEGATE_TEST_DATABASE_URL (CI runs the store on Debian's too). Each
xdist worker has a database of its own. A conftest.py takes the fixtures in by importing them from here.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import django
import psycopg
import pytest
from django.apps import apps
from django.conf import settings as django_conf
from django.core.management import call_command
from django.db import IntegrityError, connection, connections
from django.db.backends.utils import CursorWrapper
from psycopg import sql as words
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from tests.spot import SPOT
from tidegate.config import Settings
from tidegate.reads.viewer import viewing
from tidegate.rules.access import FULL_ACCESS
from tidegate.server import settings as defaults
from tidegate.server.postgres import Database, django_settings, open_database

# Django wants its settings before the first model is imported, so long before there is a server.
if not django_conf.configured:
    values = {name: getattr(defaults, name) for name in dir(defaults) if name.isupper()}
    django_conf.configure(**values | {"DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql"}}})
    django.setup()

from tidegate.ingest.heart import HEART
from tidegate.store.models import AuditLine

EMPTY_THE_AUDIT_LOG = """
ALTER TABLE audit_line DISABLE TRIGGER audit_line_stays;
GRANT TRUNCATE ON audit_line TO CURRENT_USER;
TRUNCATE audit_line RESTART IDENTITY;
ALTER TABLE audit_line ENABLE TRIGGER audit_line_stays;
REVOKE TRUNCATE ON audit_line FROM CURRENT_USER
"""
"""What only a test may do: the owner of the table takes back what it gave away. The lock on the table comes first: a
vacuum that has the table already waits for whoever holds its row in the catalog, which a GRANT does."""


NUMBERS_FROM_ONE = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
  FROM pg_sequences
 WHERE last_value IS NOT NULL AND schemaname = current_schema() AND sequencename !~ '^(django|auth|account|audit)'
"""

TAKE_OTHERS = ("product", "record", "operation", "connection")
FEW_ROWS, TURNS, BETWEEN_TRUNCATES = 2_000, 4, 50
EMPTIED = count(1)

OPENED = pytest.StashKey[Database]()


@pytest.fixture(scope="session")
def migrated_database(request: pytest.FixtureRequest) -> Database:
    """This worker's own database, made by the migrations; one for the whole run, however many conftests import this."""
    config = request.config
    if OPENED not in config.stash:
        stack = ExitStack()
        config.add_cleanup(stack.close)
        blocker = request.getfixturevalue("django_db_blocker")
        with blocker.unblock():
            config.stash[OPENED] = stack.enter_context(worker_database())
    return config.stash[OPENED]


@pytest.fixture
def database(
    migrated_database: Database,
    django_db_blocker: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Database]:
    """Empty tables, numbers from 1, and a home of its own for the key that seals secrets."""
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path / "home"))
    with django_db_blocker.unblock():
        empty_all_tables()
        with viewing(FULL_ACCESS):
            yield migrated_database
        let_the_last_beat_end()
        assert not connections["default"].in_atomic_block, "a test left its transaction open"
        connections.close_all()


def let_the_last_beat_end() -> None:
    """The thread that beats for runs may still be in a beat when they have ended: the next test is not to meet it."""
    if not HEART.running():
        for thread in threading.enumerate():
            if thread.name == "heart":
                thread.join(60)


@contextmanager
def worker_database() -> Iterator[Database]:
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))[:12]
    name = f"test_{run}_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    with open_database(server_settings()) as server:
        administer(server, "CREATE DATABASE {}", name)
        administer(server, "ALTER DATABASE {} SET synchronous_commit = off", name)
        database = Database(make_conninfo(server.url, dbname=name), server.embedded)
        connections.settings["default"].update(django_settings(database))
        call_command("migrate", verbosity=0, interactive=False)
        yield database
        administer(server, "DROP DATABASE {} WITH (FORCE)", name)


def server_settings() -> Settings:
    """One server for the whole run, shared by all workers; its own database is not used."""
    given = os.environ.get("TIDEGATE_TEST_DATABASE_URL")
    home = Path(os.environ[SPOT]) / "server"
    return Settings(home=home, database_url=SecretStr(given) if given else None)


def empty_all_tables() -> None:
    """Empties what has rows, row by row: a TRUNCATE makes the files of every table and index anew, at the cost of most
    tests. That is for tables with many rows, and now and then, so that what is dead in them does not pile up."""
    with connection.cursor() as cursor:
        if not (next(EMPTIED) % BETWEEN_TRUNCATES and _emptied_by_row(cursor)):
            cursor.execute(f"TRUNCATE {', '.join(_tables())} RESTART IDENTITY CASCADE")
        cursor.execute(NUMBERS_FROM_ONE)
        if AuditLine.objects.exists():
            cursor.execute(EMPTY_THE_AUDIT_LOG)


def _emptied_by_row(cursor: CursorWrapper) -> bool:
    """Whether that was possible. Triggers write into other tables meanwhile: those are emptied in another turn."""
    rows = 0
    for _ in range(TURNS):
        asked = ", ".join(f"EXISTS (SELECT FROM {table})" for table in _tables())
        cursor.execute(f"SELECT {asked}")
        filled = [table for table, there in zip(_tables(), cursor.fetchone() or (), strict=True) if there]
        if not filled:
            return True
        if rows > FEW_ROWS:
            return False
        for table in filled:
            try:
                cursor.execute(f"DELETE FROM {table}")
            except IntegrityError:  # a table that takes nothing with it still has rows that point here
                return False
            rows += cursor.rowcount
    return False


@cache
def _tables() -> list[str]:
    """Ours, what takes others with it first; but the audit log, which nothing may take from."""
    ours = [model for app in ("store", "procrastinate", "sessions") for model in apps.get_app_config(app).get_models()]
    names = {model._meta.db_table for model in ours if model is not AuditLine}
    return [*TAKE_OTHERS, *sorted(names.difference(TAKE_OTHERS))]


def administer(server: Database, statement: str, name: str) -> None:
    """Carries it out. Where a database is dropped the server's own autovacuum may be at work in it, and no role of ours
    can send that away; it is gone in a moment."""
    asked = words.SQL(statement).format(words.Identifier(name))  # pyright: ignore[reportArgumentType]
    with psycopg.connect(server.url, autocommit=True) as administrator:
        for left in reversed(range(20)):
            try:
                administrator.execute(asked)
                return
            except psycopg.errors.InsufficientPrivilege:
                if not left:
                    raise
                time.sleep(0.5)


def parameters(database: Database) -> dict[str, object]:
    """For a second connection, as another process has it."""
    return dict(conninfo_to_dict(database.url))
