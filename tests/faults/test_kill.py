"""promises.md 6: after kill -9 at any place and a restart, the database equals what an undisturbed
run would have left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.acme import many, rows
from tests.database import empty_all_tables
from tests.ingest.scene import Scene
from tidegate.store.models import Connection, Lease, Operation

CHECKOUT = Path(__file__).parents[2]
SYNC_PLACES = [
    f"{when} {place}"
    for place in ("claim", "login", "compare", "write", "results", "record", "verdict", "closing", "ending", "end")
    for when in ("before", "after")
]
DISCOVER_PLACES = [
    f"{when} {place}" for place in ("veps", "discover apply", "discover staging", "end") for when in ("before", "after")
]


@pytest.fixture(autouse=True)
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_LEASE_SECONDS", "1")


def prepare(scene: Scene) -> None:
    """One Record that changes a little, one that closes something, one that collapses; one more that is new."""
    scene.world.paged = "steady"
    scene.mapped(shop=rows("a", "b", "c"), api=many(12, "g"), big=many(30))
    scene.sync()
    scene.world.issues("shop")["a"]["title"] = "Changed"
    scene.world.issues("shop").pop("b")
    scene.world.issues("shop")["n"] = rows("n")["n"]
    for key in list(scene.world.issues("api"))[:3]:
        scene.world.issues("api").pop(key)
    scene.world.products["big"].families["issues"] = many(4)
    scene.world.add("late", "Late", rows("z"))
    scene.world.products["api"].name = "Renamed"


@contextmanager
def victim(scene: Scene, kind: str, place: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has come to the place, and is killed when the test is done with it."""
    orders = {
        "type": kind,
        "place": place,
        "connection": scene.connection_id,
        "products": {key: {**asdict(product), "off": []} for key, product in scene.world.products.items()},
        "database": {key: connection.settings_dict[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")},
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.victim"],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(orders) + "\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() == "here", "the victim did not come to the place"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def kill_at(scene: Scene, kind: str, place: str) -> None:
    with victim(scene, kind, place) as process:
        os.kill(process.pid, signal.SIGKILL)


def world_as_stored() -> dict[str, Any]:
    """Records, findings, decisions, journal, held and proofs; ids of Operations, times and attempts aside."""
    questions = {
        "records": "SELECT vendor_id, name, parent, decision, absent_since IS NULL, feed_id IS NULL "
        "FROM record ORDER BY 1",
        "findings": "SELECT key, family, title, severity, open, active, closed_because, "
        "fields::text FROM finding ORDER BY 1",
        "journal": "SELECT key, kind, actor, before - 'closed_operation'"
        " FROM journal JOIN finding ON finding.id = finding_id"
        " ORDER BY 1, journal.id",
        "held": "SELECT key, standing FROM held JOIN finding ON finding.id = finding_id ORDER BY 1",
        "proofs": "SELECT family, proof::text, last_outcome, below, skipped FROM part ORDER BY feed_id, family",
        "tally": "SELECT feed_id, severity, open, active, n FROM tally WHERE n <> 0 ORDER BY 1, 2, 3, 4",
    }
    stored: dict[str, Any] = {}
    with connection.cursor() as cursor:
        for name, question in questions.items():
            cursor.execute(question)
            stored[name] = cursor.fetchall()
    return stored


UNDISTURBED: dict[str, dict[str, Any]] = {}


def undisturbed(scene: Scene, kind: str) -> dict[str, Any]:
    """What is stored after the same without a kill. Once a run; then the world begins anew."""
    if kind not in UNDISTURBED:
        prepare(scene)
        for _ in range(2):
            getattr(scene, kind)()
        UNDISTURBED[kind] = world_as_stored()
        empty_all_tables()
        scene.world.products.clear()
        Connection.objects.create(tool="acme", label="Acme", created_by="alice")
    return UNDISTURBED[kind]


def assert_all_ended() -> None:
    assert not Operation.objects.filter(status__in=["running", "pending"]).exists()
    assert not Lease.objects.exists()


@pytest.mark.parametrize("place", SYNC_PLACES)
def test_a_sync_killed_anywhere_ends_as_an_undisturbed_one(scene: Scene, place: str) -> None:
    """promises.md 6, Sync: the next request takes up what was left, and doing a thing twice changes nothing.
    records.md: a killed Operation is taken up again and finishes this; each survives the death of its process."""
    expected = undisturbed(scene, "sync")
    prepare(scene)

    kill_at(scene, "sync", place)
    scene.sync()

    assert world_as_stored() == expected
    assert_all_ended()


@pytest.mark.parametrize("place", DISCOVER_PLACES)
def test_a_discover_killed_anywhere_ends_as_an_undisturbed_one(scene: Scene, place: str) -> None:
    """promises.md 6, Discover."""
    expected = undisturbed(scene, "discover")
    prepare(scene)

    kill_at(scene, "discover", place)
    scene.discover()

    assert world_as_stored() == expected
    assert_all_ended()


def test_an_operation_that_kills_its_process_three_times_is_failed(scene: Scene) -> None:
    """An Operation that kills its worker three times is failed with that reason, not tried for ever."""
    prepare(scene)
    kill_at(scene, "sync", "before verdict")
    for _ in range(2):
        kill_at(scene, "sync", "before verdict")

    scene.sync()

    first = Operation.objects.filter(type="sync", attempt=3).get()
    assert first.status == "failed"
    assert "3 processes" in first.why


def test_a_worker_that_sleeps_past_its_lease_writes_nothing_when_it_wakes(scene: Scene) -> None:
    """promises.md, process faults: SIGSTOP of a worker past its lease, then SIGCONT: it must not write."""
    expected = undisturbed(scene, "sync")
    prepare(scene)

    with victim(scene, "sync", "before record") as process:
        os.kill(process.pid, signal.SIGSTOP)
        scene.sync()
        stored = world_as_stored()
        os.kill(process.pid, signal.SIGCONT)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("go on\n")
        process.stdin.close()
        assert process.stdout.readline().strip() == "ended"

    assert stored == expected
    assert world_as_stored() == expected


def test_a_database_that_cuts_its_connections_mid_apply_loses_nothing(scene: Scene) -> None:
    """promises.md, database faults: its connections cut, mid-apply."""
    expected = undisturbed(scene, "sync")
    prepare(scene)

    with victim(scene, "sync", "after write") as process:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        os.kill(process.pid, signal.SIGKILL)
    scene.sync()

    assert world_as_stored() == expected
    assert_all_ended()
