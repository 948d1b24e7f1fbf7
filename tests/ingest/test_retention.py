"""An Operation goes only where nothing names it: random histories, compared with a search through every table.

Issue 4, 12: an Operation that a finding, journal line or proof names stays as a row of facts.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from django.db import connection as database

from tests.acme import World, many, row
from tests.ingest.scene import ALICE, Scene, meanwhile
from tests.world import now
from tidegate.actions import finding, operation, record
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.product import delete_product
from tidegate.config import Settings
from tidegate.store.models import Finding, Journal, LogLine, Mark, Operation, Product, Record, Result
from tidegate.store.writers.retention import retain

PERISHABLE = ("difference", "lease", "log_line", "quarantine", "outbox", "result")
"""What belongs to an Operation, or only wants to say what it was about."""

HARMLESS = {"seen", "unchanged", "repeated", "quarantined", "skipped", "below", "kept_open", "records"}


def named() -> set[int]:
    """Every Operation that any column of any table names, found by brute force; journals say some in their JSON."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type = 'bigint' AND column_name LIKE '%operation%'"
        )
        columns = [(table, column) for table, column in cursor.fetchall() if table not in PERISHABLE]
        assert len(columns) >= 12
        found: set[int] = set()
        for table, column in columns:
            cursor.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL")
            found |= {number for (number,) in cursor.fetchall()}
        cursor.execute("SELECT DISTINCT (before ->> 'closed_operation')::bigint FROM journal")
        return found | {number for (number,) in cursor.fetchall() if number is not None}


def telling() -> set[int]:
    """For each type: the latest, the latest that went well (in part, or wholly), the latest complete one."""
    found: set[int | None] = set()
    for type in ("discover", "sync"):
        ended = Operation.objects.filter(type=type, preview=False).order_by("-pk")
        whole = [one for one in ended if "records" not in one.scope]
        found |= {next((one.pk for one in ended), None)}
        for ends in (("success",), ("success", "partial"), ("success", "partial", "failed")):
            found |= {next((one.pk for one in whole if one.status in ends), None)}
        found |= {next((one.pk for one in whole if one.complete), None)}
        # One of a selection stays until one of everything went as well.
        rank = ("cancelled", "failed", "partial", "success").index
        best = {one.pk: max([-1, *(rank(later.status) for later in whole if later.pk > one.pk)]) for one in ended}
        found |= {one.pk for one in ended if "records" in one.scope and best[one.pk] < rank(one.status)}
    return {number for number in found if number is not None}


def latest_results() -> set[int]:
    results = Result.objects.filter(family="", operation__type="sync", operation__preview=False)
    return set(
        results.order_by("record_id", "-operation_id").distinct("record_id").values_list("operation_id", flat=True)
    )


def grow_old(days: int) -> None:
    """Everything that is there happened so many days earlier."""
    back = timedelta(days=days)
    for one in Operation.objects.all():
        Operation.objects.filter(pk=one.pk).update(
            requested_at=one.requested_at - back, ended_at=one.ended_at and one.ended_at - back
        )
    with database.cursor() as cursor:
        cursor.execute("UPDATE log_line SET at = at - make_interval(days => %s)", [days])
    Mark.objects.all().delete()  # the month has come in which all is looked at again


