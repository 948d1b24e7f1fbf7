"""Counts come from kept tallies and equal what is there; unwatched findings are counted apart."""

from __future__ import annotations

from typing import Any

import pytest

from tests import world
from tests.world import ALICE
from tidegate.actions.connection import delete_connection
from tidegate.actions.record import delete_records, ignore_records, map_records
from tidegate.reads import finding, product
from tidegate.store import models

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def record() -> int:
    number = world.record(world.connection())
    map_records(ALICE, [number], new_product="Shop")
    world.synced(number, "a", "b")
    world.synced(number, "c", severity_vendor=5)
    world.synced(number, "d", vendor_verdict=1)
    world.synced(number, "e", open=False, closed_because="gone", closed_operation=9)
    return number


def counted() -> Any:
    return next(row for row in product.products().products if row.name == "Shop").findings


def test_a_product_counts_what_lies_in_it_the_worst_first(record: int):
    assert (counted().active, counted().inactive, counted().open) == (3, 2, 4)
    assert list(counted().by_severity.items()) == [("Critical", 1), ("Medium", 2)]
    assert counted().unwatched == 0


UNWATCHED: dict[str, Any] = {
    "remapped": lambda record: map_records(ALICE, [record], new_product="Other"),
    "ignored": lambda record: ignore_records(ALICE, [record]),
    "deleted": lambda record: delete_records(ALICE, [record]),
    "missing": lambda record: models.Record.objects.update(absent_since=world.now()),
    "connection deleted": lambda record: delete_connection(ALICE, world.read(record).connection.pk, "Burp"),
    "family skipped": lambda record: models.Part.objects.update(last_outcome="skipped"),
}


@pytest.mark.parametrize("happens", UNWATCHED)
def test_findings_that_no_sync_looks_at_are_unwatched(record: int, happens: str):
    """records.md: left behind by a remap, ignore, delete, Missing, a deleted Connection or a Family no longer read."""
    UNWATCHED[happens](record)

    assert (counted().open, counted().unwatched) == (4, 4)
    assert len(finding.findings(status="unwatched").findings) == 4


@pytest.mark.parametrize("status", ["active", "inactive", "open", "closed"])
def test_lists_and_counts_agree(record: int, status: Any):
    found = len(finding.findings(status=status).findings)

    assert found == {"active": 3, "inactive": 2, "open": 4, "closed": 1}[status]


def test_pages_of_findings_hold_each_once_the_worst_first(record: int):
    seen, cursor = [], None
    while True:
        page = finding.findings(cursor=cursor, limit=2)
        seen += [row.id for row in page.findings]
        if not (cursor := page.next):
            break

    assert len(seen) == len(set(seen)) == 5
    assert finding.findings(limit=1).findings[0].severity == "Critical"
