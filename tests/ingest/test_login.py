"""Rejected logins: counted in a row over Discover and Sync, on whichever worker; the third pauses the Connection."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import Any

import httpx2
import pytest
from django.db import transaction

from tests.acme import rows
from tests.ingest.scene import ALICE, Scene
from tidegate.actions import connection as actions
from tidegate.actions.errors import Refused
from tidegate.rules.health import PAUSED_ITSELF, PAUSED_STEP
from tidegate.store.models import Operation
from tidegate.store.writers.operation import count_rejected_login, request_change, request_operation


def reject(scene: Scene) -> None:
    scene.world.interfere = lambda request: httpx2.Response(401)


def accept(scene: Scene) -> None:
    scene.world.interfere = None


def waiting(scene: Scene, type: str) -> int:
    return request_operation(type, scene.connection_id, actor="schedule", trigger="scheduled")


def test_the_third_rejected_login_pauses_it_be_it_of_a_discover_or_a_sync(scene: Scene):
    """records.md: one whose login is rejected three times running pauses itself and says so."""
    reject(scene)

    operations = [scene.discover(), scene.sync(), scene.discover()]

    assert [operation.status for operation in operations] == ["failed"] * 3
    assert scene.connection.paused_at is not None
    assert scene.connection.paused_because.startswith(PAUSED_ITSELF)
    assert scene.connection.paused_because.endswith(PAUSED_STEP)
    assert "the Connection is paused" in scene.log(operations[2])
    with pytest.raises(Refused, match="The login was rejected three times running"):
        scene.sync()


def test_what_ended_it_is_written_on_the_operation(scene: Scene):
    """Health and retries go by this word (rules/cause.py)."""
    reject(scene)
    rejected = scene.discover()
    scene.world.interfere = lambda request: httpx2.Response(503)
    down = scene.sync()

    assert (rejected.cause, down.cause) == ("auth_rejected", "vendor_down")


def test_a_login_between_forgets_those_before(scene: Scene):
    reject(scene)
    scene.discover()
    scene.sync()
    accept(scene)
    scene.discover()
    reject(scene)
    scene.sync()
    scene.discover()

    assert (scene.connection.rejected_logins, scene.connection.paused_at) == (2, None)


def test_a_vendor_that_is_down_is_no_rejected_login_and_does_not_forget_one(scene: Scene):
    reject(scene)
    scene.discover()
    scene.sync()
    scene.world.interfere = lambda request: httpx2.Response(503)
    scene.discover()

    assert (scene.connection.rejected_logins, scene.connection.paused_at) == (2, None)
    reject(scene)
    scene.sync()
    assert scene.connection.paused_at is not None


def test_what_waits_for_a_connection_that_pauses_itself_is_cancelled_with_that_reason(scene: Scene):
    reject(scene)
    scene.discover()
    scene.sync()
    sync = waiting(scene, "sync")
    scene.discover()

    found = scene.operation(sync)
    assert (found.status, found.cancelled_by) == ("cancelled", "tidegate")
    assert found.why == "The Connection was paused: its login was rejected three times running."
    assert found.ended_at is not None


def test_resuming_forgets_them_and_so_does_a_new_secret(scene: Scene):
    reject(scene)
    scene.discover()
    scene.sync()
    scene.discover()
    actions.resume_connection(ALICE, scene.connection_id)
    scene.sync()
    scene.discover()

    assert (scene.connection.rejected_logins, scene.connection.paused_at) == (2, None)


def test_workers_that_are_rejected_at_the_same_time_are_each_counted(scene: Scene):
    """Issue 4, 9: across workers; exactly one of them says that it paused the Connection."""
    from django.db import connections

    together, said = Barrier(3), list[bool]()

    def worker() -> None:
        together.wait()
        said.append(count_rejected_login(scene.connection_id))
        connections.close_all()

    threads = [Thread(target=worker) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(said) == [False, False, True]
    assert scene.connection.rejected_logins == 3


def test_a_person_who_pauses_it_meanwhile_is_not_overruled(scene: Scene):
    """What a person said stays the reason; a new secret does not end their pause."""
    actions.pause_connection(ALICE, scene.connection_id, "the move")
    for _ in range(3):
        count_rejected_login(scene.connection_id)

    assert scene.connection.paused_because == "Paused by alice: the move."


def test_pausing_cancels_what_waits_and_says_what_runs(scene: Scene):
    waits = waiting(scene, "sync")
    runs = Operation.objects.create(
        type="discover", connection=scene.connection, trigger="manual", actor="alice", status="running"
    )

    paused = actions.pause_connection(ALICE, scene.connection_id, "the move")

    assert (paused.cancelled, paused.running) == (1, runs.pk)
    found = scene.operation(waits)
    assert (found.status, found.cancelled_by) == ("cancelled", "alice")
    assert found.why == "The Connection was paused. Paused by alice: the move."
    assert scene.operation(runs.pk).status == "running"


def test_what_was_asked_for_at_the_moment_of_the_pause_does_not_run_either(scene: Scene):
    """A pause and a request may cross; whoever takes the Operation looks at the Connection again."""
    from tidegate.ingest.operation import run_operation

    scene.configure(paused_at="2031-05-04T02:00:00Z", paused_because="Paused by alice.")
    crossed = waiting(scene, "sync")

    run_operation(crossed)

    found: Any = scene.operation(crossed)
    assert found.status == "cancelled"
    assert "paused" in found.why
    assert scene.world.asked == []


@pytest.mark.parametrize("by", ["a person", "itself", "deletion"])
def test_a_change_that_waits_is_carried_out_whatever_becomes_of_the_connection(scene: Scene, by: str):
    """It asks no vendor, and its Records are its own until it ends: cancelled like this they would never be free."""
    scene.mapped(shop=rows("a"))
    record = scene.record("shop")
    with transaction.atomic():
        change = request_change(scene.connection_id, {"change": "close"}, actor="alice", records=[record.pk])

    if by == "a person":
        actions.pause_connection(ALICE, scene.connection_id, "the move")
    elif by == "itself":
        for _ in range(3):
            count_rejected_login(scene.connection_id)
    else:
        actions.delete_connection(ALICE, scene.connection_id, scene.connection.label)

    assert scene.operation(change).status == "pending"
    assert scene.record("shop").changing_operation_id == change