class Life:
    """What a vendor, people and faults do to one Connection, one step after the other, by chance."""

    def __init__(self, scene: Scene, chance: random.Random) -> None:
        self.scene, self.world, self.chance = scene, scene.world, chance
        self.steps: list[Callable[[], Any]] = [
            self.sync, self.sync, self.sync, self.sync, self.quiet_syncs, self.discover, self.edit, self.edit,
            self.find, self.lose, self.lose_most, self.come_and_go, self.fail, self.die, self.decide, self.settle,
            self.remap, self.undo, self.delete_product, self.newer_connector, self.cancel_after_reading,
        ]  # fmt: skip

    def live(self, steps: int) -> None:
        for _ in range(steps):
            with suppress(NotThere, Refused):  # not now: there is nothing to decide, or the Record is Stale
                self.chance.choice(self.steps)()

    def issues(self) -> dict[str, Any]:
        return self.world.issues(self.chance.choice(sorted(self.world.products)))

    def sync(self) -> None:
        keys = [
            one.vendor_id for one in Record.objects.filter(decision="mapped", absent_since=None, feed__isnull=False)
        ]
        self.scene.sync(*([self.chance.choice(keys)] if keys and self.chance.random() < 0.3 else []))

    def quiet_syncs(self) -> None:
        for _ in range(3):
            self.scene.sync()

    def discover(self) -> None:
        self.scene.discover()

    def edit(self) -> None:
        for key in self.chance.sample(sorted(found := self.issues()), k=min(2, len(found))):
            found[key]["title"] = f"Weakness {self.chance.random()}"

    def find(self) -> None:
        key = f"new{self.chance.random()}"
        self.issues()[key] = row(key)

    def lose(self) -> None:
        if found := self.issues():
            del found[self.chance.choice(sorted(found))]

    def lose_most(self) -> None:
        found = self.issues()
        for key in sorted(found)[2:]:
            del found[key]
        self.scene.sync()

    def come_and_go(self) -> None:
        self.world.add("brief", "Brief", many(3, "brief"))
        self.scene.discover()
        del self.world.products["brief"]
        self.scene.discover()

    def fail(self) -> None:
        self.world.interfere = lambda request: httpx2.Response(self.chance.choice([403, 404, 500]))
        self.scene.sync()
        self.scene.discover()
        self.world.interfere = None

    def die(self) -> None:
        """An Operation that took its workers along: it applied something, and its row says nothing of it."""
        self.find()
        number = self.scene.sync().pk
        Operation.objects.filter(pk=number).update(status="failed", counts={}, why="It ended 3 processes that ran it.")

    def cancel_after_reading(self) -> None:
        """What is gone stays pending, named by an Operation that counts no change."""
        self.lose()

        cancel = lambda: Operation.objects.filter(status="running").update(cancelled_by="alice")  # noqa: E731
        meanwhile(self.scene, cancel)
        self.scene.sync()
        self.world.interfere = None

    def decide(self) -> None:
        if found := list(Finding.objects.filter(open=True)[:20]):
            said = {"verdict": self.chance.choice(["false positive", None]), "note": "looked at"}
            finding.decide_finding(ALICE, self.chance.choice(found).pk, **said)

    def settle(self) -> None:
        for one in Operation.objects.order_by("-pk")[:3]:
            self.chance.choice([operation.approve, operation.keep_open])(ALICE, one.pk)

    def remap(self) -> None:
        key = self.chance.choice(sorted(self.world.products))
        self.scene.map(key, f"Product {self.chance.randrange(4)}", self.chance.choice(["leave", "move", "close"]))

    def undo(self) -> None:
        record.undo(ALICE, record_id=self.chance.choice(list(Record.objects.values_list("pk", flat=True))))

    def delete_product(self) -> None:
        if self.chance.random() < 0.3 and (there := Product.objects.first()):
            delete_product(ALICE, there.pk, there.name)

    def newer_connector(self) -> None:
        self.world.mapping_version += 1


@pytest.fixture
def keeping(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, keep_logs_days=1, keep_results_days=2, keep_jobs_days=1, keep_operations_days=3)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(6))
def test_what_anything_names_stays_and_the_rest_goes(scene: Scene, world: World, keeping: Settings, seed: int):
    """Break it: call `created` or `rewritten` harmless in operations_look.sql, or do not look into `held`."""
    chance = random.Random(seed)
    scene.mapped(a=many(6, "a"), b=many(25, "b"), c={})
    life = Life(scene, chance)
    for _ in range(2):
        life.live(14)
        grow_old(10)
        life.quiet_syncs()
        before, needed = set(Operation.objects.values_list("pk", flat=True)), named()
        kept_anyway = telling() | latest_results() | young(keeping)
        changed = {
            one.pk for one in Operation.objects.filter(type="sync") if one.counts.keys() - HARMLESS or not one.counts
        }

        deleted = retain(now(), keeping)

        after = set(Operation.objects.values_list("pk", flat=True))
        assert needed <= after, "an Operation went that something names"
        assert after - needed - kept_anyway <= changed, "an Operation stayed that nothing names"
        assert named() == needed, "what named an Operation was changed"
        assert deleted["operations"] == len(before - after)
    assert len(needed) > 3


