"""What another threshold does is said before it is saved, and is what then happens."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acme import rows
from tests.ingest.scene import ALICE, Scene
from tidegate.actions import connection as connections
from tidegate.actions.finding import decide_finding

HIGH, MEDIUM, INFO = 4, 3, 0


def effect(scene: Scene, minimum: int) -> tuple[int, int]:
    told = connections.threshold_effect(scene.connection_id, minimum)
    return told.closes, told.may_bring


def brought(scene: Scene, minimum: int) -> int:
    """How many findings come with the next Sync, once the threshold is lower."""
    connections.edit_connection(ALICE, scene.connection_id, minimum_severity=minimum)
    scene.forget_what_waits()
    counts = scene.sync().counts
    return counts.get("created", 0) + counts.get("reopened", 0)


def closed(scene: Scene, minimum: int) -> list[str]:
    """The findings that close at once, when the threshold is higher."""
    from tidegate.store.models import Finding

    open = set(Finding.objects.filter(open=True).values_list("pk", flat=True))
    connections.edit_connection(ALICE, scene.connection_id, minimum_severity=minimum)
    return sorted(Finding.objects.filter(pk__in=open, open=False).values_list("key", flat=True))


@pytest.fixture
def stocked(scene: Scene) -> Scene:
    """Findings of all severities, some decided about, some left behind in the Product their Record was mapped to."""
    scene.mapped(
        shop=rows("a", "b", severity="high") | rows("c", "d", "e", severity="low") | rows("f", severity="strange"),
        api=rows("g", severity="info") | rows("h", severity="medium"),
        left=rows("i", "j", severity="low"),
    )
    scene.sync()
    found = scene.findings()
    decide_finding(ALICE, found["a"].pk, severity="Low")
    decide_finding(ALICE, found["c"].pk, severity="Critical")
    decide_finding(ALICE, found["d"].pk, verdict="false positive")
    scene.map("left", "Elsewhere")
    scene.sync()
    return scene


def test_what_a_higher_threshold_closes_is_said_exactly(stocked: Scene) -> None:
    """records.md, Threshold: it looks at the severity in force, only where Records write to now, Unknown never; what a
    person called a false positive is open too."""
    assert effect(stocked, MEDIUM) == (6, 0)

    assert closed(stocked, MEDIUM) == ["a", "d", "e", "g", "i", "j"]


def test_what_was_never_stored_may_come(scene: Scene) -> None:
    """records.md, Threshold: below it nothing is stored; lowering it creates."""
    scene.configure(minimum_severity=HIGH)
    scene.mapped(shop=rows("a", severity="high") | rows("b", "c", severity="low"))
    scene.sync()

    assert effect(scene, INFO) == (0, 2)
    assert brought(scene, INFO) == 2


def test_what_the_threshold_closed_may_come_back_at_once(stocked: Scene) -> None:
    """records.md, Threshold: lowering it brings back; also what closed since the last Sync, which that cannot tell."""
    closed(stocked, MEDIUM)

    assert effect(stocked, INFO) == (0, 6)
    assert brought(stocked, INFO) == 6


def test_what_the_threshold_closed_is_counted_once_when_a_sync_has_seen_it_too(stocked: Scene) -> None:
    """records.md, Threshold: the form says how many; a Sync between does not make them twice as many."""
    closed(stocked, MEDIUM)
    stocked.sync()

    assert effect(stocked, INFO) == (0, 6)
    assert brought(stocked, INFO) == 6


def test_what_a_sync_closed_by_the_threshold_may_come_back(scene: Scene) -> None:
    """records.md, Threshold: what falls below it closes; lowering it brings it back."""
    scene.mapped(shop=rows("a", "b", severity="high"))
    scene.configure(minimum_severity=HIGH)
    scene.sync()
    scene.world.issues("shop")["a"]["severity"] = "medium"
    scene.sync()

    assert effect(scene, MEDIUM) == (0, 1)
    assert brought(scene, MEDIUM) == 1


def test_how_bad_is_what_was_never_stored_is_not_known_so_it_is_at_most_so_many(scene: Scene) -> None:
    """records.md, Threshold: the form says how many; it may not say fewer than come."""
    scene.configure(minimum_severity=HIGH)
    scene.mapped(shop=rows("b", severity="low") | rows("c", severity="medium"))
    scene.sync()

    assert effect(scene, MEDIUM) == (0, 2)
    assert brought(scene, MEDIUM) == 1


@pytest.mark.parametrize("minimum", [HIGH, MEDIUM])
def test_a_record_that_cannot_sync_brings_nothing(scene: Scene, minimum: Any) -> None:
    """records.md: nothing flows from a Missing Record; what closes closes there too, for it writes there still."""
    scene.mapped(shop=rows("a", severity="low"), api=rows("b", severity="low"))
    scene.sync()
    del scene.world.products["shop"]
    scene.discover()

    assert effect(scene, minimum) == (2, 0)
    assert closed(scene, minimum) == ["a", "b"]
    assert effect(scene, INFO) == (0, 1)
    assert brought(scene, INFO) == 1
