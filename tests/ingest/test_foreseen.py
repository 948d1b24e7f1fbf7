"""The preview of a Sync: it says what the Sync would do, and does nothing. records.md, *Preview*."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from tests.acme import row, rows
from tests.ingest.scene import ALICE, Scene
from tidegate.actions.finding import decide_finding
from tidegate.actions.operation import see_through
from tidegate.ingest import record as ingest_record
from tidegate.store.models import Difference
from tidegate.store.writers.operation import request_operation

UNTOUCHED = (
    "finding", "record", "record_history", "part", "journal", "held", "tally", "quarantine", "decision", "feed", "test",
    "engagement", "product", "words_due",
)  # fmt: skip


def preview(scene: Scene, *keys: str) -> Any:
    records = [scene.record(key).pk for key in keys] or None
    operation = request_operation("sync", scene.connection_id, actor=str(ALICE), records=records, preview=True)
    see_through(operation)
    return scene.operation(operation)


def every_row() -> dict[str, list[Any]]:
    """Each row of what a preview leaves alone, with the transaction that wrote it."""
    found = {}
    with connection.cursor() as cursor:
        for table in UNTOUCHED:
            cursor.execute(f"SELECT xmin::text, to_jsonb({table}) FROM {table} ORDER BY 2::text")
            found[table] = cursor.fetchall()
    return found


def kinds(operation: Any) -> dict[str, set[str]]:
    told: dict[str, set[str]] = {}
    for difference in Difference.objects.filter(operation=operation):
        told.setdefault(difference.kind, set()).add(difference.key)
    return told


def test_nothing_is_written_but_what_would_be(scene: Scene) -> None:
    scene.mapped(shop=rows("same", "changed", "gone", "fixed", "back"))
    scene.sync()
    scene.world.issues("shop").pop("back")
    scene.sync()
    there = scene.world.issues("shop")
    there |= {"back": row("back"), "new": row("new"), "changed": row("changed", severity="low", title="Worse")}
    there["fixed"] = row("fixed", status="fixed")
    there.pop("gone")
    before = every_row()

    operation = preview(scene)

    assert every_row() == before
    assert kinds(operation) == {
        "created": {"new"}, "changed": {"changed"}, "reopened": {"back"}, "closed": {"gone", "fixed"},
    }  # fmt: skip
    assert (operation.status, operation.preview) == ("success", True)
    counts = operation.counts
    assert (counts["created"], counts["updated"], counts["reopened"], counts["closed"]) == (1, 1, 1, 2)


def test_what_it_says_is_what_the_sync_does(scene: Scene) -> None:
    scene.mapped(shop=rows(*"abcdef"), club=rows("x", "y"))
    scene.sync()
    scene.world.issues("shop").pop("a")
    scene.world.issues("shop")["b"] = row("b", title="Other")
    scene.world.issues("club")["z"] = row("z")

    foreseen, done = preview(scene), scene.sync()

    assert foreseen.counts == done.counts
    assert foreseen.verdict == done.verdict


def test_a_change_is_shown_field_by_field(scene: Scene) -> None:
    scene.mapped(shop={"a": row("a", severity="high", title="Old")})
    scene.sync()
    scene.world.issues("shop")["a"] = row("a", severity="low", title="New")

    operation = preview(scene)

    (difference,) = Difference.objects.filter(operation=operation)
    assert (difference.title, difference.record_id) == ("New", scene.record("shop").pk)
    assert difference.before["title"] == "Old"
    assert difference.after["title"] == "New"
    assert (difference.before["severity"], difference.after["severity"]) == (4, 1)
    assert set(difference.before) == set(difference.after)


def test_a_collapse_would_be_held(scene: Scene) -> None:
    scene.configure(hold_above=2)
    scene.mapped(shop=rows(*"abcd"))
    scene.sync()
    for key in "abc":
        scene.world.issues("shop").pop(key)

    operation = preview(scene)

    assert kinds(operation) == {"held": set("abc")}
    assert (operation.status, operation.counts["held"]) == ("partial", 3)
    assert scene.waiting("held") == scene.waiting("pending") == set()


def test_an_answer_that_proves_nothing_would_close_nothing(scene: Scene) -> None:
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    scene.world.products["shop"].skipped = {"issues": "No scan has completed yet."}
    scene.world.issues("shop").clear()

    operation = preview(scene)

    assert kinds(operation) == {}
    assert "No scan has completed yet." in operation.why


def test_what_a_person_decided_shows_in_what_would_be(scene: Scene) -> None:
    scene.mapped(shop=rows("a"))
    scene.sync()
    decide_finding(ALICE, scene.findings()["a"].pk, severity="Critical")
    scene.world.issues("shop")["a"] = row("a", severity="low")

    operation = preview(scene)

    (difference,) = Difference.objects.filter(operation=operation)
    assert "severity" not in difference.before
    assert difference.severity == 5


def test_one_record_alone_can_be_foreseen(scene: Scene) -> None:
    scene.mapped(shop=rows("a"), club=rows("b"))

    assert kinds(preview(scene, "club")) == {"created": {"b"}}


def test_all_are_counted_and_enough_are_shown(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_record, "DIFFERENCES_OF_RECORD", 2)
    monkeypatch.setattr(ingest_record, "DIFFERENCES", 3)
    scene.mapped(shop=rows(*"abcde"), club=rows(*"fghi"))

    operation = preview(scene)

    assert operation.counts["created"] == 9
    assert Difference.objects.filter(operation=operation).count() == 3


def test_a_preview_is_no_sync_that_anybody_undoes_or_reads_its_proof_from(scene: Scene) -> None:
    scene.mapped(shop=rows("a"))
    scene.sync()
    proven = scene.part("shop").proven_operation_id

    preview(scene)

    assert scene.part("shop").proven_operation_id == proven
