"""A finding belongs to a Feed that is there, and goes with it: no foreign key of its own says so, so these tests do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, connections, transaction

from tests import world
from tests.database import parameters
from tidegate.actions import record as records
from tidegate.server.postgres import Database
from tidegate.store.models import Decision, Feed, Finding, Held, Journal, Tally

pytestmark = pytest.mark.usefixtures("database")

NOWHERE = 999


def a_feed() -> int:
    record = world.record(world.connection())
    records.map_records(world.ALICE, [record], new_product="Shop")
    return Feed.objects.get(record_id=record).pk


def test_a_finding_of_no_feed_is_refused():
    """findings belong to a Feed"""
    with pytest.raises(IntegrityError), transaction.atomic():
        world.finding(NOWHERE)

    assert not Finding.objects.exists()


def test_a_finding_does_not_move_to_no_feed():
    finding = world.finding(a_feed())

    with pytest.raises(IntegrityError), transaction.atomic():
        Finding.objects.filter(pk=finding).update(feed_id=NOWHERE)

    assert Finding.objects.filter(pk=finding).exists()


def test_a_feed_takes_its_findings_and_all_that_hangs_on_them():
    feed, other = a_feed(), world.record(world.connection("Other"))
    records.map_records(world.ALICE, [other], new_product="Elsewhere")
    gone, stays = world.finding(feed), world.finding(Feed.objects.get(record_id=other).pk)
    for finding in (gone, stays):
        Journal.objects.create(finding_id=finding, actor="alice", kind="changed", before={})

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM product WHERE name = 'Shop'")

    assert set(Finding.objects.values_list("pk", flat=True)) == {stays}
    assert set(Journal.objects.values_list("finding_id", flat=True)) == {stays}
    assert not Tally.objects.filter(feed_id=feed).exists()
    assert not Held.objects.exists()
    assert not Decision.objects.exists()


@pytest.mark.parametrize("first", [True, False], ids=["the first of its kind", "one of many"])
def test_a_deletion_waits_for_whoever_is_importing_and_takes_that_too(database: Database, first: bool):
    """Both ways a row of tally can be met: made just now, or there already."""
    feed = a_feed()
    if not first:
        world.finding(feed, "k0")

    with transaction.atomic():
        world.finding(feed, "k1")
        deletion = beginning(lambda: in_plain_sql(database, "DELETE FROM feed WHERE id = %s", feed))
        wait_until_blocked(database, deletion)
    deletion.result(60)

    assert not Feed.objects.filter(pk=feed).exists()
    assert not Finding.objects.exists()


@pytest.mark.parametrize("first", [True, False], ids=["the first of its kind", "one of many"])
def test_an_import_waits_for_a_deletion_and_is_refused(database: Database, first: bool):
    feed = a_feed()
    if not first:
        world.finding(feed, "k0")

    with transaction.atomic():
        Feed.objects.filter(pk=feed).delete()
        import_ = beginning(lambda: of_another_process(lambda: world.finding(feed, "k1")))
        wait_until_blocked(database, import_)

    with pytest.raises(IntegrityError):
        import_.result(60)
    assert not Finding.objects.exists()


def beginning(work: Callable[[], Any]) -> Future[Any]:
    pool = ThreadPoolExecutor(1)
    begun = pool.submit(work)
    pool.shutdown(wait=False)
    return begun


def in_plain_sql(database: Database, statement: str, *values: object) -> None:
    with psycopg.connect(**parameters(database)) as administrator:  # pyright: ignore[reportArgumentType]
        administrator.execute(statement.encode(), values)


def of_another_process(work: Callable[[], Any]) -> Any:
    try:
        return work()
    finally:
        connections.close_all()


def wait_until_blocked(database: Database, begun: Future[Any]) -> None:
    """Until what was begun waits for a lock that is ours; where it ended instead, how it did is the error."""
    with psycopg.connect(**parameters(database), autocommit=True) as watcher:  # pyright: ignore[reportArgumentType]
        for _ in range(6000):
            waiting = watcher.execute(
                "SELECT count(*) FROM pg_stat_activity, pg_sleep(0.01)"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ).fetchone()
            if waiting and waiting[0]:
                return
            if begun.done():
                raise AssertionError(f"It waited for nothing: {begun.exception() or begun.result()!r}.")
    raise AssertionError("Nobody waits.")
