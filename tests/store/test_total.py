"""Totals grow with every Operation that ends, and with nothing else."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest
from django.db import connections, transaction

from tests import world
from tidegate.store.models import Operation, Total
from tidegate.store.writers.total import count_ended

pytestmark = pytest.mark.usefixtures("database")


def ended(of: Any, type: str = "sync", status: str = "success", **facts: Any) -> None:
    operation = world.operation(of, type, status, ended_at=world.now(), **facts)
    with transaction.atomic():
        count_ended(operation.pk)


def totals(name: str) -> dict[tuple[str, str], float]:
    rows = Total.objects.filter(name=name)
    return {(row.tool, row.word): row.number for row in rows}


def test_operations_are_counted_by_tool_type_and_end():
    burp, reports = world.connection(), world.connection("Reports", tool="report_folder")
    ended(burp)
    ended(burp)
    ended(burp, "discover", "failed")
    ended(reports, status="cancelled")

    assert totals("operations") == {
        ("burpsuite", "sync:success"): 2,
        ("burpsuite", "discover:failed"): 1,
        ("report_folder", "sync:cancelled"): 1,
    }


def test_changes_answers_and_seconds_are_added_up():
    burp = world.connection()
    for _ in range(2):
        ended(
            burp,
            counts={"seen": 9, "created": 3, "updated": 2, "closed": 1, "unchanged": 4, "quarantined": 5},
            calls={"200": 7, "429": 1, "timeout": 2},
            seconds={"vendor": 1.5, "queue": 0.25},
        )
    ended(burp, "discover", counts={"seen": 3, "new": 2, "quarantined": 1})

    assert totals("findings") == {
        ("burpsuite", "created"): 6,
        ("burpsuite", "updated"): 4,
        ("burpsuite", "closed"): 2,
    }
    assert totals("records") == {("burpsuite", "new"): 2}
    assert totals("calls") == {("burpsuite", "200"): 14, ("burpsuite", "429"): 2, ("burpsuite", "timeout"): 4}
    assert totals("seconds") == {("burpsuite", "vendor"): 3, ("burpsuite", "queue"): 0.5}
    assert totals("quarantined") == {("burpsuite", "sync"): 10, ("burpsuite", "discover"): 1}


def test_a_preview_changed_no_finding():
    ended(world.connection(), preview=True, counts={"created": 3})

    assert totals("findings") == {}
    assert totals("operations") == {}


def test_a_vendor_cannot_fill_the_table_with_statuses_of_its_own():
    ended(world.connection(), calls={str(status): 1 for status in range(600, 900)} | {"\n'; DROP": 1, "200": 1})

    assert totals("calls") == {("burpsuite", "other"): 301, ("burpsuite", "200"): 1}


def test_what_retention_deletes_stays_counted():
    """Issue 4, 11: metrics outlive the Operations that they count."""
    burp = world.connection()
    ended(burp, counts={"created": 3})
    Operation.objects.all().delete()
    ended(burp, counts={"created": 4})

    assert totals("findings") == {("burpsuite", "created"): 7}


def test_a_negative_number_takes_nothing_away():
    burp = world.connection()
    ended(burp, seconds={"queue": 2.0})
    ended(burp, seconds={"queue": -5.0})

    assert totals("seconds") == {("burpsuite", "queue"): 2}


def test_workers_that_end_operations_at_once_neither_deadlock_nor_lose_any():
    """Break it: ORDER BY random(), and two workers lock the same totals in two orders."""
    burp = world.connection()
    words = [str(status) for status in range(200, 230)]
    failed: list[BaseException] = []

    def work(turn: int) -> None:
        chance = random.Random(turn)
        try:
            for _ in range(20):
                ended(burp, counts={"created": 1}, calls=dict.fromkeys(chance.sample(words, 20), 1))
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(turn,)) for turn in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert totals("operations") == {("burpsuite", "sync:success"): 120}
    assert sum(totals("calls").values()) == 120 * 20
