"""Issue 4: cancelled within five seconds in any phase; what is applied stays, what is not is not begun; the row says
who."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2
import pytest

from tests.faults.house import House, until
from tests.ingest.scene import ALICE
from tidegate.actions.operation import cancel
from tidegate.store.models import Result

FIVE_SECONDS = 30.0
"""Those of a machine that other tests load too: what would not be cancelled waits for an hour, or for ever."""


def silent(house: House, part: str) -> None:
    """The vendor takes a request for such a thing, and never answers."""
    house.silence(part)


def asked_for(house: House, part: str) -> Callable[[], bool]:
    return lambda: any(part in path for path in house.vendor.asked)


def cancelled(house: House, number: int) -> list[str]:
    """Cancels, looks at the clock, and gives the Records that have a result by then."""
    began = time.monotonic()
    cancel(ALICE, number)
    ended = house.ends(number)
    took = time.monotonic() - began
    assert took < FIVE_SECONDS, f"{took:.1f} s; {house.told()}"
    assert (ended.status, ended.cancelled_by, ended.why) == ("cancelled", "alice", "Cancelled by alice.")
    done = Result.objects.filter(operation_id=number, family="")
    return sorted(done.values_list("record__vendor_id", flat=True))


def assert_goes_on(house: House, number: int) -> None:
    """What was applied stays as it is, and the next Sync is a whole one."""
    house.vendor.before = None
    assert house.ends(house.ask("sync")).status == "partial"
    assert house.operation(number).status == "cancelled"


@pytest.mark.parametrize("what", ["account", "shop/findings", "api/findings"])
def test_while_the_vendor_is_silent(house: House, what: str) -> None:
    """A request hangs: at the login, at the first Record, at another one."""
    silent(house, what)
    house.worker()
    number = house.ask("sync")
    until(asked_for(house, what), "the vendor is asked", told=house.told)

    done = cancelled(house, number)

    assert "api" not in done if what == "api/findings" else not done
    assert_goes_on(house, number)


def test_while_a_discover_waits_for_the_vendor(house: House) -> None:
    """The list of products hangs."""
    silent(house, "/products")
    house.worker()
    number = house.ask("discover")
    until(asked_for(house, "/products"), "the vendor is asked", told=house.told)

    assert cancelled(house, number) == []
    assert not house.do("SELECT 1 FROM record WHERE vendor_id = 'late'")


def test_while_the_vendor_says_to_come_back_later(house: House) -> None:
    """429 with Retry-After: a minute."""
    house.vendor.before = lambda path: httpx2.Response(429, headers={"Retry-After": "60"}) if "api" in path else None
    house.worker()
    number = house.ask("sync")
    until(asked_for(house, "/api/"), "the vendor is asked", told=house.told)

    assert "api" not in cancelled(house, number)


def test_while_a_long_list_is_read(house: House) -> None:
    """Page after page after page, each of which comes at once."""
    house.vendor.world.products["api"].families["issues"] = {
        f"g{n}": {"id": f"g{n}", "title": "Long", "severity": "high", "status": "open"} for n in range(1_000_000)
    }
    house.worker()
    number = house.ask("sync")
    until(lambda: sum("/api/" in path for path in house.vendor.asked) > 5, "it reads", told=house.told)

    assert "api" not in cancelled(house, number)


@contextmanager
def slow_trigger(house: House, table: str, seconds: float = 3600) -> Iterator[None]:
    """The database takes an hour for a statement that writes there."""
    house.do(
        f"CREATE FUNCTION take_long() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep({seconds});"
        f" RETURN NEW; END $$; CREATE TRIGGER take_long BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW"
        " EXECUTE FUNCTION take_long()"
    )
    yield
    house.do(f"DROP TRIGGER take_long ON {table}; DROP FUNCTION take_long()")


def test_in_a_statement_that_takes_long(house: House) -> None:
    """It is cancelled in the middle, and what it did is rolled back."""
    with slow_trigger(house, "finding"):
        house.worker()
        number = house.ask("sync")
        sleeps = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
        until(lambda: house.do(sleeps), "the statement takes long", told=house.told)
        cancelled(house, number)
        until(lambda: not house.do(sleeps), "the statement has ended")
    assert not house.do("SELECT 1 FROM finding WHERE key = 'n'")
    assert_goes_on(house, number)


@pytest.mark.parametrize(
    "held",
    ["SELECT FROM record WHERE vendor_id = 'api' FOR UPDATE", "SELECT FROM finding WHERE key = 'g0' FOR UPDATE"],
    ids=["a Record", "a finding"],
)
def test_while_somebody_else_holds(house: House, held: str) -> None:
    """A lock that somebody forgot."""
    with house.lock(held):
        house.worker()
        number = house.ask("sync")
        until(house.somebody_waits_for_a_lock, "it waits for the lock", told=house.told)
        cancelled(house, number)
    assert_goes_on(house, number)


def test_while_it_carries_out_what_is_gone(house: House) -> None:
    """The first closing waits for a lock: what was read and applied stays, and nothing is closed."""
    house.worker(stop=["before carrying out"])
    number = house.ask("sync")
    stopped = house.stopped()
    with house.lock("SELECT FROM record WHERE vendor_id = 'api' FOR UPDATE"):
        stopped.go_on()
        until(house.somebody_waits_for_a_lock, "it waits for the lock", told=house.told)
        done = cancelled(house, number)
    assert {"api", "shop", "big"} <= set(done)
    assert house.acme.open("api") >= {"g0", "g1", "g2"}
    assert house.do("SELECT 1 FROM finding WHERE key = 'n' AND open")
    assert_goes_on(house, number)


@pytest.mark.parametrize("place", ["before record #2", "after record #2", "before judging", "before closing #2"])
def test_between_two_steps(house: House, place: str) -> None:
    """It was just about to begin the next one."""
    house.worker(stop=[place])
    number = house.ask("sync")
    stopped = house.stopped()
    cancel(ALICE, number)
    stopped.go_on()
    before = house.ends(number)

    assert (before.status, before.cancelled_by) == ("cancelled", "alice")
    if place == "after record #2":
        assert Result.objects.filter(operation_id=number, family="").count() == 2
    assert_goes_on(house, number)


def test_in_a_process_of_its_own(house: House) -> None:
    """A worker died with it, so it runs solitarily: there, too."""
    first = house.worker(stop=["before login"], lease=1)
    number = house.ask("sync")
    house.stopped()
    first.kill()
    silent(house, "/api/")
    worker, _ = house.restart()
    until(asked_for(house, "/api/"), "the vendor is asked", told=house.told)
    assert house.operation(number).worker.partition(":")[2] != str(worker.pid)

    assert "api" not in cancelled(house, number)


def test_while_it_waits_for_a_hand(house: House) -> None:
    """Nobody has begun it: it never begins."""
    number = house.ask("sync")
    assert cancelled(house, number) == []
    house.restart()
    assert house.ends(house.ask("discover")).status == "success"
    assert house.operation(number).attempt == 0


def test_of_one_that_was_left_by_a_dead_worker(house: House) -> None:
    """Nobody runs it: it is cancelled at once, and nobody takes it up again."""
    worker = house.worker(stop=["before record #2"], lease=1)
    number = house.ask("sync")
    house.stopped()
    worker.kill()

    cancel(ALICE, number)
    house.restart()
    ended = house.ends(number)

    assert (ended.status, ended.cancelled_by) == ("cancelled", "alice")
    assert_goes_on(house, number)
