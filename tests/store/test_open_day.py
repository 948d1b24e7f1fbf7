"""Open findings by day: a row only where a number changed, and a chart with every day all the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests import world
from tests.world import ALICE
from tidegate.actions.record import map_records
from tidegate.reads.chart import open_by_day
from tidegate.store import models
from tidegate.store.writers import retention
from tidegate.store.writers.open_day import note_open

pytestmark = pytest.mark.usefixtures("database")

MAY = [date(2026, 5, day) for day in range(1, 32)]


def mapped(name: str = "shop", connection: Any = None, product: str = "Shop") -> int:
    number = world.record(connection or world.connection(), name)
    there = models.Product.objects.filter(name=product).first()
    target: dict[str, Any] = {"product_id": there.pk} if there else {"new_product": product}
    map_records(ALICE, [number], **target)
    return number


def close(*findings: int) -> None:
    models.Finding.objects.filter(pk__in=findings).update(open=False, active=False, closed_because="gone")


def rows(record: int) -> dict[int, dict[str, int]]:
    return {row.day.day: row.open for row in models.OpenDay.objects.filter(record_id=record)}


def chart(since: int, until: int, **of: int) -> list[int]:
    return [day.open for day in open_by_day(since=MAY[since - 1], until=MAY[until - 1], **of)]


def test_a_day_is_written_only_where_it_differs():
    record = mapped()
    found = world.synced(record, "a", "b", severity_vendor=5)
    for day in (1, 2, 3):
        note_open(MAY[day - 1])
    close(found[0])
    note_open(MAY[3])
    note_open(MAY[4])

    assert rows(record) == {1: {"5": 2}, 4: {"5": 1}}


def test_the_last_look_of_a_day_counts_and_one_that_changes_nothing_writes_nothing():
    record = mapped()
    found = world.synced(record, "a", "b")

    assert note_open(MAY[0]) == 1
    assert note_open(MAY[0]) == 0
    close(*found)
    assert note_open(MAY[0]) == 1
    assert rows(record) == {1: {}}


def test_a_record_that_never_had_any_has_no_row():
    record = mapped()

    note_open(MAY[0])

    assert rows(record) == {}


def test_what_is_open_but_decided_about_is_open():
    record = mapped()
    world.synced(record, "a", vendor_verdict=1)

    note_open(MAY[0])

    assert rows(record) == {1: {"3": 1}}


def test_a_chart_has_every_day_and_begins_with_what_stood_before():
    record = mapped()
    found = world.synced(record, "a", "b", "c")
    note_open(MAY[1])
    close(found[0])
    note_open(MAY[4])
    close(*found)
    note_open(MAY[6])

    assert chart(1, 8, record_id=record) == [0, 3, 3, 3, 2, 2, 0, 0]
    assert chart(4, 6, record_id=record) == [3, 2, 2]
    assert chart(8, 9, record_id=record) == [0, 0]
    assert chart(2, 2, record_id=record) == [3]


def test_a_chart_adds_up_the_records_of_a_connection_and_of_a_product():
    burp, other = world.connection(), world.connection("Other")
    mine, too, elsewhere = mapped("a", burp), mapped("b", burp, "Web"), mapped("c", other)
    world.synced(mine, "1", severity_vendor=5)
    world.synced(too, "2", "3")
    note_open(MAY[0])
    world.synced(elsewhere, "4")
    note_open(MAY[1])
    shop = models.Product.objects.get(name="Shop").pk

    assert chart(1, 2, connection_id=burp.pk) == [3, 3]
    assert chart(1, 2, product_id=shop) == [1, 2]
    assert list(open_by_day(since=MAY[0], until=MAY[0], connection_id=burp.pk)[0].by_severity.items()) == [
        ("Critical", 1), ("High", 0), ("Medium", 2), ("Unknown", 0), ("Low", 0), ("Info", 0),
    ]  # fmt: skip


def test_a_chart_is_of_one_thing():
    with pytest.raises(ValueError, match="Name one of"):
        open_by_day(since=MAY[0], until=MAY[1])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.data())
def test_forgetting_old_days_changes_no_chart_of_kept_ones(data: some.DataObject):
    """Issue 4, 12: open counts are kept small and long. Break it: forget the last row before the first kept day."""
    record = mapped(connection=world.connection(str(models.Connection.objects.count())))
    for day in sorted(data.draw(some.sets(some.sampled_from(MAY), max_size=8), "days")):
        models.OpenDay.objects.create(record_id=record, day=day, open={"3": data.draw(some.integers(0, 3), "open")})
    first = data.draw(some.sampled_from(MAY), "first kept")
    before = open_by_day(since=first, until=MAY[-1], record_id=record)
    had = models.OpenDay.objects.filter(record_id=record, day__lt=first).count()

    forget_before(first)

    assert open_by_day(since=first, until=MAY[-1], record_id=record) == before
    left = models.OpenDay.objects.filter(record_id=record, day__lt=first)
    assert left.count() <= min(had, 1)
    assert not left.exists() or not models.OpenDay.objects.filter(record_id=record, day=first).exists()


def forget_before(first: date) -> None:
    """As retention does."""
    for _ in retention._open_days(datetime.combine(first, time(), tzinfo=UTC)):
        pass