def young(keeping: Settings) -> set[int]:
    limit = now() - timedelta(days=keeping.keep_operations_days)
    return set(Operation.objects.filter(ended_at__gte=limit).values_list("pk", flat=True))


def test_quiet_days_leave_nothing_but_the_latest(scene: Scene, world: World, keeping: Settings):
    """The plain case, where nearly all Operations of a year lie: nothing changed."""
    scene.mapped(a=many(3))
    first = scene.sync()
    for _ in range(5):
        scene.discover()
        scene.sync()
    grow_old(10)
    LogLine.objects.all().delete()

    deleted = retain(now(), keeping)

    left = list(Operation.objects.order_by("pk").values_list("type", "pk"))
    assert deleted["operations"] == 8
    assert len(left) == 4  # the Discover that found the Record, the Sync that found findings, and the latest of each
    assert ("sync", first.pk) in left


def test_what_took_its_workers_along_is_added_up_before_its_results_go(scene: Scene, keeping: Settings):
    """An Operation that ended without counts says afterwards what its results said, so that it can be judged."""
    scene.mapped(a=many(3))
    died = scene.sync()
    Operation.objects.filter(pk=died.pk).update(status="failed", counts={})
    scene.sync()
    grow_old(10)

    retain(now(), keeping)

    assert not Result.objects.filter(operation=died.pk).exists()
    assert scene.operation(died.pk).counts == {"seen": 3, "created": 3, "records": 1}
    assert {one.created_operation for one in Finding.objects.all()} == {died.pk}


def test_badges_are_as_before(scene: Scene, world: World, keeping: Settings):
    """What a Record's badge reads stays, however old: here of one that was last read long ago."""
    from tidegate.reads.record import records

    scene.mapped(a=many(3), b=many(2))
    scene.sync()
    world.interfere = lambda request: httpx2.Response(500) if "/findings/" in request.url.path else None
    scene.sync("a")
    world.interfere = None
    scene.sync("b")
    grow_old(50)
    before = [(row.name, row.badge, row.badge_why) for row in records().records]

    deleted = retain(now(), keeping)

    assert deleted["results"] > 0
    assert [(row.name, row.badge, row.badge_why) for row in records().records] == before
    assert ("Product a", "failing") in [(name, badge) for name, badge, _ in before]


def test_health_is_as_before(scene: Scene, world: World, keeping: Settings):
    """The last success and the last complete Discover stay beside what has failed since."""
    from tidegate.reads.health import health_of

    scene.mapped(a=many(3))
    scene.sync()
    world.interfere = lambda request: httpx2.Response(500)
    for _ in range(3):
        scene.sync()
        scene.discover()
    world.interfere = None
    grow_old(50)
    at = now()
    before = health_of(now=at)

    deleted = retain(at, keeping)

    assert deleted["operations"] == 4
    assert health_of(now=at) == before


def test_a_journal_still_knows_who_closed_what(scene: Scene, keeping: Settings):
    scene.mapped(a=many(3))
    scene.sync()
    del scene.world.issues("a")["f1"]
    closed = scene.sync()
    scene.world.issues("a")["f1"] = row("f1")
    scene.sync()
    scene.sync()
    grow_old(50)

    retain(now(), keeping)

    assert closed.pk in set(Operation.objects.values_list("pk", flat=True))
    assert closed.pk in set(Journal.objects.values_list("operation", flat=True))
