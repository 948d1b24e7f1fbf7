"""The first page's own reads: the last thirty days of a Connection, and what no tool looks at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests import world
from tests.world import ALICE
from tidegate.actions.record import map_records
from tidegate.reads.home import DAYS, Cell, coverage, days_of
from tidegate.reads.product import of_names
from tidegate.reads.viewer import viewing
from tidegate.rules.access import NO_ACCESS
from tidegate.store import models

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)


def ran(connection: models.Connection, status: str, days_ago: int, **more: object) -> None:
    operation = world.operation(connection, "sync", status, **more)
    type(operation).objects.filter(pk=operation.pk).update(requested_at=NOW - timedelta(days=days_ago))


def test_a_day_is_as_bad_as_the_worst_that_ran_on_it(database: object):
    burp = world.connection("Burp")
    ran(burp, "success", 1)
    ran(burp, "failed", 1)
    ran(burp, "partial", 2)
    ran(burp, "success", 3)
    ran(burp, "failed", DAYS + 1)
    ran(burp, "failed", 4, preview=True)

    days = days_of([burp.pk], NOW)[burp.pk]

    assert len(days) == DAYS
    assert [day.tone for day in days[-5:]] == ["none", "good", "warn", "bad", "none"]
    assert days[-2].words == "29 May: 1 failed, 1 success"
    assert {day.tone for day in days[:-5]} == {"none"}


def test_days_tell_nothing_of_a_connection_that_may_not_be_seen(database: object):
    burp = world.connection("Burp")
    ran(burp, "failed", 1)

    with viewing(NO_ACCESS):
        assert {day.tone for day in days_of([burp.pk], NOW)[burp.pk]} == {"none"}


def test_a_product_that_no_tool_looks_at_is_told(database: object):
    burp = world.connection("Burp")
    shop = world.product("Web shop")
    world.product("Payroll")
    map_records(ALICE, [world.record(burp, "shop")], product_id=shop)

    found = coverage()

    assert found.tools == ["BurpSuite"]
    cells = {one.product: one.cells for one in found.products}
    assert cells["Payroll"] == [None]
    assert cells["Web shop"][0] is not None
    assert (cells["Web shop"][0].records, cells["Web shop"][0].missing) == (1, 0)
    assert not found.more


def test_products_are_found_by_the_names_of_records_whatever_the_case(database: object):
    world.product("Web Shop")

    found = of_names(["web shop", "nothing", "Web Shop\0"])

    assert {name: one.name for name, one in found.items()} == {"web shop": "Web Shop"}


def test_what_is_missing_is_looked_at_still_and_what_went_elsewhere_is_not(database: object):
    burp, shop = world.connection("Burp"), world.product("Web shop")
    gone, moved = world.record(burp, "gone"), world.record(burp, "moved")
    map_records(ALICE, [gone, moved], product_id=shop)
    models.Record.objects.filter(pk=gone).update(absent_since=NOW)
    map_records(ALICE, [moved], product_id=world.product("Payroll"), already_imported="leave")

    cells = {one.product: one.cells for one in coverage().products}

    assert cells == {"Web shop": [Cell(records=1, missing=1)], "Payroll": [Cell(records=1, missing=0)]}
