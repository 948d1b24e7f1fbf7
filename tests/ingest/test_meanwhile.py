"""While an Operation runs the world may change: it applies only what is still asked for, and says what changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import Error as DatabaseFailure
from django.db import connection

from tests.acme import rows
from tests.ingest.scene import ALICE, Scene, meanwhile
from tidegate.actions import connection as connections
from tidegate.actions import operation as operations
from tidegate.actions import record as records
from tidegate.store.models import Finding, Lease, Operation, Record


def test_a_record_remapped_while_it_is_read_writes_to_the_new_product_and_closes_nothing(scene: Scene) -> None:
    """records.md, while a Sync runs: applies only what is still asked for; what only a remap makes look gone stays."""
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    scene.world.issues("shop").pop("a")

    meanwhile(scene, lambda: scene.map("shop", "Elsewhere"))
    scene.sync()

    where = {
        (finding.feed.test.engagement.product.name, finding.key, finding.open)
        for finding in Finding.objects.select_related("feed__test__engagement__product")
    }
    assert where == {("Product shop", "a", True), ("Product shop", "b", True), ("Elsewhere", "b", True)}


def ignored(scene: Scene) -> None:
    records.ignore_records(ALICE, [scene.record("shop").pk])


def record_deleted(scene: Scene) -> None:
    records.delete_records(ALICE, [scene.record("shop").pk])


def product_deleted(scene: Scene) -> None:
    """In plain SQL, as an administrator would."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM product")


def absent(scene: Scene) -> None:
    scene.configure()
    Record.objects.filter(pk=scene.record("shop").pk).update(absent_since="2026-01-01T00:00:00Z")


def connection_deleted(scene: Scene) -> None:
    connections.delete_connection(ALICE, scene.connection_id, "Acme")


def settings_changed(scene: Scene) -> None:
    scene.configure(settings={"url": "https://other.acme.test/"})


CHANGES: dict[str, Callable[[Scene], None]] = {
    "the Record is ignored": ignored,
    "the Record was deleted": record_deleted,
    "its product was deleted": product_deleted,
    "it went Missing": absent,
    "the Connection was deleted by alice": connection_deleted,
    "the settings of the Connection were changed": settings_changed,
}


@pytest.mark.parametrize("says", CHANGES)
def test_what_is_no_longer_asked_for_is_not_applied_and_says_why(scene: Scene, says: str) -> None:
    """promises.md, process faults: a Product deleted, a Record ignored or deleted, a Connection edited or deleted while
    its Sync runs; records.md: otherwise the Record's result says what changed."""
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    before = scene.findings()
    scene.world.issues("shop").pop("a")
    scene.world.issues("shop").update(rows("new"))

    meanwhile(scene, lambda: CHANGES[says](scene))
    operation = scene.sync()

    assert scene.findings().keys() == ({} if says == "its product was deleted" else before).keys()
    assert all(finding.open for finding in scene.findings().values())
    result = scene.result(operation, "shop")
    assert result.outcome == "dropped"
    assert says in result.why
    assert says in operation.why
    assert says in scene.log(operation)


def test_a_threshold_raised_while_a_sync_runs_holds_for_it(scene: Scene) -> None:
    """promises.md: a Connection edited while its Sync runs; what the new threshold closed, it does not reopen.
    records.md, while a Sync runs: applies only what is still asked for."""
    scene.mapped(shop=rows("a") | rows("b", severity="low"))
    scene.sync()

    meanwhile(scene, lambda: connections.edit_connection(ALICE, scene.connection_id, minimum_severity=3))
    scene.sync()

    assert scene.open() == {"a"}
    assert scene.findings()["b"].closed_because == "threshold"


