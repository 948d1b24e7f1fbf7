"""What lists begin with is kept by triggers, and is what is there: whoever writes, plain SQL included."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from tests import world
from tests.kept import kept_wrongly
from tests.world import ALICE
from tidegate.actions.connection import delete_connection
from tidegate.actions.record import ignore_records, map_records, undo
from tidegate.reads import product
from tidegate.store.models import Feed, Finding, ProductTally, Record, RecordTally
from tidegate.store.writers.tally import add_up_tallies

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def records() -> list[int]:
    """Two Records in one Product, each with five findings."""
    tool = world.connection("My Burp", tool="burpsuite")
    made = [world.record(tool, name) for name in ("web", "api")]
    map_records(ALICE, made, new_product="Shop")
    for record in made:
        for n in range(5):
            closed = {"open": False, "closed_because": "gone", "closed_operation": 1} if n == 3 else {}
            world.finding(world.read(record).feed_id or 0, f"{record} {n}", severity_vendor=n, **closed)
    return made


def in_plain_sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def held(name: str) -> Any:
    return next(row for row in product.products().products if row.name == name)


def test_a_first_finding_and_open_ones_are_known_to_their_feed(records: list[int]):
    for feed in Feed.objects.all():
        of_it = Finding.objects.filter(feed=feed.pk)
        assert feed.first_finding == min(of_it.values_list("pk", flat=True))
        assert (feed.open_findings, feed.behind) == (4, False)
    assert kept_wrongly() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE finding SET severity = 2 WHERE severity = 4",
        "UPDATE finding SET open = false, active = false, closed_because = 'person' WHERE open",
        "DELETE FROM finding WHERE severity < 3",
        "UPDATE finding SET feed_id = (SELECT max(id) FROM feed)",
        "UPDATE record SET absent_since = now()",
        "UPDATE record SET feed_id = NULL, decision = 'ignored'",
        "UPDATE record SET feed_id = NULL, decision = 'undecided', finalized_at = NULL, deleted_at = now()",
        "UPDATE record SET connection_id = (SELECT max(id) FROM connection)",
        "DELETE FROM feed WHERE id = (SELECT max(id) FROM feed)",
        "DELETE FROM test",
        "DELETE FROM engagement",
        "DELETE FROM product",
    ],
)
def test_whatever_is_written_is_kept(records: list[int], statement: str):
    """data-model.md: what is counted is kept by the database itself, so that no writer can forget it."""
    in_plain_sql(statement)

    assert kept_wrongly() == []


@pytest.mark.parametrize("imported", ["move", "leave", "close"])
def test_a_record_that_goes_elsewhere_and_back_takes_its_counts_along(records: list[int], imported: Any):
    moved = map_records(ALICE, records[:1], new_product="Elsewhere", already_imported=imported)
    assert kept_wrongly() == []
    shown = held("Elsewhere")
    assert shown.records == 1
    assert shown.findings.open == (4 if imported == "move" else 0)
    assert held("Shop").records == 1
    assert held("Shop").findings.unwatched == (4 if imported == "leave" else 0)

    undo(ALICE, step=moved.step)

    assert kept_wrongly() == []
    assert held("Shop").records == 2


def test_what_is_left_behind_is_so_until_it_flows_again(records: list[int]):
    ignore_records(ALICE, records)
    assert held("Shop").findings.unwatched == 8
    map_records(ALICE, records, product_id=held("Shop").id)
    assert (held("Shop").findings.unwatched, kept_wrongly()) == (0, [])

    Record.objects.update(absent_since=world.now())
    assert (held("Shop").findings.unwatched, held("Shop").records, kept_wrongly()) == (8, 2, [])
    Record.objects.update(absent_since=None)
    delete_connection(ALICE, world.read(records[0]).connection.pk, "My Burp")

    assert (held("Shop").findings.unwatched, kept_wrongly()) == (8, [])


def test_a_products_totals_are_the_same_added_up_or_not(records: list[int]):
    before = held("Shop").findings
    assert (before.active, before.open, before.inactive) == (8, 8, 2)

    with transaction.atomic():
        add_up_tallies()

    assert held("Shop").findings == before
    sums = ProductTally.objects.values_list("product", "severity", "open", "active")
    assert len(sums) == len(set(sums))
    assert list(RecordTally.objects.values_list("state", "n")) == [("good", 2)]
    assert kept_wrongly() == []


def test_a_record_that_goes_is_in_no_state_and_leaves_nothing_of_its_connection():
    world.record(world.connection("My Burp", tool="burpsuite"), "web")
    in_plain_sql("DELETE FROM record")
    assert kept_wrongly() == []

    with transaction.atomic():
        add_up_tallies()
    in_plain_sql("DELETE FROM connection")

    assert not RecordTally.objects.exists()


def test_a_product_takes_its_tally(records: list[int]):
    in_plain_sql("DELETE FROM product")

    assert not ProductTally.objects.exists()
