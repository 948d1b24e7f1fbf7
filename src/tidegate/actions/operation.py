"""What a person may ask of Operations: discover, sync, previews of both, cancel, and what becomes of closings and
absences that are held."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import connection as database
from django.db import transaction

from tidegate.actions.action import action
from tidegate.actions.change import change_again
from tidegate.actions.errors import NotThere, Refused
from tidegate.ingest.apply import again_after_deadlock
from tidegate.ingest.operation import run_operation
from tidegate.ingest.run import Progress, no_progress
from tidegate.jobs.works import know_all_works
from tidegate.reads.progress import UNDER_WAY, follow
from tidegate.reads.record import facts, living
from tidegate.reads.service import service
from tidegate.rules.actor import Actor
from tidegate.rules.call import DEBOUNCE_SECONDS
from tidegate.rules.operation import NOT_READ_TO_THE_END, why_not_again
from tidegate.rules.record import may_sync
from tidegate.store.acting import acting
from tidegate.store.models import Connection, Feed, Held, HeldAbsence, Operation, Product, Record, Result
from tidegate.store.sql import sql
from tidegate.store.writers.operation import (
    ask_to_end,
    cancel_operation,
    lease_is_alive,
    request_deliver,
    request_operation,
)
from tidegate.store.writers.words import index_words

WORDS_SECONDS: Final = 5.0
"""How long whoever waited for an Operation waits for its findings to be searchable; the rest comes with the next."""


@action("operator", connection="connection_id")
def request_discover(actor: Actor, connection_id: int) -> int:
    """Asks for a Discover; returns the Operation's id. A worker takes it, or whoever sees it through.

    Raises NotThere for an unknown Connection, Refused for a paused one.
    """
    _runnable(connection_id)
    return request_operation("discover", connection_id, actor=str(actor), trigger=actor.trigger)


@action("operator", record="record_ids", connection="connection_id")
def request_sync(actor: Actor, connection_id: int, record_ids: Sequence[int] | None = None) -> int:
    """Asks for a Sync of the mapped, Good Records (all, or these); returns the Operation's id.

    Raises NotThere, or Refused with the why of a Record that may not sync (Missing, Stale, unmapped).
    """
    _check_syncable(connection_id, record_ids or ())
    _runnable(connection_id)
    delay = DEBOUNCE_SECONDS if actor.through == "trigger" else 0  # ten calls in a minute are one Sync
    return request_operation(
        "sync", connection_id, actor=str(actor), trigger=actor.trigger, records=record_ids, delay=delay
    )


@action("operator", connection="connection_id")
def request_discover_preview(actor: Actor, connection_id: int) -> int:
    """Asks what a Discover would do, also of a draft; returns the Operation's id. Nothing is changed by it.

    Raises as `request_discover` does.
    """
    _runnable(connection_id, or_draft=True)
    return request_operation("discover", connection_id, actor=str(actor), trigger=actor.trigger, preview=True)


@action("operator", record="record_ids", connection="connection_id")
def request_sync_preview(actor: Actor, connection_id: int, record_ids: Sequence[int] | None = None) -> int:
    """Asks what a Sync would do to findings; returns the Operation's id. Nothing is changed by it.

    Raises as `request_sync` does.
    """
    _check_syncable(connection_id, record_ids or ())
    _runnable(connection_id)
    return request_operation(
        "sync", connection_id, actor=str(actor), trigger=actor.trigger, records=record_ids, preview=True
    )


@action("operator", product="product_id")
def request_sync_of_product(actor: Actor, product_id: int) -> list[int]:
    """Asks for a Sync of every Record that flows into the Product: one Operation a Connection. Returns their ids.

    Raises NotThere for an unknown Product; Refused where nothing flows into it, or one of the Connections is paused.
    """
    product = Product.objects.filter(pk=product_id).first()
    if product is None:
        raise NotThere(f"There is no Product {product_id}.", "List them with: tidegate product list")
    flowing = living().filter(decision="mapped", feed__test__engagement__product_id=product_id, absent_since=None)
    records: dict[int, list[int]] = {}
    for record, connection in flowing.order_by("connection_id", "pk").values_list("pk", "connection_id"):
        records.setdefault(connection, []).append(record)
    if not records:
        raise Refused(
            f"Nothing flows into «{product.name}»: no Record that is Good is mapped to it.",
            "Map one with: tidegate record map",
        )
    with transaction.atomic():
        return [request_sync(actor, connection, of_it) for connection, of_it in records.items()]


@action("operator", operation="operation_id")
def request_again(actor: Actor, operation_id: int) -> int:
    """Asks again for what failed: the Records of this Sync that were not read to their end and may sync now, or all of
    it where it failed as a whole, or nothing of it failed. Of a preview all is asked for again, as a preview; of a
    change what is left. Returns the new Operation's id.

    Raises NotThere; Refused where it has not ended, or nothing of it may be read now.
    """
    operation = _operation(operation_id)
    if operation.status in UNDER_WAY:
        raise Refused(f"Operation {operation_id} has not ended.", f"Watch it: tidegate operation watch {operation_id}")
    gone = operation.connection
    if why := why_not_again(operation_id, gone.label, gone.deleted_at, gone.draft_at is not None):
        raise Refused(why, "Connect the tool anew: the same account offers to continue the deleted Connection.")
    if operation.type == "deliver":
        return _delivered_again(actor, operation)
    if operation.preview:
        return _preview_again(actor, operation)
    if operation.type == "change":
        return change_again(actor, operation)
    if operation.type == "discover":
        return request_discover(actor, operation.connection_id)
    results = Result.objects.filter(operation_id=operation_id, family="")
    asked: list[int] | None = operation.scope.get("records")
    failed = list(results.filter(outcome__in=NOT_READ_TO_THE_END).values_list("record_id", flat=True))
    if not failed and asked is None:
        return request_sync(actor, operation.connection_id)
    again = _may_sync_of(failed or asked or ())
    if not again:
        which = "its Records that were not read to their end" if failed else "its Records"
        raise Refused(
            f"Nothing of Operation {operation_id} could be read again: none of {which} may sync now.",
            f"Sync all of it with: tidegate sync {shlex.quote(operation.connection.label)}",
        )
    return request_sync(actor, operation.connection_id, again)


def see_through(operation_id: int, progress: Progress = no_progress) -> None:
    """Waits until the Operation has ended: workers run it where there are any, else it is run here and now."""
    for row in follow(operation_id):
        if row.status not in UNDER_WAY:
            return
        at_work = row.status == "running" and lease_is_alive(operation_id)
        if not at_work and not service().workers:
            break
        progress(row.phase, row.done, row.total, row.beside)
    know_all_works()
    run_operation(operation_id, progress)
    if not service().scheduler:
        progress("Making findings searchable", 0, None)
        index_words(seconds=WORDS_SECONDS)  # nobody else does it, and whoever waited may search next


def discover(actor: Actor, connection_id: int, progress: Progress = no_progress) -> int:
    """Lists what the tool has and brings the Records up to it; returns the Operation's id once that has ended. How it
    went is in the Operation. Raises as `request_discover` does."""
    operation = request_discover(actor, connection_id)
    see_through(operation, progress)
    return operation


def sync(
    actor: Actor, connection_id: int, record_ids: Sequence[int] | None = None, progress: Progress = no_progress
) -> int:
    """Brings the findings of the mapped, Good Records (all, or these); returns the Operation's id once that has ended.
    Raises as `request_sync` does."""
    operation = request_sync(actor, connection_id, record_ids)
    see_through(operation, progress)
    return operation


def preview_discover(actor: Actor, connection_id: int, progress: Progress = no_progress) -> int:
    """Lists what the tool has and says what a Discover would do; returns the Operation's id once that has ended. What
    would change is in reads/preview.py. Raises as `request_discover_preview` does."""
    operation = request_discover_preview(actor, connection_id)
    see_through(operation, progress)
    return operation


def preview_sync(
    actor: Actor, connection_id: int, record_ids: Sequence[int] | None = None, progress: Progress = no_progress
) -> int:
    """Reads the mapped, Good Records (all, or these) and says what a Sync would do; returns the Operation's id once
    that has ended. Raises as `request_sync_preview` does."""
    operation = request_sync_preview(actor, connection_id, record_ids)
    see_through(operation, progress)
    return operation


@action("operator", operation="operation_id")
def cancel(actor: Actor, operation_id: int) -> None:
    """Ends an Operation: at once where nobody runs it, else within seconds. What was applied stays, what was not is not
    begun. Raises NotThere, or Refused where it has ended already."""
    operation = _operation(operation_id)
    if operation.status == "running" and ask_to_end(operation_id, str(actor)):
        return
    with transaction.atomic():
        operation = _operation(operation_id, lock=True)
        if operation.status not in UNDER_WAY:
            raise Refused(f"Operation {operation_id} has ended already.", "There is nothing to cancel.")
        if not ask_to_end(operation_id, str(actor)):
            cancel_operation(operation, str(actor))


@action("operator", operation="operation_id")
def approve(actor: Actor, operation_id: int) -> int:
    """Believes what an Operation held: its closings are closed, its absences become Missing. Returns how many.

    Only what is still open, and still gone as the Operation saw it, is touched.
    """
    return _settle(actor, operation_id, "approve_held", "approve_absences")


@action("operator", operation="operation_id")
def keep_open(actor: Actor, operation_id: int) -> int:
    """Keeps open what an Operation held, until the vendor has shown it once more. Returns how many.

    Held absences are let go of; the next complete Discover asks again.
    """
    return _settle(actor, operation_id, "keep_open", None)


def _runnable(connection_id: int, *, or_draft: bool = False) -> Connection:
    connection = Connection.objects.filter(pk=connection_id).first()
    if connection is None or (connection.deleted_at is not None and not (or_draft and connection.draft_at is not None)):
        raise NotThere(f"There is no Connection {connection_id}.", "List them with: tidegate connection list")
    if connection.paused_at is not None:
        raise Refused(
            f"{connection.label} is paused. {connection.paused_because}".rstrip(),
            f"Resume it with: tidegate connection resume {connection.pk}",
        )
    return connection


def _check_syncable(connection_id: int, record_ids: Sequence[int]) -> None:
    """Refuses Records that are unknown, of another Connection, or in a state that lets nothing flow; with its why."""
    found = {one.pk: one for one in living().filter(pk__in=set(record_ids), connection_id=connection_id)}
    for record_id in dict.fromkeys(record_ids):
        if record_id not in found:
            raise NotThere(
                f"There is no Record {record_id} of Connection {connection_id}.", "List them with: tidegate record list"
            )
        if refusal := may_sync(facts(found[record_id])):
            name = found[record_id].name
            raise Refused(f"{name} cannot sync. {refusal}", f"Look at it with: tidegate record show {record_id}")


def _preview_again(actor: Actor, operation: Operation) -> int:
    asked: list[int] | None = operation.scope.get("records")
    if operation.type == "discover":
        return request_discover_preview(actor, operation.connection_id)
    if asked is not None and not (asked := _may_sync_of(asked)):
        raise Refused(
            f"None of the Records of the preview {operation.pk} may sync now.", "Look at them: tidegate record list"
        )
    return request_sync_preview(actor, operation.connection_id, asked)


def _delivered_again(actor: Actor, operation: Operation) -> int:
    if operation.destination_id is None:
        raise NotThere(f"The Destination of Operation {operation.pk} was deleted.", "tidegate destination list")
    return request_deliver(
        operation.destination_id,
        operation.connection_id,
        actor=str(actor),
        trigger=actor.trigger,
        mode=operation.scope["mode"],
        preview=operation.preview,
    )


def _may_sync_of(record_ids: Iterable[int]) -> list[int]:
    records = living().filter(pk__in=list(record_ids)).order_by("pk")
    return [record.pk for record in records if not may_sync(facts(record))]


def _settle(actor: Actor, operation_id: int, closings: str, absences: str | None) -> int:
    operation = _operation(operation_id)
    if operation.preview:
        raise Refused(
            f"Operation {operation_id} was a preview: it wrote nothing, so there is nothing to decide.",
            f"Do it with: tidegate {operation.type} {shlex.quote(operation.connection.label)}",
        )
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
