"""Operations are asked for, offered to workers, claimed by one, and found again where nobody looks at them."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.db.models.functions import Now

from tests.ingest.scene import ALICE, Scene
from tidegate.actions.connection import delete_connection
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.operation import cancel, request_again, request_sync, request_sync_of_product
from tidegate.actions.record import UNDO_SECONDS, ignore_records, map_records
from tidegate.reads.operation import operation
from tidegate.store.models import Connection, Lease, Operation, Product
from tidegate.store.writers import operation as writer
from tidegate.store.writers.operation import (
    DEATHS,
    Beat,
    Claim,
    beat,
    claim_operation,
    end_operation,
    hand_back,
    reconcile,
    request_operation,
    suspected,
)


def jobs(status: str = "todo") -> list[int]:
    """The Operations that workers are told to look at, in the order they do."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (args ->> 'operation')::int FROM procrastinate_jobs WHERE status = %s::procrastinate_job_status"
            " AND (scheduled_at IS NULL OR scheduled_at <= now()) ORDER BY priority DESC, id",
            [status],
        )
        return [row[0] for row in cursor.fetchall()]


def fetch(*, dead: bool = False) -> None:
    """A worker fetches what it is told; one that is dead has not beaten for long."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH worker AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id)"
            " UPDATE procrastinate_jobs SET status = 'doing', worker_id = worker.id FROM worker"
        )
        if dead:
            cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '5 minutes'")


def sync_of(scene: Scene, **options: Any) -> int:
    return request_operation("sync", scene.connection_id, actor="alice", **options)


def claimed(operation: int, **options: Any) -> Claim:
    claim = claim_operation(operation, "worker:1", 30, **options)
    assert claim is not None
    return claim


def lease_runs_out(operation: int) -> None:
    Lease.objects.filter(pk=operation).update(until=Now() - timedelta(seconds=1))


def another_connection() -> int:
    return Connection.objects.create(tool="acme", label="Another", created_by="alice").pk


# Asking


def test_asking_tells_the_workers_in_the_same_transaction(scene: Scene):
    """architecture.md: jobs are enqueued in the Operation's own transaction."""
    with transaction.atomic():
        operation = sync_of(scene)
        assert jobs() == [operation]
        transaction.set_rollback(True)

    assert jobs() == []
    assert not Operation.objects.exists()


def test_asking_twice_is_one_operation_and_one_job(scene: Scene):
    """Issue 4: a second request joins the waiting one."""
    assert sync_of(scene) == sync_of(scene)
    assert len(jobs()) == 1


def test_what_is_asked_for_later_is_not_claimed_before_its_time(scene: Scene):
    operation = sync_of(scene, delay=60)

    assert jobs() == []
    assert claim_operation(operation, "worker:1", 30) is None
    assert claimed(operation, early=True).attempt == 1


def test_who_asks_for_it_now_moves_what_waits_for_later(scene: Scene):
    later = sync_of(scene, delay=3600, records=[1])

    assert sync_of(scene) == later
    assert jobs() == [later]
    assert claimed(later)


def test_who_asks_for_it_later_does_not_put_off_what_is_due(scene: Scene):
    now = sync_of(scene)

    assert sync_of(scene, delay=3600) == now
    assert jobs() == [now]


def test_a_mapping_is_synced_by_itself_once_there_was_time_to_undo_it(scene: Scene):
    """records.md: user maps: a Sync of it is queued after the time to undo."""
    scene.world.add("shop")
    scene.discover()

    outcome = map_records(ALICE, [scene.record("shop").pk], new_product="Shop")

    assert outcome.step is not None
    waiting = Operation.objects.get(type="sync", status="pending")
    assert waiting.scope == {"records": [scene.record("shop").pk]}
    assert waiting.not_before is not None
    assert abs(waiting.not_before - waiting.requested_at - timedelta(seconds=UNDO_SECONDS)) < timedelta(seconds=1)
    assert waiting.actor == "alice"


def test_a_person_goes_before_the_schedule_until_it_has_had_its_turn(scene: Scene):
    scheduled = sync_of(scene, trigger="scheduled")
    asked = request_operation("sync", another_connection(), actor="alice")
    assert jobs() == [asked, scheduled]

    fetch()
    hand_back(claimed(asked))
    reconcile()

    assert jobs() == [asked]
    with connection.cursor() as cursor:
        cursor.execute("SELECT priority FROM procrastinate_jobs WHERE status = 'todo'")
        assert cursor.fetchall() == [(0,)]


