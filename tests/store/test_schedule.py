"""What the scheduler's tick asks for: each due schedule once, whatever was missed, however many schedulers look."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests import world
from tests.world import ALICE
from tidegate.actions import connection as people
from tidegate.rules.schedule import DEFAULT_AT, Schedule, key_of, next_runs, turn
from tidegate.store import models
from tidegate.store.writers import schedule as writer
from tidegate.store.writers.connection import delete_connection, revive, save_new_connection
from tidegate.store.writers.operation import request_operation

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 11, 26, 18, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def scheduled(label: str = "Burp", type: Any = "sync", **facts: Any) -> models.Schedule:
    """A Connection that is synced daily at 02:00, and was due half an hour ago unless `facts` say otherwise."""
    made = {"kind": "daily", "at": "02:00", "next_at": NOW - HOUR / 2, **facts}
    return models.Schedule.objects.create(connection=world.connection(label), type=type, **made)


def again(schedule: models.Schedule) -> models.Schedule:
    return models.Schedule.objects.get(pk=schedule.pk)


def asked() -> list[tuple[str, str, str, str]]:
    rows = models.Operation.objects.order_by("id").values_list("connection__label", "type", "trigger", "actor")
    return list(rows)


def test_what_is_due_is_asked_for_once_and_planned_anew():
    schedule = scheduled()

    assert writer.request_due(NOW) == 1

    assert asked() == [("Burp", "sync", "scheduled", "schedule")]
    operation = models.Operation.objects.get()
    assert (operation.status, operation.scope, operation.preview) == ("pending", {}, False)
    key = key_of(schedule.connection_id, "sync")
    assert [again(schedule).next_at] == next_runs(Schedule("daily", at="02:00"), NOW, 1, key)
    assert writer.request_due(NOW) == 0
    assert len(asked()) == 1


def test_workers_are_told_in_the_same_transaction():
    scheduled()

    writer.request_due(NOW)

    with database.cursor() as cursor:
        cursor.execute("SELECT args ->> 'operation' FROM procrastinate_jobs")
        assert cursor.fetchall() == [(str(models.Operation.objects.get().pk),)]


def test_what_is_not_due_or_off_is_left_alone():
    later = scheduled("Later", next_at=NOW + HOUR)
    off = scheduled("Off", kind="off", next_at=None)
    switched_off = scheduled("Switched off", kind="off", retry_at=NOW - HOUR)

    assert writer.request_due(NOW) == 0

    assert [again(one).next_at for one in (later, off, switched_off)] == [NOW + HOUR, None, NOW - HOUR / 2]


@pytest.mark.parametrize("missed", [1, 100])
def test_runs_missed_while_the_service_was_down_are_made_up_once(missed: int):
    scheduled(next_at=NOW - missed * DAY)

    assert [writer.request_due(NOW), writer.request_due(NOW + timedelta(seconds=10))] == [1, 0]


def test_what_was_never_planned_is_planned_and_not_run():
    """Schedules that an upgrade made have no plan yet."""
    schedule = scheduled(next_at=None)

    assert writer.request_due(NOW) == 0
    planned = again(schedule).next_at
    assert planned is not None
    assert NOW < planned <= NOW + DAY
    assert writer.request_due(planned) == 1


def test_a_paused_connection_runs_nothing_and_makes_up_one_run_when_it_goes_on():
    """Paused Connections run nothing."""
    schedule = scheduled(retry_at=NOW - HOUR)
    people.pause_connection(ALICE, schedule.connection_id)

    assert [writer.request_due(NOW + n * DAY) for n in range(3)] == [0, 0, 0]
    people.resume_connection(ALICE, schedule.connection_id)
    assert [writer.request_due(NOW + 3 * DAY), writer.request_due(NOW + 3 * DAY)] == [1, 0]


def test_a_deleted_connection_has_no_schedules_and_a_continued_one_begins_anew(monkeypatch: pytest.MonkeyPatch):
    """Its Records, schedules and secrets go."""
    monkeypatch.setenv("TIDEGATE_TIME_ZONE", "Europe/Berlin")
    with transaction.atomic():
        connection = save_new_connection(ALICE, "burpsuite", {"label": "Burp"})

    def kept() -> dict[str, tuple[str, str, str, int]]:
        rows = models.Schedule.objects.filter(connection_id=connection)
        return {row.type: (row.kind, row.at, row.zone, row.spread_minutes) for row in rows}

    default = {type: ("daily", at, "Europe/Berlin", 60) for type, at in DEFAULT_AT.items()}
    assert kept() == default
    assert not models.Schedule.objects.filter(next_at=None).exists()

    with transaction.atomic():
        writer.save_schedule(ALICE, connection, "sync", Schedule("off"), NOW)
        delete_connection(ALICE, connection)
    assert kept() == {}

    with transaction.atomic():
        revive(connection, {"label": "Burp"})
    assert kept() == default


def test_a_due_run_joins_the_operation_that_waits_and_widens_its_scope():
    """A second request joins it and widens its scope."""
    schedule = scheduled()
    waiting = request_operation("sync", schedule.connection_id, actor="alice", records=[7], delay=60)

    assert writer.request_due(NOW) == 1

    operation = models.Operation.objects.get()
    assert (operation.pk, operation.scope, operation.actor, operation.trigger) == (waiting, {}, "alice", "manual")
    assert operation.not_before is None


def test_an_operation_that_runs_is_not_joined_and_the_next_one_waits_for_it():
    schedule = scheduled()
    world.operation(schedule.connection, status="running")

    assert writer.request_due(NOW) == 1
    assert sorted(models.Operation.objects.values_list("status", flat=True)) == ["pending", "running"]


def test_discover_and_sync_of_one_connection_are_two_operations():
    schedule = scheduled()
    models.Schedule.objects.create(
        connection_id=schedule.connection_id, type="discover", kind="hours", hours=6, next_at=NOW
    )

    assert writer.request_due(NOW) == 2
    assert [type for _, type, _, _ in asked()] == ["discover", "sync"]


def test_a_retry_runs_early_and_the_plan_stays():
    planned = next_runs(Schedule("daily", at="02:00"), NOW, 1, key_of(1, "sync"))[0]
    schedule = scheduled(next_at=planned)
    assert writer.plan_retry(schedule.connection_id, "sync", NOW + HOUR, 2)

    assert writer.request_due(NOW) == 0
    assert writer.request_due(NOW + HOUR) == 1

    assert (again(schedule).next_at, again(schedule).retry_at, again(schedule).retries) == (planned, None, 2)
    writer.forget_retries(schedule.connection_id, "sync")
    assert again(schedule).retries == 0


def test_a_regular_run_makes_an_earlier_try_needless():
    schedule = scheduled(retry_at=NOW + HOUR, retries=1)

    writer.request_due(NOW)

    assert (again(schedule).retry_at, again(schedule).retries) == (None, 1)


def test_nothing_is_tried_again_by_itself_where_nothing_runs_by_itself():
    off = scheduled(kind="off")

    assert not writer.plan_retry(off.connection_id, "sync", NOW, 1)
    assert not writer.plan_retry(off.connection_id, "discover", NOW, 1)
    assert again(off).retry_at is None


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("daily", {}),
        ("hours", {"hours": 1}),
        ("hours", {"hours": 24}),
        ("weekly", {"weekday": 3}),
        ("cron", {"cron": "0 2 * * *"}),
    ],
)
def test_what_a_jumped_clock_planned_is_planned_anew_once_the_clock_is_right(kind: str, facts: dict[str, Any]):
    """A clock that jumps."""
    schedule = scheduled(kind=kind, **facts)
    assert writer.request_due(NOW + 40 * DAY) == 1

    assert writer.request_due(NOW) == 0

    chosen: Any = kind
    key = key_of(schedule.connection_id, "sync")
    assert [again(schedule).next_at] == next_runs(Schedule(chosen, at="02:00", **facts), NOW, 1, key)


@given(
    st.sampled_from(["daily", "hours", "weekly", "cron", "off"]),
    st.none() | st.integers(-5_000, 60_000),
    st.none() | st.integers(-5_000, 60_000),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_statement_lets_nothing_out_that_the_rule_would_run_or_plan(
    kind: Any, next_minutes: int | None, retry_minutes: int | None
):
    """SQL chooses which schedules are looked at, the rule what becomes of them."""
    at = [None if minutes is None else NOW + timedelta(minutes=minutes) for minutes in (next_minutes, retry_minutes)]
    chosen = {"at": "02:00", "hours": 6, "weekday": 2, "cron": "30 2 * * *", "zone": "Antarctica/Troll"}
    world_of_one = scheduled(kind=kind, next_at=at[0], retry_at=at[1], **chosen)
    wanted = turn(Schedule(kind, **chosen), key_of(world_of_one.connection_id, "sync"), at[0], at[1], NOW)

    try:
        assert writer.request_due(NOW) == wanted.run
        left_ahead = at[0] is not None and kind != "off" and not wanted.run and again(world_of_one).next_at == at[0]
        bound = timedelta(days=32) if kind == "cron" else timedelta(hours={"daily": 27, "weekly": 171}.get(kind, 6))
        if left_ahead and at[0] is not None:
            assert at[0] <= NOW + bound
        elif kind != "off":
            assert again(world_of_one).next_at == wanted.next_at
    finally:
        models.Operation.objects.all().delete()
        models.Schedule.objects.all().delete()
        models.Connection.objects.all().delete()


@pytest.mark.parametrize("broken", [{"zone": "Mars/Olympus"}, {"kind": "cron", "cron": "no"}, {"at": "25:00"}])
def test_a_schedule_that_cannot_be_kept_stops_no_other_and_is_not_silent(broken: dict[str, Any]):
    """No error is swallowed: it runs once a day, and each time says why."""
    schedule = scheduled("Broken", **broken)
    scheduled("Sound")

    with capture_logs() as said:
        assert writer.request_due(NOW) == 2

    assert again(schedule).next_at == NOW + DAY
    (line,) = said
    assert (line["event"], line["log_level"], line["connection"]) == (
        "schedule_unusable",
        "error",
        schedule.connection_id,
    )
    assert writer.request_due(NOW) == 0


def at_once(*works: Callable[[], Any]) -> list[Any]:
    gate = threading.Barrier(len(works))

    def alone(work: Callable[[], Any]) -> Any:
        try:
            gate.wait(60)
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(alone, works))


def many(n: int) -> None:
    made = models.Connection.objects.bulk_create(
        [models.Connection(tool="burpsuite", label=f"Burp {i}", created_by="alice") for i in range(n)]
    )
    models.Schedule.objects.bulk_create(
        [
            models.Schedule(connection=one, type="sync", kind="daily", at="02:00", zone="Europe/Berlin", next_at=NOW)
            for one in made
        ]
    )


def test_two_schedulers_double_nothing():
    """Two schedulers do not double anything."""
    many(100)

    counts = at_once(*(lambda: writer.request_due(NOW) for _ in range(4)))

    assert sum(counts) == 100
    assert models.Operation.objects.count() == 100


def test_what_one_scheduler_holds_another_leaves_to_it():
    """A scheduler that hangs, or is killed, half-way keeps no other from what it does not hold, and loses nothing."""
    scheduled("First")
    with transaction.atomic():
        assert writer.request_due(NOW) == 1
        scheduled_meanwhile = at_once(lambda: (scheduled("Second").pk, writer.request_due(NOW))[1])
        transaction.set_rollback(True)

    assert scheduled_meanwhile == [1]
    assert writer.request_due(NOW) == 1
    assert sorted(label for label, *_ in asked()) == ["First", "Second"]


@pytest.mark.parametrize(
    "let_go",
    [
        lambda connection: people.pause_connection(ALICE, connection),
        lambda connection: people.delete_connection(ALICE, connection, "Burp"),
    ],
)
def test_a_connection_that_is_just_being_paused_or_deleted_is_not_asked_behind_its_back(let_go: Callable[[int], None]):
    schedule = scheduled()
    with transaction.atomic():
        let_go(schedule.connection_id)
        assert at_once(lambda: writer.request_due(NOW)) == [0]

    assert writer.request_due(NOW) == 0
    assert asked() == []


def test_a_thousand_due_connections_take_well_under_a_second():
    """The scheduler's tick stays under 1 s."""
    many(1000)

    def took() -> float:
        models.Operation.objects.all().delete()
        models.Schedule.objects.update(next_at=NOW)
        begin = time.perf_counter()
        assert writer.request_due(NOW) == 1000
        return time.perf_counter() - begin

    assert min(took() for _ in range(3)) < 1
    assert models.Schedule.objects.filter(next_at__gt=NOW).count() == 1000


def test_a_tick_with_nothing_due_writes_nothing():
    many(10)
    models.Schedule.objects.update(next_at=NOW + HOUR)
    rows = list(models.Schedule.objects.extra(select={"xmin": "xmin::text"}).values("id", "xmin"))

    assert writer.request_due(NOW) == 0

    assert list(models.Schedule.objects.extra(select={"xmin": "xmin::text"}).values("id", "xmin")) == rows
