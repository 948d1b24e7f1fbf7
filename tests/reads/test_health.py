"""How Connections are, as it is read from the database: the rules' facts, for one and for a thousand."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from tests import world
from tidegate.reads.connection import connections
from tidegate.reads.health import ConnectionHealth, health_of, in_state, overdue, secrets_ending
from tidegate.rules.cause import EVERYWHERE
from tidegate.store.models import Connection, Operation, Schedule
from tidegate.store.sql import sql

pytestmark = pytest.mark.usefixtures("database")

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def now(database: object) -> datetime:
    return world.now()


def daily(of: Connection, next_at: datetime, type: str = "sync", **facts: Any) -> None:
    values: dict[str, Any] = {"kind": "daily", "at": "02:00", "next_at": next_at, "changed_at": next_at - 90 * DAY}
    Schedule.objects.update_or_create(connection=of, type=type, defaults=values | facts)


def ran(of: Connection, status: str, at: datetime, **facts: Any) -> Operation:
    times: dict[str, Any] = {"requested_at": at, "trigger": "scheduled"}
    if status != "pending":
        times["started_at"] = at
    if status not in ("pending", "running"):
        times["ended_at"] = at + timedelta(minutes=9)
    return world.operation(of, facts.pop("type", "sync"), status, **{**times, **facts})


def health(of: Connection, now: datetime) -> ConnectionHealth:
    return health_of([of.pk], now)[of.pk]


def test_the_last_success_stands_beside_the_last_run(now: datetime):
    """Issue 4, 9: the last success beside the last run."""
    burp = world.connection()
    daily(burp, now + 20 * HOUR, retry_at=now + HOUR)
    well = ran(burp, "success", now - DAY)
    bad = ran(burp, "failed", now - HOUR / 2, cause="vendor_down", why="burp.example.org answered 503.")

    found = health(burp, now)

    assert found.sync.last_run is not None
    assert found.sync.last_success is not None
    assert (found.sync.last_run.id, found.sync.last_run.status) == (bad.pk, "failed")
    assert (found.sync.last_success.id, found.sync.last_success.ended_at) == (well.pk, well.ended_at)
    assert (found.state, found.sync.timing, found.sync.attention) == ("recovering", "on time", "recovering")
    assert (found.sync.next_run, found.sync.next_try) == (now + 20 * HOUR, now + HOUR)
    assert found.discover.timing == "off"


def test_what_failed_first_is_what_is_overdue_and_not_the_last_retry(now: datetime):
    burp = world.connection()
    daily(burp, now + 20 * HOUR)
    ran(burp, "success", now - 3 * DAY)
    first = ran(burp, "failed", now - 2 * DAY, cause="vendor_down")
    ran(burp, "failed", now - HOUR, cause="vendor_down")

    [row] = overdue(now)

    assert (row.connection_id, row.label, row.type, row.since) == (burp.pk, "Burp", "sync", first.requested_at)
    assert row.last_success == now - 3 * DAY + timedelta(minutes=9)
    assert health(burp, now).state == "overdue"


def test_what_a_person_cancelled_or_tried_by_hand_was_not_planned(now: datetime):
    burp = world.connection()
    daily(burp, now + 20 * HOUR)
    ran(burp, "success", now - 3 * DAY)
    ran(burp, "cancelled", now - 2 * DAY, cancelled_by="alice")
    ran(burp, "failed", now - 2 * DAY, trigger="manual", cause="vendor_down")

    assert overdue(now) == []


def test_a_scheduler_that_is_dead_is_seen_by_what_it_left_in_the_past(now: datetime):
    burp = world.connection()
    daily(burp, now - 2 * DAY)
    daily(burp, now - 2 * HOUR, "discover")

    assert [(row.type, row.last_success) for row in overdue(now)] == [("sync", None)]
    assert health(burp, now).discover.timing == "late"


def test_an_operation_that_no_worker_takes_is_seen_though_it_was_asked_for_by_hand(now: datetime):
    """A planned run joins one that waits; then no scheduled Operation is there to be seen."""
    burp = world.connection()
    daily(burp, now + HOUR)
    ran(burp, "pending", now - 2 * DAY, trigger="manual")

    assert [row.type for row in overdue(now)] == ["sync"]


def test_one_that_is_to_begin_later_is_not_late_before(now: datetime):
    burp = world.connection()
    daily(burp, now + DAY)
    ran(burp, "pending", now - 5 * HOUR, not_before=now - HOUR / 2)

    assert health(burp, now).sync.timing == "never ran"
    assert health(burp, now + HOUR).sync.timing == "late"


def test_a_preview_is_no_run(now: datetime):
    burp = world.connection()
    daily(burp, now + HOUR)
    ran(burp, "success", now - HOUR, preview=True)

    assert health(burp, now).sync.last_run is None


def test_a_sync_of_one_record_is_no_success_of_the_connection(now: datetime):
    burp = world.connection()
    daily(burp, now + HOUR)
    whole = ran(burp, "success", now - 2 * DAY)
    ran(burp, "success", now - HOUR, scope={"records": [1]}, trigger="manual")

    found = health(burp, now).sync

    assert found.last_success is not None
    assert found.last_success.id == whole.pk


@pytest.mark.parametrize(
    ("cause", "attention"), [("not_found", ""), ("auth_rejected", "needs you"), ("vendor_down", "recovering")]
)
def test_what_failed_for_one_record_is_the_connections_need_only_where_it_concerns_all(
    now: datetime, cause: str, attention: str
):
    burp = world.connection()
    daily(burp, now + HOUR)
    ran(burp, "success", now - DAY)
    ran(burp, "failed", now - HOUR, scope={"records": [1]}, trigger="manual", cause=cause)

    assert health(burp, now).sync.attention == attention


def test_a_deleted_connection_is_nobodys_worry(now: datetime):
    burp = world.connection(deleted_at=now)
    daily(burp, now - 9 * DAY)

    assert overdue(now) == []
    assert health_of(now=now) == {}


def test_secrets_that_end_are_told_with_the_step_that_is_reached(now: datetime):
    for label, days in (("far", 40), ("soon", 10), ("very soon", 2), ("over", -3)):
        world.connection(label, secret_ends_at=now + days * DAY, secret_ends_told_by="token")
    world.connection("unknown")

    found = secrets_ending(now)

    assert [(row.label, row.days, row.ended) for row in found] == [
        ("over", 0, True),
        ("soon", 14, False),
        ("very soon", 3, False),
    ]
    assert all(row.why and row.next_step for row in found)


def test_a_secret_that_is_over_needs_you_unless_it_still_lets_us_in(now: datetime):
    burp = world.connection(secret_ends_at=now - HOUR, secret_ends_told_by="person")
    daily(burp, now + HOUR)
    ran(burp, "success", now - DAY)

    assert health(burp, now).state == "needs you"
    assert health(burp, now).why.startswith("Its secret ended on ")

    ran(burp, "success", now - HOUR / 2)

    found = health(burp, now)
    assert found.state == "on time"
    assert found.secret is not None
    assert found.secret.warning


def test_connections_are_listed_by_how_they_are(now: datetime):
    well, sick = world.connection("well"), world.connection("sick")
    for one in (well, sick):
        daily(one, now + HOUR)
        ran(one, "success", now - DAY)
    ran(sick, "failed", now - HOUR, cause="auth_rejected", why="answered 401.")

    assert in_state("needs you", now) == [sick.pk]
    assert [row.label for row in connections(health="needs you").connections] == ["sick"]
    assert [row.label for row in connections(health="on time").connections] == ["well"]


# A thousand Connections


def a_thousand(now: datetime) -> None:
    """Each with two months of daily runs; every tenth fails since ten days, every fifth has never succeeded wholly."""
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO connection (tool, label, settings, created_by)"
            " SELECT 'burpsuite', 'Burp ' || n, '{}', 'alice' FROM generate_series(1, 1000) AS n"
        )
        cursor.execute(
            "INSERT INTO schedule (connection_id, type, kind, at, next_at, changed_at)"
            " SELECT connection.id, type, 'daily', '02:00', %(now)s + interval '5 hours', %(now)s - interval '90 days'"
            " FROM connection, unnest(ARRAY['discover', 'sync']) AS type",
            {"now": now},
        )
        cursor.execute(
            "INSERT INTO operation"
            " (type, connection_id, trigger, actor, status, cause, requested_at, started_at, ended_at)"
            " SELECT type, connection.id, 'scheduled', 'schedule', CASE WHEN connection.id %% 10 = 0 AND day <= 10"
            " THEN 'failed' WHEN connection.id %% 5 = 1 THEN 'partial' ELSE 'success' END,"
            " 'vendor_down', began, began, began + interval '9 minutes'"
            " FROM generate_series(60, 1, -1) AS day, connection, unnest(ARRAY['discover', 'sync']) AS type,"
            " LATERAL (SELECT %(now)s - make_interval(days => day, hours => -2)) AS at (began)",
            {"now": now},
        )
        cursor.execute("ANALYZE operation, connection, schedule")


def test_a_thousand_connections_are_told_in_one_question_without_reading_all_operations(now: datetime):
    """Set-based: the tick asks this again and again, and a list page stays within its 12 questions."""
    a_thousand(now)

    with CaptureQueriesContext(database) as asked:
        began = perf_counter()
        late = overdue(now)
        seconds = perf_counter() - began

    assert len(asked) == 1
    assert len(late) == 200
    assert {row.since for row in late} == {now - 10 * DAY + 2 * HOUR}
    assert seconds < 2, f"{seconds:.2f} s"  # measured: 0.15 s on two shared cores
    page = connections(limit=50)
    with CaptureQueriesContext(database) as asked:
        connections(limit=50, cursor=page.next)
    assert len(asked) <= 6


def test_no_operation_is_looked_for_without_the_index(now: datetime):
    a_thousand(now)

    for wanted in (None, list(Connection.objects.order_by("label").values_list("pk", flat=True)[:50])):
        with database.cursor() as cursor:
            parameters = {"connections": wanted, "everywhere": EVERYWHERE, "now": now}
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql('health_of_connections')}", parameters)
            (found,) = cursor.fetchone() or ("",)
        plan = found if isinstance(found, str) else json.dumps(found)

        assert "operation_latest" in plan
        scans = [node for node in nodes(json.loads(plan)[0]["Plan"]) if node.get("Relation Name") == "operation"]
        assert {node["Index Name"] for node in scans if "Index Name" in node} == {"operation_latest"}
        assert "Seq Scan" not in {node["Node Type"] for node in scans}


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for below in plan.get("Plans", []) for node in nodes(below))]
