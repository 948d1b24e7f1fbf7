"""A preview is never counted as a Discover or a Sync: not by health, news, badges, totals, retries or undo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from tests import world
from tests.acme import rows
from tests.ingest.scene import ALICE, Scene, on_findings
from tidegate.actions import operation as operations
from tidegate.actions.errors import Refused

ASKED: list[Callable[[Scene], int]] = [
    lambda scene: operations.request_discover_preview(ALICE, scene.connection_id),
    lambda scene: operations.request_sync_preview(ALICE, scene.connection_id),
]


def ended(scene: Scene, ask: Callable[[Scene], int]) -> Any:
    number = ask(scene)
    operations.see_through(number)
    return scene.operation(number)


@pytest.fixture(params=[500, 401])
def broken(scene: Scene, request: pytest.FixtureRequest) -> Scene:
    """All went well so far; now the vendor is down, which is tried again, or rejects us, which is told at once."""
    scene.mapped(shop=rows("a"))
    scene.sync()
    scene.world.interfere = lambda _: httpx2.Response(request.param)
    return scene


@pytest.mark.parametrize("ask", ASKED)
def test_a_preview_that_fails_worries_nobody(broken: Scene, ask: Callable[[Scene], int]) -> None:
    """Health, news, badges and retries are of what really runs."""
    from tidegate.reads.health import health_of
    from tidegate.store.models import News, Schedule

    for type in ("discover", "sync"):
        Schedule.objects.create(
            connection=broken.connection, type=type, kind="hours", hours=6, next_at=world.now() + timedelta(hours=6)
        )
    before = health_of([broken.connection_id])[broken.connection_id]

    operation = ended(broken, ask)

    after = health_of([broken.connection_id])[broken.connection_id]
    assert operation.status == "failed"
    assert (after.discover.last_run, after.sync.last_run) == (before.discover.last_run, before.sync.last_run)
    assert (after.state, after.why) == (before.state, before.why)
    assert not News.objects.exists()
    assert not Schedule.objects.exclude(retry_at=None).exists()


def test_a_record_that_could_not_be_previewed_carries_no_badge(scene: Scene) -> None:
    """The badge is derived from the last Sync of the Record; a preview was none."""
    from tidegate.reads.record import record

    scene.mapped(shop=rows("a"))
    scene.sync()
    scene.world.interfere = on_findings(lambda request: httpx2.Response(500))

    operation = ended(scene, ASKED[1])

    assert operation.status in ("failed", "partial")
    assert scene.result(operation, "shop").outcome != "complete"
    shown = record(scene.record("shop").pk)
    assert shown is not None
    assert shown.record.badge == ""


@pytest.mark.parametrize("ask", ASKED)
def test_a_preview_that_goes_well_heals_nothing_and_counts_for_nothing(
    scene: Scene, ask: Callable[[Scene], int]
) -> None:
    """Totals: only what was asked of the vendor and how long that took; a trouble that was told stays told."""
    from tidegate.reads.health import health_of
    from tidegate.store.models import News, Operation, Total

    scene.mapped(shop=rows("a"))
    Operation.objects.all().update(status="failed", cause="vendor_down")
    facts = {"key": "vendor_down", "cause": "vendor_down", "type": "discover"}
    News.objects.create(kind="needs_you", connection=scene.connection, facts=facts)
    before = {(row.name, row.word): row.number for row in Total.objects.all()}
    state = health_of([scene.connection_id])[scene.connection_id].state

    operation = ended(scene, ask)

    assert operation.status == "success"
    grown = {row.name for row in Total.objects.all() if before.get((row.name, row.word)) != row.number}
    assert grown <= {"calls", "seconds"}
    assert News.objects.count() == 1
    assert health_of([scene.connection_id])[scene.connection_id].state == state


@pytest.mark.parametrize("ask", ASKED)
def test_a_preview_waits_beside_the_real_one_and_they_run_one_after_the_other(
    scene: Scene, ask: Callable[[Scene], int]
) -> None:
    """One discover or sync at a time per Connection; at most one of each waits, previews apart."""
    scene.mapped(shop=rows("a"))
    real = [
        operations.request_discover(ALICE, scene.connection_id),
        operations.request_sync(ALICE, scene.connection_id),
    ]

    foreseen, joined = ask(scene), ask(scene)

    assert foreseen == joined
    assert foreseen not in real
    world.operation(scene.connection, "sync", "running", attempt=1)
    from tidegate.store.writers.operation import claim_operation

    assert claim_operation(foreseen, "me", 30) is None


@pytest.mark.parametrize("ask", ASKED)
def test_a_schedule_asks_for_the_real_one_beside_a_preview(scene: Scene, ask: Callable[[Scene], int]) -> None:
    """Scheduled runs and previews do not hinder each other."""
    from tidegate.store.statement import rows_of

    scene.mapped(shop=rows("a"))
    foreseen = ask(scene)
    type = scene.operation(foreseen).type

    (planned,) = rows_of("request_scheduled", types=[type], connections=[scene.connection_id], actor="schedule")

    assert planned["id"] != foreseen
    assert not scene.operation(planned["id"]).preview


@pytest.mark.parametrize("ask", ASKED)
def test_a_preview_of_a_paused_connection_is_refused(scene: Scene, ask: Callable[[Scene], int]) -> None:
    """A paused Connection asks its vendor nothing."""
    scene.mapped(shop=rows("a"))
    scene.configure(paused_at=world.now(), paused_because="Moving house.")

    with pytest.raises(Refused, match="is paused"):
        ask(scene)


def test_a_preview_of_a_missing_record_is_refused_with_its_why(scene: Scene) -> None:
    """records.md: a Missing or Stale Record is asked to sync: refused, with its why."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    del scene.world.products["shop"]
    scene.discover()

    with pytest.raises(Refused, match="Missing"):
        operations.request_sync_preview(ALICE, scene.connection_id, [scene.record("shop").pk])


