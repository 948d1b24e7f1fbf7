"""What failed for a reason that may pass is tried again before its next planned run; what needs a person is not."""

from __future__ import annotations

from datetime import timedelta

import httpx2
import pytest
from django.db.models.functions import Now

from tests.acme import rows
from tests.ingest.scene import Scene
from tidegate.store.clock import database_now
from tidegate.store.models import Operation, Schedule
from tidegate.store.writers.schedule import request_due, save_default_schedules


@pytest.fixture
def planned(scene: Scene) -> Scene:
    scene.mapped(shop=rows("a"), api=rows("b"))
    save_default_schedules(scene.connection_id)
    Schedule.objects.update(next_at=Now() + timedelta(hours=20))
    return scene


def sync_plan() -> Schedule:
    return Schedule.objects.get(type="sync")


def answers(scene: Scene, status: int) -> None:
    scene.world.interfere = lambda request: httpx2.Response(status)


def minutes_until_the_next_try() -> float:
    at = sync_plan().retry_at
    assert at is not None
    return (at - database_now()).total_seconds() / 60


def test_a_tool_that_is_down_is_tried_again_soon_then_ever_more_seldom(planned: Scene):
    """Issue 4: *recovering* (transient, next try at …)."""
    answers(planned, 500)

    assert planned.sync().cause == "vendor_down"
    assert 4.9 < minutes_until_the_next_try() < 6.1
    planned.sync()
    assert 14.9 < minutes_until_the_next_try() < 18.1


def test_the_next_try_is_asked_for_like_any_planned_run_and_does_not_replace_it(planned: Scene):
    answers(planned, 500)
    planned.sync()
    Schedule.objects.filter(type="sync").update(retry_at=Now())

    assert request_due(database_now()) == 1

    assert Operation.objects.get(status="pending").trigger == "scheduled"
    assert (sync_plan().retry_at, sync_plan().retries) == (None, 1)
    assert sync_plan().next_at is not None


def test_what_went_well_forgets_the_tries_before(planned: Scene):
    answers(planned, 500)
    planned.sync()
    planned.world.interfere = None

    assert planned.sync().status == "success"
    assert (sync_plan().retry_at, sync_plan().retries) == (None, 0)


def test_what_needs_a_person_is_not_tried_again_by_itself(planned: Scene):
    answers(planned, 401)

    assert planned.sync().cause == "auth_rejected"
    assert sync_plan().retry_at is None


def test_a_selection_that_failed_does_not_bring_all_of_it_early(planned: Scene):
    answers(planned, 500)

    assert planned.sync("shop").status == "failed"
    assert sync_plan().retry_at is None


def test_a_selection_that_went_well_does_not_forget_what_all_of_it_failed_with(planned: Scene):
    answers(planned, 500)
    planned.sync()
    planned.world.interfere = None

    assert planned.sync("shop").status == "success"
    assert sync_plan().retry_at is not None


def test_a_schedule_that_is_off_tries_nothing(planned: Scene):
    Schedule.objects.update(kind="off", next_at=None)
    answers(planned, 500)

    planned.sync()

    assert sync_plan().retry_at is None
