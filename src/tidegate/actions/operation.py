"""What a person may ask of Operations: discover, sync, cancel, and what becomes of closings and
absences that are held."""

from __future__ import annotations

from django.db import connection as database
from django.db import transaction
from django.db.models.functions import Now

from tidegate.actions.errors import NotThere, Refused
from tidegate.ingest.apply import again_after_deadlock
from tidegate.ingest.operation import run_operation
from tidegate.ingest.run import Progress, no_progress
from tidegate.reads.record import facts, living
from tidegate.rules.actor import Actor
from tidegate.rules.record import may_sync
from tidegate.store.acting import acting
from tidegate.store.models import Connection, Feed, Held, HeldAbsence, Operation, Record
from tidegate.store.sql import sql
from tidegate.store.writers.operation import lease_is_alive, request_operation


def discover(actor: Actor, connection_id: int, progress: Progress = no_progress) -> int:
    """Lists what the tool has and brings the Records up to it. Runs here and now; returns the Operation's id.

    Raises NotThere for an unknown Connection, Refused for a paused one. How it went is in the Operation.
    """
    _runnable(connection_id)
    operation = request_operation("discover", connection_id, actor=str(actor))
    run_operation(operation, progress)
    return operation


def sync(
    actor: Actor, connection_id: int, record_ids: list[int] | None = None, progress: Progress = no_progress
) -> int:
    """Brings the findings of the mapped, Good Records (all, or these). Runs here and now; returns the Operation's id.

    Raises NotThere, or Refused with the why of a Record that may not sync (Missing, Stale, unmapped).
    """
    _runnable(connection_id)
    for record in record_ids or ():
        _syncable(connection_id, record)
    operation = request_operation("sync", connection_id, actor=str(actor), records=record_ids)
    run_operation(operation, progress)
    return operation


def cancel(actor: Actor, operation_id: int) -> None:
    """Asks for the end of an Operation. What was applied stays, what was not is not begun."""
    with transaction.atomic():
        operation = _operation(operation_id, lock=True)
        if operation.status not in ("pending", "running"):
            raise Refused(f"Operation {operation_id} has ended already.", "There is nothing to cancel.")
        operation.cancelled_by = str(actor)
        operation.save(update_fields=["cancelled_by"])
        if operation.status == "pending" or not lease_is_alive(operation_id):
            ended = {"status": "cancelled", "why": f"Cancelled by {actor}.", "ended_at": Now()}
            Operation.objects.filter(pk=operation_id).update(**ended)


def approve(actor: Actor, operation_id: int) -> int:
    """Believes what an Operation held: its closings are closed, its absences become Missing. Returns how many.

    Only what is still open, and still gone as the Operation saw it, is touched.
    """
    return _settle(actor, operation_id, "approve_held", "approve_absences")


def keep_open(actor: Actor, operation_id: int) -> int:
    """Keeps open what an Operation held, until the vendor has shown it once more. Returns how many.

    Held absences are let go of; the next complete Discover asks again.
    """
    return _settle(actor, operation_id, "keep_open", None)


def _runnable(connection_id: int) -> Connection:
    connection = Connection.objects.filter(pk=connection_id, deleted_at__isnull=True).first()
    if connection is None:
        raise NotThere(f"There is no Connection {connection_id}.", "List them with: tidegate connection list")
    if connection.paused_at is not None:
        raise Refused(
            f"{connection.label} is paused. {connection.paused_because}".rstrip(),
            f"Resume it with: tidegate connection resume {connection.pk}",
        )
    return connection


def _syncable(connection_id: int, record_id: int) -> None:
    """Refuses a Record that is unknown, of another Connection, or in a state that lets nothing flow; with its why."""
    record = living().filter(pk=record_id, connection_id=connection_id).first()
    if record is None:
        raise NotThere(
            f"There is no Record {record_id} of Connection {connection_id}.", "List them with: tidegate record list"
        )
    if refusal := may_sync(facts(record)):
        raise Refused(f"{record.name} cannot sync. {refusal}", f"Look at it with: tidegate record show {record_id}")


def _settle(actor: Actor, operation_id: int, closings: str, absences: str | None) -> int:
    operation = _operation(operation_id)
    feeds = list(
        Held.objects.filter(latest_operation=operation_id, standing=Held.HELD)
        .values_list("feed_id", flat=True)
        .distinct()
    )
    absent = HeldAbsence.objects.filter(latest_operation_id=operation_id)
    if not feeds and not absent.exists():
        raise Refused(
            f"Operation {operation_id} ({operation.type}) holds nothing any more.",
            "Look at the latest Operation of the Connection: each complete read replaces the list.",
        )

    def settle() -> int:
        records = Feed.objects.filter(pk__in=feeds).values("record_id")
        list(Record.objects.select_for_update().filter(pk__in=records).order_by("pk").values_list("pk", flat=True))
        with acting(str(actor), operation=operation_id), database.cursor() as cursor:
            cursor.execute(sql(closings), {"feeds": feeds, "operation": operation_id, "actor": str(actor)})
            settled = cursor.rowcount
            if absences is None:
                return settled + absent.delete()[0]
            cursor.execute(sql(absences), {"operation": operation_id})
            return settled + cursor.rowcount

    return again_after_deadlock(settle)


def _operation(operation_id: int, *, lock: bool = False) -> Operation:
    operations = Operation.objects.select_for_update() if lock else Operation.objects
    operation = operations.filter(pk=operation_id).first()
    if operation is None:
        raise NotThere(f"There is no Operation {operation_id}.", "List them with: tidegate operation list")
    return operation
