"""The reads of Records say in SQL what the rules say in Python, and tell a Record's history in sentences."""

from __future__ import annotations

from itertools import product as combinations
from typing import Any

import pytest

from tests import world
from tests.world import ALICE
from tidegate.actions.record import ignore_records, map_records, restore_records
from tidegate.reads import record
from tidegate.store import models

pytestmark = pytest.mark.usefixtures("database")


def every_kind_of_record() -> None:
    """Each decision, with its VEP there and gone, its target there and lost."""
    burp = world.connection()
    discover = world.operation(burp, "discover", counts={"seen": 7})
    shop = world.product("Shop")
    for decision, absent, lost in combinations(("undecided", "mapped", "ignored"), (False, True), (False, True)):
        if lost and decision != "mapped":
            continue
        number = world.record(burp, f"{decision} {absent} {lost}")
        if decision == "mapped":
            map_records(ALICE, [number], product_id=shop)
        elif decision == "ignored":
            ignore_records(ALICE, [number])
        if lost:
            facts = {
                "feed": None,
                "target_lost": "product",
                "target_lost_at": world.now(),
                "earlier_product_name": "Shop",
            }
            models.Record.objects.filter(pk=number).update(**facts)
        if absent:
            models.Record.objects.filter(pk=number).update(absent_since=world.now(), absent_operation=discover)

    lost_at_a_destination(burp)


def lost_at_a_destination(connection: models.Connection) -> int:
    """A Record whose Test is gone in a DefectDojo; one beside it whose Test is there."""
    destination = models.Destination.objects.create(name="Dojo", secrets=b"", created_by="alice")
    models.DestinationRoute.objects.create(destination=destination, connection=connection, created_by="alice")
    lost, there = [world.record(connection, name) for name in ("lost there", "there")]
    for number, at in ((lost, world.now()), (there, None)):
        map_records(ALICE, [number], new_product=f"Product of {number}")
        test = world.read(number).feed.test
        facts = {"lost": "test" if at else "", "lost_at": at}
        models.DeliveredTest.objects.create(destination=destination, test=test, their_id=number, **facts)
    return lost


@pytest.mark.parametrize("heal", ["the route goes", "switched off", "mapped elsewhere", "it is back"])
def test_what_is_lost_at_a_destination_makes_its_record_stale_until_nothing_goes_there(heal: str):
    """Issue: deletion there makes the Record Stale here with the reason. It is read here all the same."""
    from tidegate.actions.operation import request_sync

    burp = world.connection()
    number = lost_at_a_destination(burp)
    (row,) = record.records(state="stale").records
    assert (row.id, row.product) == (number, f"Product of {number}")
    assert "its Test was deleted in DefectDojo («Dojo»)" in row.why
    assert request_sync(ALICE, burp.pk, [number])

    if heal == "the route goes":
        models.DestinationRoute.objects.all().delete()
    elif heal == "switched off":
        models.Destination.objects.update(off_at=world.now())
    elif heal == "mapped elsewhere":
        map_records(ALICE, [number], new_product="Elsewhere")
    else:
        models.DeliveredTest.objects.update(lost="", lost_at=None)

    assert record.records(state="stale").records == []
    assert len(record.records(state="good").records) == 2


def test_each_state_in_sql_holds_the_records_that_the_rule_says():
    """records.md: a Record stores facts; its state follows from them, in lists as in the rule."""
    every_kind_of_record()
    everything = record.records(limit=100).records

    for state in record.STATES:
        found = {row.id for row in record.records(state=state, limit=100).records}
        assert found == {row.id for row in everything if row.state.lower() == state}, state
    assert {row.state.lower() for row in everything} == set(record.STATES)


def test_states_are_counted_as_they_are_listed():
    from tidegate.reads import connection

    every_kind_of_record()

    counted = connection.connections().connections[0].records
    assert counted == {state: len(record.records(state=state).records) for state in record.STATES}


def test_pages_hold_every_record_once_although_names_repeat():
    burp = world.connection()
    made = [world.record(burp, "same name", vendor_id=str(number)) for number in range(7)]

    seen, cursor = [], None
    while True:
        page = record.records(cursor=cursor, limit=3)
        seen += [row.id for row in page.records]
        if not (cursor := page.next):
            break

    assert seen == made


def test_records_of_a_deleted_connection_are_gone_from_lists_and_names():
    burp = world.connection(deleted_at=world.now())
    number = world.record(burp, "Storefront")

    assert record.records().records == []
    assert record.record(number) is None
    assert record.named("Storefront") == record.named(str(number)) == []


def test_history_is_told_in_sentences():
    """records.md: every change of a Record is kept as history: before, after, when, by whom or by which Operation."""
    number = world.record(world.connection(), "shop")
    map_records(ALICE, [number], new_product="Shop")
    map_records(ALICE, [number], new_product="Web")
    ignore_records(ALICE, [number], "a sandbox")
    restore_records(ALICE, [number])
    models.Record.objects.filter(pk=number).update(name="Shop 2", absent_since=world.now())

    detail: Any = record.record(number)

    assert [change.what for change in detail.history] == [
        "Found.",
        "Mapped to «Shop».",
        "Mapped to «Web»; was «Shop».",
        "Ignored: a sandbox",
        "Restored: undecided again.",
        "No longer in the tool. Renamed: «shop» → «Shop 2».",
    ]
    assert {change.actor for change in detail.history[1:5]} == {"alice"}
    assert all(change.step for change in detail.history[1:5])


@pytest.mark.parametrize(
    ("outcomes", "held", "badge"),
    [
        ([("", "failed")], 0, "failing"),
        ([("", "incomplete"), ("dast", "incomplete")], 5, "failing"),
        ([("", "complete"), ("dast", "complete")], 1, "held"),
        ([("", "complete"), ("dast", "skipped")], 0, "skipped"),
        ([("", "complete"), ("other", "skipped")], 0, ""),
        ([("", "complete"), ("dast", "complete")], 0, ""),
        ([("", "dropped")], 0, ""),
    ],
)
def test_the_badge_comes_from_the_last_sync(outcomes: list[tuple[str, str]], held: int, badge: str):
    """records.md: beside the state stands a badge, derived from the last Sync of the Record, gone by itself."""
    burp = world.connection()
    number = world.record(burp)
    map_records(ALICE, [number], new_product="Shop")
    found = world.synced(number, *(f"k{n}" for n in range(6)))
    before = world.operation(burp)
    models.Result.objects.create(operation=before, record_id=number, outcome="failed")
    last = world.operation(burp)
    for family, outcome in outcomes:
        models.Result.objects.create(
            operation=last, record_id=number, family=family, outcome=outcome, counts={"seen": 6}
        )
    feed = world.of(found[0]).feed
    for finding in found[:held]:
        models.Held.objects.create(
            finding_id=finding, feed=feed, since_operation=last.pk, latest_operation=last.pk, standing="held"
        )

    [row] = record.records().records

    assert row.badge == badge
    assert bool(row.badge_why) == bool(badge)
