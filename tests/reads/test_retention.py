"""Retention at a glance: the policy in force, how much there is, and how much is older."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection as database

from tests import world
from tests.world import ALICE
from tidegate.actions.record import map_records
from tidegate.config import Settings
from tidegate.reads import retention
from tidegate.reads.retention import KeptRow, retained
from tidegate.rules.retention import KEPT
from tidegate.store import models
from tidegate.store.writers.retention import limits, retain

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def keeping(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, keep_logs_days=5)


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tables are small, though what other tests stored and took back has left its pages in this database."""
    monkeypatch.setattr(retention, "COUNTED", 2**50)


def rows(keeping: Settings) -> dict[str, KeptRow]:
    return {row.name: row for row in retained(settings=keeping).kept}


def lines(number: int, days: float) -> None:
    operation = world.operation(world.connection(f"Burp {days}"), status="success")
    at = world.now() - timedelta(days=days)
    models.LogLine.objects.bulk_create(
        models.LogLine(operation_id=operation.pk, n=n, at=at, level="info", text="x" * 100) for n in range(number)
    )


def test_each_kind_says_its_days_and_who_sets_them(keeping: Settings):
    found = rows(keeping)

    assert (found["log_lines"].days, found["log_lines"].setting) == (5, "TIDEGATE_KEEP_LOGS_DAYS")
    assert (found["previews"].days, found["previews"].setting) == (1, "")
    assert (found["journal"].days, found["journal"].for_ever) == (
        730, "why a finding is closed, and what can still be undone",
    )  # fmt: skip


def test_every_kind_that_goes_is_told_and_every_one_that_is_told_goes(keeping: Settings):
    """Break it: leave one out of rules/retention.py."""
    found = rows(keeping)

    assert found.keys() == KEPT.keys() == limits(world.now(), keeping).keys() == retain(world.now(), keeping).keys()
    settings = {kept.setting for kept in KEPT.values()} - {None}
    assert settings == {name for name in Settings.model_fields if name.startswith("keep_")}


@pytest.mark.usefixtures("little")
def test_what_is_older_is_counted_where_it_is_little(keeping: Settings):
    lines(3, days=6)
    lines(4, days=4)

    found = rows(keeping)["log_lines"]

    assert found.old == 3
    assert found.bytes
    assert found.bytes > 0


def test_what_is_older_is_estimated_where_it_is_much(keeping: Settings, monkeypatch: pytest.MonkeyPatch):
    """A count of millions takes seconds; the planner knows about how many. Break it: count always."""
    monkeypatch.setattr(retention, "COUNTED", 0)
    lines(2000, days=6)
    lines(1000, days=4)
    with database.cursor() as cursor:
        cursor.execute("ANALYZE log_line")
        cursor.execute("DELETE FROM log_line WHERE n < 500")

    found = rows(keeping)["log_lines"]

    assert 1900 < found.old < 2100
    assert found.rows == 3000


@pytest.mark.usefixtures("little")
def test_what_was_passed_is_no_longer_called_older(keeping: Settings):
    """What stays for ever would else be offered to go each time."""
    record = world.record(world.connection())
    map_records(ALICE, [record], new_product="Shop")
    [number] = world.synced(record, "a", open=False, closed_because="gone")
    at = world.now() - timedelta(days=800)
    models.Journal.objects.create(finding_id=number, actor="alice", kind="closed", at=at, before={"open": True})
    assert rows(keeping)["journal"].old == 1

    retain(world.now(), keeping)

    assert models.Journal.objects.count() == 1
    assert rows(keeping)["journal"].old == 0
