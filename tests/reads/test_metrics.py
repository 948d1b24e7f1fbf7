"""What Prometheus reads is what is there: counted from totals and tallies, quickly, whatever things are called."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from tests import world
from tests.world import ALICE
from tidegate.actions.record import map_records
from tidegate.reads import metrics
from tidegate.store import models
from tidegate.store.writers.total import count_ended

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def nothing_is_slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A busy machine must not make a test read what was counted before."""
    monkeypatch.setattr(metrics, "QUICK_SECONDS", 3600)
    metrics.forget()
    yield
    metrics.forget()


def scraped() -> dict[str, dict[tuple[str, ...], float]]:
    """Metric → its label values, by the labels' names in order → value; parsed as Prometheus would."""
    text, kind = metrics.exposition()
    assert kind.startswith("text/plain")
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = tuple(sample.labels[name] for name in sorted(sample.labels))
            assert labels not in found.setdefault(sample.name, {}), f"{sample.name}{labels} stands there twice"
            found[sample.name][labels] = sample.value
    return found


def ago(**time: float) -> Any:
    return world.now() - timedelta(**time)


def test_an_empty_house_is_all_there_and_nothing_in_it():
    found = scraped()

    assert found["tidegate_workers"] == {(): 0}
    assert found["tidegate_scheduler_up"] == {(): 0}
    assert found["tidegate_queue_oldest_wait_seconds"] == {(): 0}
    assert found["tidegate_build_info"]
    assert set(found["tidegate_open_findings"].values()) == {0}


def test_the_age_of_the_last_success_counts_what_went_well_for_everything():
    burp = world.connection()
    world.operation(burp, ended_at=ago(hours=50))
    world.operation(burp, status="partial", ended_at=ago(hours=5))
    world.operation(burp, ended_at=ago(hours=4), preview=True)
    world.operation(burp, ended_at=ago(hours=3), scope={"records": [1]})
    world.operation(burp, status="failed", ended_at=ago(hours=1))
    world.operation(burp, "discover", ended_at=ago(hours=2))

    ages = scraped()["tidegate_last_success_age_seconds"]

    assert {labels: round(age / 3600) for labels, age in ages.items()} == {
        ("Burp", "burpsuite", "discover"): 2,
        ("Burp", "burpsuite", "sync"): 5,
    }


def test_a_connection_that_never_ran_ages_from_when_it_was_made():
    """Or an alert on the age would never hear of it."""
    burp = world.connection()
    models.Connection.objects.filter(pk=burp.pk).update(created_at=ago(days=3))

    ages = scraped()["tidegate_last_success_age_seconds"]

    assert {round(age / 86400) for age in ages.values()} == {3}


def test_a_paused_connection_says_so_and_a_deleted_one_is_gone():
    world.connection("Paused", paused_at=world.now())
    world.connection("Runs")
    world.connection("Gone", deleted_at=world.now())

    assert scraped()["tidegate_connection_paused"] == {("Paused", "burpsuite"): 1, ("Runs", "burpsuite"): 0}


def test_overdue_is_what_health_says():
    burp = world.connection()
    models.Schedule.objects.create(connection=burp, type="sync", kind="daily", at="02:00", changed_at=ago(days=9))
    world.operation(burp, ended_at=ago(days=4))
    world.operation(burp, status="failed", trigger="scheduled", requested_at=ago(days=3), ended_at=ago(days=3))

    found = scraped()["tidegate_overdue_seconds"]

    assert {labels: round(seconds / 86400) for labels, seconds in found.items()} == {("Burp", "sync"): 3}


def test_the_queue_tells_apart_what_waits_for_whom():
    """An Operation that waits for another of its Connection, or for its time, needs no further worker."""
    busy, idle, resting = (world.connection(label) for label in ("busy", "idle", "resting"))
    world.operation(busy, status="running", requested_at=ago(hours=9))
    world.operation(busy, status="pending", requested_at=ago(hours=8))
    world.operation(idle, status="pending", requested_at=ago(hours=2))
    world.operation(idle, "discover", status="pending", requested_at=ago(hours=7), not_before=ago(hours=1))
    world.operation(resting, status="pending", requested_at=ago(hours=6), not_before=world.now() + timedelta(hours=1))

    found = scraped()

    assert found["tidegate_queue_operations"] == {("running",): 1, ("waiting",): 2, ("behind",): 1, ("later",): 1}
    assert found["tidegate_queue_oldest_wait_seconds"][()] == pytest.approx(7200, abs=60)