# One at a time


def test_one_operation_at_a_time_runs_for_a_connection_and_the_next_is_offered_when_it_ends(scene: Scene):
    """records.md: one discover or sync at a time per Connection."""
    first = claimed(request_operation("discover", scene.connection_id, actor="alice"))
    fetch()
    second = sync_of(scene)
    assert claim_operation(second, "worker:2", 30) is None
    fetch()

    end_operation(first, "success", "", {})

    assert jobs() == [second]
    assert claimed(second)


def test_different_connections_run_side_by_side(scene: Scene):
    other = request_operation("sync", another_connection(), actor="alice")

    assert claimed(sync_of(scene))
    assert claimed(other)


@pytest.mark.parametrize("fact", ["paused_at", "deleted_at"])
def test_what_waits_for_a_connection_that_was_let_go_meanwhile_is_cancelled_not_run(scene: Scene, fact: str):
    """Issue 4: paused Connections run nothing."""
    operation = sync_of(scene)
    scene.configure(**{fact: Now()})

    assert claim_operation(operation, "worker:1", 30) is None

    found = Operation.objects.get(pk=operation)
    assert (found.status, found.cancelled_by) == ("cancelled", "tidegate")
    assert "The Connection is " in found.why
    assert jobs() == []


# Leases


def test_who_has_a_living_lease_keeps_its_operation(scene: Scene):
    operation = sync_of(scene)
    claimed(operation)

    assert claim_operation(operation, "worker:2", 30) is None


def test_a_lease_that_ran_out_counts_a_death_and_fences_the_old_attempt(scene: Scene):
    operation = sync_of(scene)
    old = claimed(operation)
    lease_runs_out(operation)

    new = claimed(operation)

    assert (new.attempt, new.resumed, new.died) == (2, True, True)
    assert Operation.objects.get().deaths == 1
    assert beat([Beat(old, {})]) == {}
    assert beat([Beat(new, {})]) == {operation: ""}


def test_what_was_handed_back_is_taken_at_once_and_nobody_died(scene: Scene):
    operation = sync_of(scene)
    hand_back(claimed(operation))

    new = claimed(operation)

    assert (new.resumed, new.died) == (True, False)
    assert Operation.objects.get().deaths == 0


def test_what_was_handed_back_is_offered_at_once(scene: Scene):
    operation = sync_of(scene)
    fetch()

    hand_back(claimed(operation))

    assert jobs() == [operation]


def test_what_was_handed_back_is_not_beaten_alive_again(scene: Scene):
    old = claimed(sync_of(scene))
    hand_back(old)

    assert beat([Beat(old, {})]) == {}


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_lease_written_before_the_clock_jumped_is_believed_no_longer_than_any_other(scene: Scene, hours: int):
    """promises.md, process faults: a clock that jumps."""
    operation = sync_of(scene)
    claimed(operation)
    Lease.objects.update(until=Now() + timedelta(hours=hours))

    assert claim_operation(operation, "worker:2", 30) is not None


def test_the_third_death_fails_it_with_that_reason_and_the_next_of_its_connection_begins(scene: Scene):
    """Issue 4: an Operation that kills its worker three times is failed with that reason, not tried for ever."""
    operation = sync_of(scene)
    for _ in range(DEATHS):
        claimed(operation)
        lease_runs_out(operation)
    fetch()
    waiting = sync_of(scene)
    fetch()

    assert claim_operation(operation, "worker:9", 30) is None

    found = Operation.objects.get(pk=operation)
    assert (found.status, found.cause, found.deaths) == ("failed", "deaths", DEATHS)
    assert "ended 3 processes" in found.why
    assert jobs() == [waiting]


def test_who_is_not_alone_is_not_given_what_a_worker_died_with(scene: Scene):
    """It might take its neighbours along, and they would be blamed."""
    operation = sync_of(scene)
    assert not suspected(operation)
    claimed(operation)
    lease_runs_out(operation)

    assert suspected(operation)
    assert claim_operation(operation, "worker:2", 30, solitary=False) is None
    assert Operation.objects.get().deaths == 0
    assert claimed(operation)


# Reconcile


def test_nothing_is_offered_again_where_all_is_well(scene: Scene):
    running = claimed(request_operation("discover", scene.connection_id, actor="alice"))
    sync_of(scene)
    fetch()

    assert reconcile() == 0

    end_operation(running, "success", "", {})
    assert reconcile() == 0  # it was offered by the end


