"""What is left of a change that did not come to its end, asked for again."""

from __future__ import annotations

from typing import NoReturn
from uuid import UUID

from tidegate.actions.errors import Refused
from tidegate.actions.undo import undo_again
from tidegate.ingest.decide import DECIDE
from tidegate.ingest.remap import CLOSE, MOVE, PUT_BACK, THRESHOLD
from tidegate.ingest.undo import UNDO_SYNC
from tidegate.rules.actor import Actor
from tidegate.rules.record import why_changing
from tidegate.store.acting import acting
from tidegate.store.models import Connection, Operation
from tidegate.store.writers import remap as findings
from tidegate.store.writers.connection import lock_connection, request_threshold
from tidegate.store.writers.operation import request_change
from tidegate.store.writers.record import Deciding, lock_records
from tidegate.store.writers.remap import Going
from tidegate.store.writers.rule import rules_of, version_of_rules
from tidegate.store.writers.undo import last_decision


def change_again(actor: Actor, operation: Operation) -> int:
    """Asks for what an ended change left undone; returns the new Operation's id.

    Raises Refused where it left nothing, or a Record of it was decided again since.
    """
    kind = operation.scope["change"]
    with acting(str(actor)):
        if kind == THRESHOLD:
            return _threshold_again(actor, operation)
        if kind == DECIDE:
            return _decide_again(actor, operation)
        if kind == UNDO_SYNC:
            return undo_again(actor, operation)
        if kind not in (MOVE, CLOSE, PUT_BACK):
            raise Refused(
                f"Operation {operation.pk} cannot be asked for again.",
                f"Look at it: tidegate operation show {operation.pk}",
            )
        records = lock_records(operation.scope["records"])
        goings = [going for going in findings.goings_of(operation.scope) if going.record in records]
        for going in goings:
            _refuse_what_was_decided(operation, records[going.record])
        left = {going: number for going in goings if (number := _left(kind, going, operation))}
        if not left:
            _nothing_left(operation)
        (asked,) = findings.request_remap(
            kind,
            list(left),
            {going.record: number for going, number in left.items()},
            actor=actor,
            step=operation.step,  # pyright: ignore[reportArgumentType] - the change of a remap has one
            of=UUID(operation.scope["of"]) if kind == PUT_BACK else None,
            sync_after=operation.scope["sync_after"],
        )
        return asked


def _refuse_what_was_decided(operation: Operation, record: Deciding) -> None:
    if record.changing_operation_id is not None:
        raise Refused(f"{record.name} is not free.", f"{why_changing(record.changing_operation_id)}.")
    last = last_decision(record.id)
    if last is None or last.step != operation.step:
        raise Refused(
            f"{record.name} was decided again since Operation {operation.pk}, so nothing more of it is done.",
            f"See what happened: tidegate record show {record.id}",
        )


def _left(kind: str, going: Going, operation: Operation) -> int:
    """How many findings of a Record the change has not come to."""
    of: str = operation.scope["of"]
    if kind == CLOSE:
        return findings.findings_in([going.source], open_only=True).get(going.source, 0)
    if kind == MOVE:
        return findings.merge_state(going, of).to_go
    return findings.back_to_go(going, of)


def _threshold_again(actor: Actor, operation: Operation) -> int:
    connection = Connection.objects.get(pk=operation.connection_id)
    closes = sum(findings.closings_below(connection.pk, connection.minimum_severity).values())
    if not closes:
        _nothing_left(operation)
    return request_threshold(actor, connection.pk, connection.minimum_severity, closes)


def _decide_again(actor: Actor, operation: Operation) -> int:
    """The same rules go on where they were cut short; what they decided is as they want it."""
    if operation.status == "success":
        _nothing_left(operation)
    connection = lock_connection(operation.connection_id)
    if connection is None or version_of_rules(rules_of(connection.pk)) != operation.scope["version"]:
        raise Refused(
            f"The rules were changed since Operation {operation.pk}, so nothing more of it is done.",
            "Save them once more, and ask that they decide anew: tidegate rule edit CONNECTION POSITION --again",
        )
    return request_change(connection.pk, operation.scope, actor=str(actor), step=operation.step)


def _nothing_left(operation: Operation) -> NoReturn:
    raise Refused(f"Nothing of Operation {operation.pk} is left to do.", "There is nothing to ask for again.")
