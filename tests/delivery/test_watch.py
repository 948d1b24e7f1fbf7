"""What the passing of time makes news: overdue, held too long, Stale, a digest of new Records, secrets that end."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database_connection
from django.db import connections, transaction

from tests import world
from tidegate.actions.product import delete_product
from tidegate.actions.record import map_records
from tidegate.delivery.watch import note_time
from tidegate.store.models import (
    Connection,
    DeliveredTest,
    Destination,
    Held,
    HeldAbsence,
    News,
    Operation,
    Record,
    Schedule,
)
from tidegate.store.writers.notification import note_ended

DAY = timedelta(days=1)


@pytest.fixture
def acme(database: object) -> Connection:
    return world.connection("Acme")


def news(*wanted: str) -> list[tuple[str, dict[str, Any]]]:
    return [(one.kind, one.facts) for one in News.objects.order_by("pk") if not wanted or one.kind in wanted]


def kinds() -> list[str]:
    return [kind for kind, _ in news()]


def later(by: timedelta) -> None:
    """All that was told was told so much earlier: the clock of the database cannot be moved."""
    for one in News.objects.all():
        News.objects.filter(pk=one.pk).update(at=one.at - by)


# Overdue


def overdue(of: Connection, type: str = "sync", by: timedelta = 2 * DAY) -> None:
    due = world.now() - by
    operation = world.operation(of, type, "success", ended_at=due - DAY)
    Operation.objects.filter(pk=operation.pk).update(requested_at=due - DAY, started_at=due - DAY)
    Schedule.objects.update_or_create(
        connection=of, type=type, defaults={"kind": "daily", "at": "02:00", "next_at": due, "changed_at": due - 9 * DAY}
    )


def test_a_connection_that_is_overdue_is_told_once(acme: Connection):
    overdue(acme)
    for _ in range(3):
        note_time(world.now())

    ((kind, facts),) = news()
    assert (kind, facts["types"]) == ("overdue", ["sync"])
    assert facts["why"]


def test_discover_and_sync_together_are_one_piece_of_news(acme: Connection):
    overdue(acme, "sync")
    overdue(acme, "discover")
    note_time(world.now())

    ((_, facts),) = news()
    assert facts["types"] == ["discover", "sync"]


def test_it_recovers_when_it_went_well_and_is_told_again_when_it_is_overdue_again(acme: Connection):
    overdue(acme)
    note_time(world.now())
    Schedule.objects.update(next_at=world.now() + DAY)
    note_time(world.now())
    assert kinds() == ["overdue"]  # another plan alone is no recovery

    well = world.operation(acme, "sync", "success", ended_at=world.now())
    note_time(world.now())
    note_time(world.now())
    assert kinds() == ["overdue", "recovered"]

    Operation.objects.filter(pk=well.pk).update(ended_at=world.now() - 4 * DAY, requested_at=world.now() - 4 * DAY)
    Schedule.objects.update(next_at=world.now() - 2 * DAY)
    note_time(world.now())
    assert kinds() == ["overdue", "recovered", "overdue"]


def test_that_nothing_comes_from_a_connection_that_needs_somebody_is_no_further_news(acme: Connection):
    overdue(acme)
    failed = world.operation(acme, "sync", "failed", cause="auth_rejected", ended_at=world.now()).pk
    note_ended(failed)
    note_time(world.now())

    assert kinds() == ["needs_you"]


def test_one_recovery_is_told_for_both(acme: Connection):
    overdue(acme)
    note_time(world.now())
    note_ended(world.operation(acme, "sync", "failed", cause="auth_rejected", ended_at=world.now()).pk)
    Schedule.objects.update(next_at=world.now() + DAY)

    note_ended(world.operation(acme, "sync", "success", ended_at=world.now()).pk)
    note_time(world.now())

    assert kinds() == ["overdue", "needs_you", "recovered"]
    assert news("recovered")[0][1]["of"] == ["needs_you", "overdue"]


# Secrets that end


def test_the_end_of_a_secret_is_told_14_and_3_days_before_and_on_its_day(acme: Connection):
    """Secrets with a known end warn 14, 3 and 0 days before."""
    ends = datetime.fromisoformat("2026-05-20T12:00:00+00:00")
    Connection.objects.update(secret_ends_at=ends, secret_ends_told_by="person")
    told = {}
    for day in range(30, -4, -1):
        for hour in (0, 12, 23):
            before = len(kinds())
            note_time(ends - day * DAY + timedelta(hours=hour - 12))
            if len(kinds()) > before:
                told[day, hour] = news()[-1][1]["days"]

    assert told == {(14, 0): 14, (3, 0): 3, (0, 0): 0}


def test_another_secret_begins_anew(acme: Connection):
    now = world.now()
    for days in (2, 10):
        Connection.objects.update(secret_ends_at=now + days * DAY)
        note_time(now)
        note_time(now)

    assert kinds() == ["secret_ends", "secret_ends"]


def test_of_a_deleted_connection_nothing_is_told(acme: Connection):
    overdue(acme)
    world.record(acme)
    Connection.objects.update(secret_ends_at=world.now(), deleted_at=world.now())

    assert note_time(world.now()) == 0


# New Records


def test_new_records_are_a_digest_once_a_day(acme: Connection):
    for name in ("shop", "blog"):
        world.record(acme, name)
    note_time(world.now())
    world.record(acme, "wiki")
    note_time(world.now())

    ((kind, facts),) = news()
    assert (kind, facts["new"], facts["waiting"], facts["names"]) == ("new_records", 2, 2, ["blog", "shop"])

    later(DAY)
    note_time(world.now())
    facts = news()[-1][1]
    assert (len(kinds()), facts["new"], facts["waiting"], facts["names"]) == (2, 1, 3, ["wiki"])


def test_where_nothing_is_new_there_is_no_digest_however_many_wait(acme: Connection):
    world.record(acme, "shop")
    note_time(world.now())
    later(5 * DAY)
    note_time(world.now())

    assert kinds() == ["new_records"]


def test_decided_absent_and_deleted_ones_are_not_waiting(acme: Connection):
    map_records(world.ALICE, [world.record(acme, "mapped")], new_product="P")
    world.record(acme, "gone", absent_since=world.now())
    world.record(acme, "deleted", deleted_at=world.now())
    note_time(world.now())

    assert kinds() == []


def test_a_digest_names_a_few_and_counts_the_others(acme: Connection):
    for number in range(12):
        world.record(acme, f"site {number:02}")
    note_time(world.now())

    facts = news()[0][1]
    assert (facts["new"], len(facts["names"]), facts["more"]) == (12, 5, 7)


# Stale


def stale(of: Connection, *names: str) -> list[int]:
    records = [world.record(of, name) for name in names]
    map_records(world.ALICE, records, new_product=f"Product of {names[0]}")
    product = world.read(records[0]).feed.test.engagement.product
    delete_product(world.ALICE, product.pk, product.name)
    return records


def test_records_that_became_stale_are_told_once_by_whomever_it_was_done(acme: Connection):
    """Product, Engagement or Test deleted, also by a cascade, in SQL: the next look of the tick notices."""
    records = stale(acme, "shop", "blog")
    note_time(world.now())
    note_time(world.now())

    ((kind, facts),) = news()
    assert (kind, facts["stale"], facts["names"], facts["ids"]) == ("records", 2, ["blog", "shop"], records)

    wiki = world.record(acme, "wiki")
    map_records(world.ALICE, [wiki], new_product="Wiki")
    with database_connection.cursor() as cursor:
        cursor.execute("DELETE FROM product WHERE name = 'Wiki'")
    note_time(world.now())
    assert news()[-1][1]["names"] == ["wiki"]
    assert len(kinds()) == 2


def test_what_was_deleted_in_defectdojo_is_told_once_as_well(acme: Connection):
    (gone,) = stale(acme, "shop")
    there = world.record(acme, "wiki")
    map_records(world.ALICE, [there], new_product="Wiki")
    dojo = Destination.objects.create(name="Dojo", secrets=b"", created_by="alice")
    test = world.read(there).feed.test
    DeliveredTest.objects.create(destination=dojo, test=test, lost="product", lost_at=world.now())
    note_time(world.now())
    note_time(world.now())

    ((_, facts),) = news()
    assert (facts["stale"], facts["away"], facts["ids"]) == (2, 1, [gone, there])


def test_a_record_that_is_stale_a_second_time_is_told_a_second_time(acme: Connection):
    (record,) = stale(acme, "shop")
    note_time(world.now())
    map_records(world.ALICE, [record], new_product="Again")
    product = world.read(record).feed.test.engagement.product
    delete_product(world.ALICE, product.pk, product.name)
    note_time(world.now())
    note_time(world.now())

    assert kinds() == ["records", "records"]


def test_a_deletion_that_began_before_the_look_and_ended_after_it_is_not_missed(acme: Connection):
    record = world.record(acme, "slow")
    map_records(world.ALICE, [record], new_product="Slow")
    begun, looked = threading.Event(), threading.Event()

    def delete_slowly() -> None:
        try:
            with transaction.atomic(), database_connection.cursor() as cursor:
                cursor.execute("SELECT now()")
                begun.set()
                looked.wait(60)
                cursor.execute("DELETE FROM product WHERE name = 'Slow'")
        finally:
            connections.close_all()

    thread = threading.Thread(target=delete_slowly)
    thread.start()
    begun.wait(60)
    stale(acme, "fast")
    note_time(world.now())
    looked.set()
    thread.join()
    note_time(world.now())

    assert [facts["names"] for _, facts in news()] == [["fast"], ["slow"]]


# Held


def test_people_are_reminded_after_7_days_while_something_waits(acme: Connection):
    """It never grows old into being applied; people are reminded after 7 days."""
    number = world.record(acme, "shop", decision="ignored", finalized_at=world.now())
    first = world.operation(acme, "discover", counts={"held": 1}, ended_at=world.now()).pk
    HeldAbsence.objects.create(record_id=number, connection=acme, since_operation_id=first, latest_operation_id=first)
    note_ended(first)
    note_time(world.now())
    later(6 * DAY)
    note_time(world.now())
    assert kinds() == ["held"]

    later(DAY)
    note_time(world.now())
    note_time(world.now())
    assert kinds() == ["held", "held"]
    assert (news()[1][1]["reminder"], news()[1][1]["absences"]) == (True, 1)

    later(7 * DAY)
    HeldAbsence.objects.all().delete()
    note_time(world.now())
    assert kinds() == ["held", "held"]


def test_findings_that_are_held_are_counted_in_the_reminder(acme: Connection):
    record = world.record(acme, "shop")
    map_records(world.ALICE, [record], new_product="Shop")
    findings = world.synced(record, "a", "b", "c")
    old = world.operation(acme, ended_at=world.now() - 8 * DAY).pk
    for finding, standing in zip(findings, (Held.HELD, Held.HELD, Held.KEPT_OPEN), strict=True):
        Held.objects.create(finding_id=finding, feed_id=world.read(record).feed_id, since_operation=old,
                            latest_operation=old, standing=standing)  # fmt: skip
    note_time(world.now())

    ((kind, facts),) = news()
    assert (kind, facts["findings"], facts["reminder"]) == ("held", 2, True)


# Together


def test_two_schedulers_tell_nothing_twice(acme: Connection):
    overdue(acme)
    world.record(acme, "new")
    stale(acme, "shop")
    Connection.objects.update(secret_ends_at=world.now() + DAY)
    gate = threading.Barrier(4)

    def look() -> None:
        try:
            gate.wait()
            note_time(world.now())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(kinds()) == ["new_records", "overdue", "records", "secret_ends"]


def test_a_look_at_a_thousand_connections_with_a_hundred_records_each_takes_a_moment(database: object):
    """The scheduler's tick stays under 1 s with 1,000 Connections."""
    Connection.objects.bulk_create(
        [Connection(tool="acme", label=f"Acme {n}", created_by="alice", settings={}) for n in range(1000)]
    )
    numbers = list(Connection.objects.values_list("pk", flat=True))
    Schedule.objects.bulk_create(
        [Schedule(connection_id=n, type=t, kind="daily", next_at=world.now() + DAY)
         for n in numbers for t in ("discover", "sync")]
    )  # fmt: skip
    with database_connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO record (connection_id, vendor_id, name, attributes, former_ids)"
            " SELECT connection.id, number::text, 'site ' || number, '{}', '{}'"
            " FROM connection CROSS JOIN generate_series(1, 100) AS number"
        )
        cursor.execute("ANALYZE")
    assert note_time(world.now()) == 1000
    assert Record.objects.count() == 100_000

    begun = world.now()
    assert note_time(world.now()) == 0

    assert world.now() - begun < timedelta(seconds=1)