@pytest.mark.parametrize("records", [None, ["shop"]])
def test_again_asks_for_the_same_preview_again(scene: Scene, records: list[str] | None) -> None:
    """Run again is of what it was, never of more: who asked for a preview did not ask for a Sync."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    asked = None if records is None else [scene.record(key).pk for key in records]
    operation = scene.operation(operations.preview_sync(ALICE, scene.connection_id, asked))

    again = scene.operation(operations.request_again(ALICE, operation.pk))

    assert (again.type, again.preview, again.scope) == ("sync", True, operation.scope)


def test_again_of_a_preview_whose_records_cannot_sync_any_more_is_refused(scene: Scene) -> None:
    scene.mapped(shop=rows("a"), api=rows("b"))
    operation = operations.preview_sync(ALICE, scene.connection_id, [scene.record("shop").pk])
    del scene.world.products["shop"]
    scene.discover()

    with pytest.raises(Refused, match="None of the Records"):
        operations.request_again(ALICE, operation)


@pytest.mark.parametrize("decide", [operations.approve, operations.keep_open])
def test_there_is_nothing_to_decide_about_a_preview(scene: Scene, decide: Callable[..., int]) -> None:
    """What a preview would hold is held by nobody."""
    scene.mapped(shop=rows("a"))
    scene.world.products.clear()
    operation = ended(scene, ASKED[0])

    assert operation.counts["held"] == 1
    with pytest.raises(Refused, match="it wrote nothing"):
        decide(ALICE, operation.pk)


def test_a_mapping_is_undone_although_a_preview_read_it_since(scene: Scene) -> None:
    """records.md: a decision can be undone until a Sync wrote under it; a preview writes nothing."""
    from tidegate.actions.record import undo

    scene.mapped(shop=rows("a"))
    ended(scene, ASKED[1])

    outcome = undo(ALICE, record_id=scene.record("shop").pk)

    assert [item.ok for item in outcome.items] == [True]
