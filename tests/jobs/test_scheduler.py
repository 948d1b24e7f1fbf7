"""The scheduler: one keeps the time, does what is due, and lets no duty keep another from being done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from tests.ingest.scene import ALICE, Scene, in_another_thread
from tests.ingest.test_run import wait_for
from tidegate.actions.finding import decide_finding
from tidegate.config import load_settings
from tidegate.jobs import scheduler
from tidegate.jobs.crew import OldWorker
from tidegate.jobs.scheduler import Duty, chores, duties, keep_time, tick
from tidegate.store import clock
from tidegate.store.clock import being_the_scheduler, newer_migration
from tidegate.store.models import Finding, Operation, Schedule
from tidegate.store.writers.schedule import save_default_schedules

PACES = {"seldom": 3600, "often": 0}


def counting(ticks: list[int]) -> Callable[[], list[Duty]]:
    """One duty, which says in which thread it was done."""
    return lambda: [Duty("count", 0, lambda now: ticks.append(threading.get_ident()))]


def keeping_time(stop: threading.Event, ready: Callable[[], None] = lambda: None) -> threading.Thread:
    thread = threading.Thread(target=lambda: in_another_thread(lambda: keep_time(load_settings(), stop, ready)))
    thread.start()
    return thread


def test_what_is_due_is_asked_for_and_offered(scene: Scene):
    """Issue 4: Discover and Sync daily without anyone looking."""
    save_default_schedules(scene.connection_id)
    Schedule.objects.update(next_at=Now() - timedelta(minutes=1))

    tick(duties())

    asked = Operation.objects.order_by("type").values_list("type", "trigger", "actor", "status")
    assert list(asked) == [
        ("discover", "scheduled", "schedule", "pending"),
        ("sync", "scheduled", "schedule", "pending"),
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs")
        assert cursor.fetchall() == [(2,)]


def test_the_tick_ends_acceptances_on_their_date(scene: Scene):
    """Issue 4: the tick also ends acceptances on their date."""
    from tests.acme import rows

    scene.mapped(shop=rows("a"))
    scene.sync()
    finding = scene.findings()["a"].pk
    decide_finding(ALICE, finding, verdict="accepted", until=datetime.now().astimezone() + timedelta(days=1))
    assert not Finding.objects.get().active
    with connection.cursor() as cursor:
        cursor.execute("UPDATE decision SET until = now() - interval '1 second'")

    tick(duties())

    assert Finding.objects.get().active


def test_a_duty_that_fails_keeps_no_other_from_being_done(scene: Scene):
    done: list[str] = []

    def fails(now: datetime) -> None:
        raise RuntimeError("a bug")

    tick([Duty("bad", 5, fails), Duty("good", 5, lambda now: done.append("good"))])

    assert done == ["good"]


def test_a_duty_is_done_at_its_own_pace(scene: Scene):
    done: list[str] = []
    planned = [
        Duty("seldom", 3600, lambda now: done.append("seldom")),
        Duty("often", 0, lambda now: done.append("often")),
    ]

    for _ in range(3):
        tick(planned)

    assert done == ["seldom", "often", "often", "often"]


def test_every_duty_and_chore_can_be_done_on_an_empty_database(scene: Scene):
    tick([*duties(), *chores()])


def test_one_keeps_the_time_and_the_next_takes_its_place(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    """Issue 4: two schedulers do not double anything."""
    monkeypatch.setattr(scheduler, "TICK_SECONDS", 0.05)
    ticks: list[int] = []
    monkeypatch.setattr(
        scheduler, "duties", lambda: [Duty("count", 0, lambda now: ticks.append(threading.get_ident()))]
    )
    first, second = threading.Event(), threading.Event()
    ready = threading.Event()

    one = keeping_time(first)
    wait_for(lambda: ticks)
    other = keeping_time(second, ready.set)
    assert ready.wait(60)
    wait_for(lambda: len(ticks) > 5)
    assert len(set(ticks)) == 1

    first.set()
    one.join(60)
    wait_for(lambda: len(set(ticks)) == 2)

    second.set()
    other.join(60)
    assert [thread.is_alive() for thread in (one, other)] == [False, False]


def test_a_scheduler_whose_database_connection_is_cut_keeps_the_time_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(scheduler, "TICK_SECONDS", 0.05)
    ticks: list[int] = []
    monkeypatch.setattr(scheduler, "duties", counting(ticks))
    stop = threading.Event()
    thread = keeping_time(stop)
    wait_for(lambda: ticks)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    before = len(ticks)
    wait_for(lambda: len(ticks) > before + 3)

    stop.set()
    thread.join(60)
    assert not thread.is_alive()


def test_a_scheduler_beside_a_newer_schema_stops_and_says_so(scene: Scene):
    """promises.md, process faults: an old worker beside a migrated schema stops taking work and says so."""
    assert newer_migration() == ""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '9999_from_the_future', now())"
        )
    try:
        with pytest.raises(OldWorker, match="9999_from_the_future"):
            keep_time(load_settings(), threading.Event(), lambda: None)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE name = '9999_from_the_future'")


def test_the_right_to_keep_the_time_is_one_sessions_at_a_time(scene: Scene):
    held: list[bool] = []

    def another() -> None:
        with being_the_scheduler() as ours:
            held.append(ours)

    with being_the_scheduler() as ours:
        assert ours
        in_another_thread(another)
    in_another_thread(another)

    assert held == [False, True]


def test_a_frozen_scheduler_loses_its_place(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    """promises.md, SIGSTOP: the server ends the session of one that asks nothing any more."""
    monkeypatch.setattr(clock, "FROZEN_AFTER", "300ms")
    held, woken = threading.Event(), threading.Event()

    def frozen() -> None:
        with being_the_scheduler() as ours:
            assert ours
            held.set()
            woken.wait(60)

    thread = threading.Thread(target=lambda: in_another_thread(frozen))
    thread.start()
    assert held.wait(60)

    def another_has_it() -> bool:
        with being_the_scheduler() as ours:
            return ours

    wait_for(another_has_it)
    woken.set()
    thread.join(60)
    assert not thread.is_alive()
