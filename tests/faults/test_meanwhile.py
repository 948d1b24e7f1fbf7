"""promises.md, process faults: edits and deletions while a Sync runs in a worker. What each of them does to what was
read is asked in tests/ingest/test_meanwhile.py; here it comes from another process, between two real transactions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.house import House, until
from tests.ingest.scene import ALICE
from tidegate.actions import connection as connections
from tidegate.actions import record as records
from tidegate.store.models import Finding, Operation, Result


def remapped(house: House) -> None:
    """What a person types on another machine."""
    number = str(house.acme.record("api").pk)
    command = house.start("record", "map", number, "--new", "Elsewhere", "--already-imported", "leave")
    assert command.code() == 0, command.said


def edited(house: House) -> None:
    command = house.start("connection", "edit", "Acme", "--set", "url=http://127.0.0.1:9/")
    assert command.code() in (0, 3), command.said


def product_deleted(house: House) -> None:
    house.do("DELETE FROM product WHERE name = 'Product api'")


def record_ignored(house: House) -> None:
    records.ignore_records(ALICE, [house.acme.record("api").pk])


def record_deleted(house: House) -> None:
    records.delete_records(ALICE, [house.acme.record("api").pk])


CHANGES: dict[str, tuple[Callable[[House], None], str]] = {
    "the Product is deleted": (product_deleted, "its product was deleted"),
    "the Record is ignored": (record_ignored, "the Record is ignored"),
    "the Record is deleted": (record_deleted, "the Record was deleted"),
    "the Record is remapped": (remapped, ""),
    "the Connection is edited": (edited, "settings"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("place", ["before record", "before transaction"])
def test_of_a_record_that_was_read_by_then(house: House, change: str, place: str) -> None:
    """Nothing of it is applied that is no longer asked for, its result says why, and nothing of it is closed."""
    act, why = CHANGES[change]
    only = house.acme.record("api").pk
    worker = house.worker(stop=[place])
    number = house.ask("sync", records=[only])
    stopped = house.stopped()
    act(house)
    stopped.go_on()
    house.ends(number)

    result = Result.objects.get(operation_id=number, record=only, family="")
    assert result.outcome == ("dropped" if why else "complete")
    assert why in result.why
    assert not Finding.objects.filter(feed__record_id=only, open=False).exists()
    assert not worker.ended


def test_the_connection_deleted_ends_it_and_leaves_what_was_applied(house: House) -> None:
    """And the worker goes on with the others."""
    house.worker(stop=["after record #2"])
    number = house.ask("sync")
    stopped = house.stopped()
    connections.delete_connection(ALICE, house.acme.connection_id, "Acme")
    stopped.go_on()
    ended = house.ends(number)

    dropped = Result.objects.filter(operation_id=number, family="", outcome="dropped")
    assert ended.status == "cancelled" or dropped.exists()
    assert house.ends(house.ask("sync", house.beta)).status == "success"


def test_the_connection_paused_lets_what_runs_end_and_begins_nothing(house: House) -> None:
    """What waited for its turn is let go of, with that reason."""
    house.worker(stop=["before record #2"])
    number = house.ask("sync")
    stopped = house.stopped()
    waiting = house.ask("sync")
    assert waiting != number
    connections.pause_connection(ALICE, house.acme.connection_id)
    stopped.go_on()

    assert house.ends(number).status in ("partial", "cancelled")
    let_go = house.ends(waiting)
    assert let_go.status == "cancelled"
    assert "paused" in let_go.why
    assert let_go.attempt == 0


def test_sync_clicked_twice_runs_twice_at_most_and_never_at_once(house: House) -> None:
    """The first runs, the second waits, all others join the second."""
    for _ in range(2):
        house.worker()
    house.scheduler()
    before = Operation.objects.count()
    numbers = {house.ask("sync") for _ in range(10)}
    until(lambda: Operation.objects.filter(status="success").exists(), "something happens")
    house.all_end()

    assert len(numbers) <= 3
    assert Operation.objects.count() == before + len(numbers)
    overlap = house.do(
        "SELECT 1 FROM operation AS one JOIN operation AS other ON other.connection_id = one.connection_id"
        " AND one.id < other.id AND one.ended_at > other.started_at WHERE one.id = ANY(%s) AND other.id = ANY(%s)",
        sorted(numbers),
        sorted(numbers),
    )
    assert overlap == []
    assert all(operation.deaths == 0 for operation in Operation.objects.filter(pk__in=numbers))
