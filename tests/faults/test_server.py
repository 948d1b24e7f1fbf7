"""promises.md, database faults: PostgreSQL itself is stopped, killed and started again, and its disk fills up. The
server is one of these tests' own, in a home of its own; to the service it is one of TIDEGATE_DATABASE_URL."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import Error as DatabaseFailure

from tests.acme import many
from tests.faults.house import House, Nursery, a_house, copy_of, pointed_at, prepare, until
from tests.faults.stored import Stored, stored
from tests.faults.vendor import IN_CATALOG, Vendor
from tests.server.test_postgres import fill, grow, small_disk
from tests.spot import folder_for_a_home
from tidegate import catalog
from tidegate.config import Settings
from tidegate.server.postgres import Database, open_database
from tidegate.server.postgres.keeper.place import choose_place
from tidegate.server.postgres.keeper.postmaster import living_postmaster

LONG = 120
"""Seconds of a lease that ends for no restart of a server, however slow the machine."""

MANY = 20_000
"""Findings that need more room than there is on a full disk."""


class Server:
    """An embedded server that a test may stop and start."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._stack: ExitStack | None = None
        self.database: Database
        self.start()

    def start(self) -> None:
        """Does nothing where it runs."""
        if self._stack is not None:
            return
        self._stack = ExitStack()
        self.database = self._stack.enter_context(open_database(Settings(home=self.home)))

    def stop(self) -> None:
        """In order, as an administrator does; whoever is connected is thrown out."""
        if self._stack is not None:
            self._stack.close()
            self._stack = None

    def crash(self) -> None:
        """All its processes at once: `kill -9`. Its keeper starts it again."""
        postmaster = living_postmaster(choose_place(self.home.resolve(), os.geteuid()).data)
        assert postmaster is not None
        os.kill(int(postmaster), signal.SIGKILL)

    def answers(self) -> bool:
        try:
            psycopg.connect(self.database.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def prepared(self, vendor: Vendor) -> Database:
        """The database that houses are copied from, migrated and prepared here."""
        empty = copy_of(self.database, "template1", "prepared", quick=False)
        with pytest.MonkeyPatch.context() as patch, pointed_at(empty):
            patch.setenv("TIDEGATE_HOME", str(folder_for_a_home()))
            patch.setitem(catalog.BUILT_IN, *next(iter(IN_CATALOG.items())))
            call_command("migrate", verbosity=0, interactive=False)
            prepare(vendor)
        return empty


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server(folder_for_a_home() / "home")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def prepared_here(server: Server, vendor: Vendor, django_db_blocker: Any) -> Database:
    with django_db_blocker.unblock():
        return server.prepared(vendor)


@pytest.fixture
def house(
    server: Server, prepared_here: Database, nursery: Nursery, vendor: Vendor, django_db_blocker: Any
) -> Iterator[House]:
    """A house on that server."""
    with django_db_blocker.unblock(), a_house(server.database, prepared_here, nursery, vendor, quick=False) as house:
        yield house
        server.start()


@pytest.mark.parametrize("place", ["before record #2", "after write", "after transaction", "before end"])
@pytest.mark.parametrize("how", ["stopped", "crashed"])
def test_the_server_goes_and_comes_back(
    server: Server, house: House, undisturbed: dict[str, Stored], how: str, place: str
) -> None:
    """Mid-apply and between two: the same worker goes on once it is back, and nobody's death is counted."""
    worker = house.worker(stop=[place], lease=LONG)
    scheduler = house.scheduler()
    number = house.ask("sync")
    stopped = house.stopped()
    house.let_go_of_database()
    if how == "stopped":
        server.stop()
        stopped.go_on()
        worker.says("database_away")
        scheduler.says("database_away")
        server.start()
    else:
        server.crash()
        stopped.go_on()
        until(server.answers, "it is back")
    ended = house.ends(number)

    assert (ended.status, ended.deaths) == ("partial", 0), house.told()
    assert stored() == undisturbed["sync"]
    assert not worker.ended
    assert not scheduler.ended


def test_a_worker_and_a_scheduler_without_a_server_wait_for_it(
    server: Server, house: House, undisturbed: dict[str, Stored]
) -> None:
    """Nothing ran; the server was away for a while; what is asked for next is done."""
    worker, scheduler = house.restart()
    number = house.ask("discover")
    house.ends(number)
    house.let_go_of_database()
    server.stop()
    worker.says("database_away")
    scheduler.says("database_away")
    server.start()

    assert house.ends(house.ask("sync")).deaths == 0
    assert not worker.ended
    assert not scheduler.ended


def test_a_worker_told_to_stop_while_the_server_is_away_stops(server: Server, house: House) -> None:
    """It cannot hand back, and waits for nobody: the lease says the rest."""
    worker = house.worker(stop=["after write"], lease=2, TIDEGATE_GRACE_SECONDS="10")
    number = house.ask("sync")
    stopped = house.stopped()
    house.let_go_of_database()
    server.stop()
    stopped.go_on()
    worker.says("database_away")
    assert worker.end() in (0, 1)

    server.start()
    house.restart()
    assert house.ends(number).status == "partial"


# A full disk


def test_a_full_disk_of_the_server(nursery: Nursery, vendor: Vendor, django_db_blocker: Any, tmp_path: Path) -> None:
    """The Operation fails with a sentence, or goes on when there is room; nothing is half; the next run is whole."""
    with (
        small_disk(folder_for_a_home() / "disk", megabytes=400) as (disk, mounted),
        django_db_blocker.unblock(),
        serving(disk / "home") as server,
    ):
        prepared = server.prepared(vendor)
        with a_house(server.database, prepared, nursery, vendor, quick=False) as house:
            house.vendor.world.products["api"].families["issues"] |= many(MANY, "x", description="long " * 100)
            house.vendor.world.per_page = 5000
            house.restart()
            house.ends(house.ask("sync"), 120)
            expected = stored()
        with a_house(server.database, prepared, nursery, vendor, quick=False) as house:
            house.vendor.world.products["api"].families["issues"] |= many(MANY, "x", description="long " * 100)
            house.vendor.world.per_page = 5000
            before = stored()["findings"]
            house.worker(stop=["before write"], full=[] if mounted else ["before change"], lease=LONG)
            number = house.ask("sync", records=[house.acme.record("api").pk])
            stopped = house.stopped()
            fill(disk / "filler", until_full=mounted)
            stopped.go_on()
            until(lambda: has_ended(house, number), "it fails, or the server does", 120, house.told)
            assert halves(house) == []
            (disk / "filler").unlink()
            until(server.answers, "there is room again", 120)
            house.scheduler()
            ended = house.ends(number, 120)
            if ended.status == "failed":
                assert "The database failed" in ended.why
                assert "No space left on device" in ended.why
                assert stored()["findings"] == before

            house.worker()
            house.ends(house.ask("sync"), 120)
            assert stored() == expected


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """A server of this test alone."""
    server = Server(home)
    try:
        yield server
    finally:
        server.stop()


def has_ended(house: House, number: int) -> bool:
    """Whether it has, or the server has fallen."""
    try:
        return house.operation(number).status not in ("running", "pending")
    except DatabaseFailure:
        house.let_go_of_database()
        return True


def halves(house: House) -> list[tuple[Any, ...]]:
    """What was written of the Record although it did not fit."""
    try:
        return house.do("SELECT 1 FROM finding WHERE key LIKE 'x%%' LIMIT 1")
    except DatabaseFailure:
        house.let_go_of_database()
        return []


def test_a_full_disk_of_the_worker(house: House, undisturbed: dict[str, Stored]) -> None:
    """What is read is spooled to its own disk: the Operation fails and says which disk, and the next one is whole."""
    with small_disk(folder_for_a_home() / "disk", megabytes=1) as (disk, mounted):
        house.vendor.world.products["api"].families["issues"] |= many(MANY // 4, "x", description="long " * 100)
        orders: dict[str, Any] = {} if mounted else {"full": ["before spooling"]}
        worker = house.worker(TMPDIR=str(disk), **orders)
        failed = house.ends(house.ask("sync"))

        assert failed.status == "failed"
        assert "Tidegate's own disk" in failed.why
        assert "No space left on device" in failed.why
        house.vendor.world.products["api"].families["issues"] = {
            key: row for key, row in house.acme.world.issues("api").items() if not key.startswith("x")
        }
        if mounted:
            grow(disk, megabytes=50)
        else:
            worker.end()
            house.worker()
        assert house.ends(house.ask("sync")).status == "partial"
        assert stored() == undisturbed["sync"]