def test_a_sync_that_is_cancelled_keeps_what_it_applied_and_begins_nothing_more(scene: Scene) -> None:
    """records.md, Operations: what is applied stays, what is not is not begun; the row says who."""
    veps = [f"site{n}" for n in range(8)]
    scene.mapped(**{vep: rows(vep) for vep in veps})

    def cancel() -> None:
        operations.cancel(ALICE, Operation.objects.get(status="running").pk)

    meanwhile(scene, cancel, asked="/site2/findings/")
    operation = scene.sync()

    assert (operation.status, operation.why) == ("cancelled", "Cancelled by alice.")
    assert operation.ended_at is not None
    assert not Lease.objects.exists()
    assert "site7" not in scene.findings()
    assert scene.sync().status == "success"
    assert scene.findings().keys() == set(veps)


def test_a_waiting_operation_is_cancelled_at_once(scene: Scene) -> None:
    """records.md: each can be cancelled."""
    from tidegate.store.writers.operation import request_operation

    waiting = request_operation("sync", scene.connection_id, actor="alice")

    operations.cancel(ALICE, waiting)

    operation = scene.operation(waiting)
    assert (operation.status, operation.why) == ("cancelled", "Cancelled by alice.")
    assert operation.ended_at is not None


def taken_over() -> None:
    """What another process does that believes this one dead."""
    from tidegate.store.writers.operation import claim_operation

    running = Operation.objects.get(status="running").pk
    Lease.objects.filter(pk=running).update(until="2020-01-01T00:00:00Z")
    assert claim_operation(running, "another:1", 60) is not None


@pytest.mark.parametrize("kind", ["sync", "discover"])
def test_a_run_whose_operation_is_taken_over_writes_nothing_more(scene: Scene, kind: str) -> None:
    """architecture.md, Decisions: an attempt number checked inside every applying transaction.
    records.md, while a Sync runs: the applying transaction looks again at the attempt."""
    scene.mapped(shop=rows("a"))
    scene.world.add("late")

    meanwhile(scene, taken_over, asked="/findings/" if kind == "sync" else "/products")
    operation = getattr(scene, kind)()

    assert (operation.status, operation.attempt) == ("running", 2)
    assert scene.findings() == {}
    assert not Record.objects.filter(vendor_id="late").exists()


def test_a_sync_whose_database_goes_away_and_comes_back_goes_on_where_it_was(scene: Scene) -> None:
    """promises.md, database faults: its connections cut. Nobody died, so no death is counted."""
    scene.mapped(shop=rows("a"))

    def cut() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )

    meanwhile(scene, cut)
    operation = scene.sync()

    assert (operation.status, operation.attempt, operation.deaths) == ("success", 2, 0)
    assert "Handed back: the database went away" in scene.log(operation)
    assert not Lease.objects.exists()
    assert scene.open() == {"a"}


def test_a_statement_that_the_database_refuses_fails_the_sync_with_a_sentence_and_costs_nothing(scene: Scene) -> None:
    """promises.md, database faults: disk full. It would fail again at once, so it is not tried again at once."""
    scene.mapped(shop=rows("a"))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END$$;"
            " CREATE TRIGGER full_disk BEFORE INSERT ON finding FOR EACH ROW EXECUTE FUNCTION full_disk()"
        )
    try:
        with pytest.raises(DatabaseFailure):
            scene.sync()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION full_disk CASCADE")

    operation = Operation.objects.get(type="sync")
    assert (operation.status, operation.cause) == ("failed", "database")
    assert operation.why.startswith("The database failed: could not extend file")
    assert "tidegate doctor" in operation.why
    assert not Lease.objects.exists()
    assert scene.sync().status == "success"
    assert scene.open() == {"a"}


@pytest.mark.parametrize("says", ["the Connection was deleted", "the settings of the Connection were changed"])
def test_a_list_that_is_no_longer_asked_for_changes_no_record(scene: Scene, says: str) -> None:
    """promises.md, process faults: a Connection edited or deleted while its Discover runs."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    scene.world.add("late")
    del scene.world.products["api"]
    change = connection_deleted if "deleted" in says else settings_changed

    meanwhile(scene, lambda: change(scene), asked="/products")
    operation = scene.discover()

    assert operation.status == "cancelled"
    assert says in operation.why
    assert not Record.objects.filter(vendor_id="late").exists()
    assert scene.record("api").absent_since is None