def test_totals_are_counters_and_known_ends_begin_at_nought():
    burp = world.connection()
    for status in ("success", "failed"):
        operation = world.operation(burp, status=status, counts={"created": 3}, calls={"429": 2}, seconds={"rate": 4.5})
        with transaction.atomic():
            count_ended(operation.pk)

    found = scraped()

    ended = found["tidegate_operations_total"]
    assert {labels: n for labels, n in ended.items() if n} == {
        ("success", "burpsuite", "sync"): 1,
        ("failed", "burpsuite", "sync"): 1,
    }
    assert ended["cancelled", "burpsuite", "discover"] == 0
    assert found["tidegate_findings_total"] == {("created", "burpsuite"): 6}
    assert found["tidegate_vendor_calls_total"] == {("429", "burpsuite"): 4}
    assert found["tidegate_operation_seconds_total"] == {("burpsuite", "rate"): 9}


def test_what_is_held_is_told_by_connection_with_its_age():
    burp = world.connection()
    world.connection("Quiet")
    number = world.record(burp)
    map_records(ALICE, [number], new_product="Shop")
    found = world.synced(number, "a", "b", "c")
    since = world.operation(burp, ended_at=ago(days=8))
    feed = world.of(found[0]).feed
    for finding, standing in zip(found, ("held", "held", "kept open"), strict=True):
        models.Held.objects.create(
            finding_id=finding, feed=feed, since_operation=since.pk, latest_operation=since.pk, standing=standing
        )
    absent = world.record(burp, "absent")
    models.HeldAbsence.objects.create(record_id=absent, connection=burp, since_operation=since, latest_operation=since)

    told = scraped()

    assert told["tidegate_held_findings"] == {("Burp", "burpsuite"): 2}
    assert told["tidegate_held_absences"] == {("Burp", "burpsuite"): 1}
    assert round(told["tidegate_held_age_seconds"]["Burp", "burpsuite"] / 86400) == 8


def test_open_findings_come_from_the_tally_by_severity():
    number = world.record(world.connection())
    map_records(ALICE, [number], new_product="Shop")
    world.synced(number, "a", "b", severity_vendor=5)
    world.synced(number, "c", severity_vendor=5, vendor_verdict=1)
    world.synced(number, "d", severity_vendor=3, open=False, closed_because="gone")

    told = scraped()["tidegate_open_findings"]

    assert {labels: n for labels, n in told.items() if n} == {("true", "Critical"): 2, ("false", "Critical"): 1}


def test_workers_scheduler_and_routes_are_seen():
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()), (now() - interval '1 hour')")
        cursor.execute("SELECT pg_advisory_lock(hashtext('tidegate.scheduler'))")
    for name, failing, off in (("mail", ago(hours=1), None), ("chat", None, None), ("old", ago(hours=1), ago(hours=1))):
        models.Route.objects.create(
            name=name, address=b"", shown="x", created_by="alice", failing_since=failing, off_at=off
        )

    try:
        told = scraped()
    finally:
        with database.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_workers")
            cursor.execute("SELECT pg_advisory_unlock(hashtext('tidegate.scheduler'))")

    assert (told["tidegate_workers"], told["tidegate_scheduler_up"]) == ({(): 1}, {(): 1})
    assert told["tidegate_route_failing"] == {("mail",): 1, ("chat",): 0}


HOSTILE = ['a"} 1\ntidegate_workers 99\n#', "back\\slash\\n", "line\nbreak", "käse 🧀", "{}", "\u2028", 'quote"d', " "]


@pytest.mark.parametrize("label", HOSTILE)
def test_a_label_is_a_label_whatever_somebody_typed(label: str):
    """Break it: build the text by hand, and a label adds metrics of its own."""
    world.connection(label)

    told = scraped()

    assert told["tidegate_connection_paused"] == {(label, "burpsuite"): 0}
    assert told["tidegate_workers"] == {(): 0}


def test_a_scrape_asks_the_same_few_questions_however_much_there_is():
    with CaptureQueriesContext(database) as few:
        scraped()
    for number in range(30):
        burp = world.connection(f"Burp {number}")
        world.operation(burp, ended_at=world.now())
        world.record(burp)
    with CaptureQueriesContext(database) as many:
        scraped()

    assert len(few) == len(many) <= 12
    assert not any('FROM "finding"' in query["sql"] or "FROM finding" in query["sql"] for query in many)


def test_what_is_slow_to_count_is_kept_for_a_while(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(metrics, "QUICK_SECONDS", -1)
    number = world.record(world.connection())
    map_records(ALICE, [number], new_product="Shop")
    assert scraped()["tidegate_open_findings"]["true", "Critical"] == 0

    world.synced(number, "a", severity_vendor=5)

    assert scraped()["tidegate_open_findings"]["true", "Critical"] == 0
    metrics.forget()
    assert scraped()["tidegate_open_findings"]["true", "Critical"] == 1


def test_names_follow_prometheus_conventions():
    for family in text_string_to_metric_families(metrics.exposition()[0].decode()):
        assert family.name.startswith("tidegate_")
        assert family.documentation.endswith(".")
        if family.type == "counter":
            assert all(sample.name.endswith("_total") for sample in family.samples)
        elif family.type == "gauge":
            assert not family.name.endswith("_total")