def test_an_operation_whose_worker_died_is_offered_again_as_soon_as_its_lease_ran_out(scene: Scene):
    operation = sync_of(scene)
    fetch()
    claimed(operation)
    assert reconcile() == 0

    lease_runs_out(operation)

    assert reconcile() == 1
    assert jobs() == [operation]
    assert reconcile() == 0


def test_an_operation_whose_worker_died_before_it_was_claimed_is_offered_again(scene: Scene):
    operation = sync_of(scene)
    fetch(dead=True)

    assert reconcile() == 1
    assert jobs() == [operation]
    assert jobs("doing") == []


def test_a_claim_that_is_frozen_holds_up_nobody_who_asks(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    """promises.md, SIGSTOP. Found by the soak: the schedules of all Connections waited for one frozen claim."""
    operation = sync_of(scene)
    begun, asked = threading.Event(), threading.Event()
    failed: list[DatabaseError] = []

    def freeze(_operation: Operation) -> bool:
        begun.set()
        asked.wait(60)
        return False

    def claim() -> None:
        try:
            claim_operation(operation, "worker:1", 30)
        except DatabaseError as error:
            failed.append(error)
        finally:
            connections.close_all()

    monkeypatch.setattr(writer, "_let_go_by_connection", freeze)
    monkeypatch.setattr(writer, "FROZEN_AT_CLAIM", "300ms")
    frozen = threading.Thread(target=claim)
    frozen.start()
    assert begun.wait(60)

    assert sync_of(scene) == operation

    asked.set()
    frozen.join()
    assert failed
    assert Operation.objects.get(pk=operation).status == "pending"


def test_a_worker_that_could_not_say_that_it_had_looked_holds_nothing_up(scene: Scene):
    """Issue 4: nothing is lost. Found by the soak: its connection was cut just then, and it lives on."""
    operation = sync_of(scene)
    fetch()
    assert reconcile() == 0

    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_events SET at = at - interval '2 minutes'")

    assert reconcile() == 1
    assert jobs() == [operation]
    assert jobs("doing") == []


def test_the_job_of_what_runs_stays_and_that_of_what_ended_long_ago_goes(scene: Scene):
    operation = sync_of(scene)
    fetch()
    claim = claimed(operation)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_events SET at = at - interval '2 hours'")
    reconcile()
    assert jobs("doing") == [operation]

    end_operation(claim, "success", "", {})
    reconcile()
    assert jobs("doing") == [operation]

    Operation.objects.filter(pk=operation).update(ended_at=Now() - timedelta(minutes=2))
    reconcile()
    assert jobs("doing") == []


def test_an_operation_without_any_job_is_offered_again(scene: Scene):
    operation = sync_of(scene)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")

    assert reconcile() == 1
    assert jobs() == [operation]


def test_what_is_not_due_yet_is_left_alone(scene: Scene):
    sync_of(scene, delay=3600)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")

    assert reconcile() == 0


def test_what_waits_behind_another_of_its_connection_is_left_alone(scene: Scene):
    claimed(request_operation("discover", scene.connection_id, actor="alice"))
    sync_of(scene)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")

    assert reconcile() == 0


# Cancel


def test_what_waits_is_cancelled_and_nobody_looks_at_it_any_more(scene: Scene):
    operation = sync_of(scene)

    cancel(ALICE, operation)

    assert Operation.objects.get().status == "cancelled"
    assert jobs() == []


def test_what_a_worker_died_with_is_cancelled_at_once(scene: Scene):
    operation = sync_of(scene)
    claimed(operation)
    lease_runs_out(operation)

    cancel(ALICE, operation)

    found = Operation.objects.get()
    assert (found.status, found.cancelled_by) == ("cancelled", "alice")


def test_what_runs_is_told_who_asked_for_its_end(scene: Scene):
    claim = claimed(sync_of(scene))

    cancel(ALICE, claim.operation)

    assert Operation.objects.get().status == "running"
    assert beat([Beat(claim, {})]) == {claim.operation: "alice"}


# Again, and by Product


def test_what_failed_is_run_again_and_only_that(scene: Scene):
    """Issue 4: run again for the failed Records only."""
    scene.mapped(shop={}, api={}, web={})
    scene.world.products["api"].off.add("issues")
    scene.world.products["web"].skipped["secrets"] = "not enabled"
    scene.world.interfere = lambda request: broken() if "/api/" in request.url.path else None
    first = scene.sync()
    assert first.status == "partial"

    again = request_again(ALICE, first.pk)

    assert Operation.objects.get(pk=again).scope == {"records": [scene.record("api").pk]}


def broken() -> Any:
    import httpx2

    return httpx2.Response(418)


def test_where_all_of_it_failed_all_of_it_is_run_again(scene: Scene):
    scene.mapped(shop={}, api={})
    scene.world.interfere = lambda request: broken()
    failed = scene.sync("shop")

    again = request_again(ALICE, failed.pk)

    assert failed.status == "failed"
    assert Operation.objects.get(pk=again).scope == {"records": [scene.record("shop").pk]}


def test_where_nothing_failed_all_that_was_asked_for_is_run_again(scene: Scene):
    scene.mapped(shop={}, api={})

    again = request_again(ALICE, scene.sync("shop").pk)

    assert Operation.objects.get(pk=again).scope == {"records": [scene.record("shop").pk]}


def test_what_may_not_sync_any_more_is_not_run_again(scene: Scene):
    scene.mapped(shop={}, api={})
    sync = scene.sync("shop")
    ignore_records(ALICE, [scene.record("shop").pk])

    with pytest.raises(Refused, match="none of its Records may sync now"):
        request_again(ALICE, sync.pk)


def test_where_others_were_read_it_says_that_only_those_that_failed_may_not_sync_now(scene: Scene):
    scene.mapped(shop={}, api={})
    scene.world.interfere = lambda request: broken() if "shop" in str(request.url) else None
    sync = scene.sync()
    ignore_records(ALICE, [scene.record("shop").pk])

    with pytest.raises(Refused, match="none of its Records that were not read to their end may sync now"):
        request_again(ALICE, sync.pk)


def test_of_a_deleted_connection_it_is_said_why_nothing_runs_again(scene: Scene):
    """It is there and told, not *not there*: what cannot be done any more is the running."""
    scene.world.add("shop")
    discover = scene.discover()
    label = Connection.objects.get(pk=scene.connection_id).label
    delete_connection(ALICE, scene.connection_id, typed_label=label)

    with pytest.raises(Refused, match="was deleted on") as refused:
        request_again(ALICE, discover.pk)

    assert not isinstance(refused.value, NotThere)
    found = operation(discover.pk)
    assert found is not None
    assert found.not_again == refused.value.sentence


def test_what_has_not_ended_is_not_run_again(scene: Scene):
    with pytest.raises(Refused, match="has not ended"):
        request_again(ALICE, sync_of(scene))


def test_a_product_is_synced_through_every_connection_that_flows_into_it(scene: Scene):
    """Issue 4: sync one Record, a selection, a Product."""
    scene.mapped(shop={}, api={})
    product = Product.objects.get(name="Product shop").pk

    (asked,) = request_sync_of_product(ALICE, product)

    assert Operation.objects.get(pk=asked).scope == {"records": [scene.record("shop").pk]}


def test_a_product_into_which_nothing_flows_is_refused_with_a_sentence(scene: Scene):
    scene.mapped(shop={})
    lonely = Product.objects.create(
        name="Lonely", product_type_id=Product.objects.get(name="Product shop").product_type_id, origin="alice"
    )

    with pytest.raises(Refused, match="Nothing flows into «Lonely»"):
        request_sync_of_product(ALICE, lonely.pk)


def test_a_selection_of_records_that_may_not_sync_is_refused(scene: Scene):
    scene.world.add("shop")
    scene.discover()

    with pytest.raises(Refused, match="cannot sync"):
        request_sync(ALICE, scene.connection_id, [scene.record("shop").pk])


def test_a_job_whose_operation_was_forgotten_is_nothing_to_do(scene: Scene):
    """Retention deletes Operations; a job says no more than their number."""
    assert claim_operation(4711, "worker:1", 30) is None


def test_a_selection_of_which_nothing_may_sync_any_more_is_not_run_again(scene: Scene):
    scene.mapped(shop={})
    scene.world.interfere = lambda request: broken()
    failed = scene.sync("shop")
    ignore_records(ALICE, [scene.record("shop").pk])

    with pytest.raises(Refused, match="Nothing of Operation"):
        request_again(ALICE, failed.pk)
