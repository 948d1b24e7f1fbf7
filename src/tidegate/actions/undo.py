"""What a person may ask to be undone of an Operation: what a Sync did, for all its Records or for some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tidegate.actions.action import action
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.step import wanted
from tidegate.ingest.undo import UNDO_SYNC
from tidegate.rules.actor import Actor
from tidegate.rules.undo_sync import Applied, Whole, why_not, why_not_at_all
from tidegate.store.models import Operation, Result
from tidegate.store.writers.operation import request_change
from tidegate.store.writers.record import Deciding, lock_records
from tidegate.store.writers.undo_sync import applied

NAMED: Final = 3
"""Of the Records that stand in the way, and of those that can be undone singly."""


@action("operator", operation="operation_id")
def undo_sync(actor: Actor, operation_id: int, record_ids: Sequence[int] | None = None) -> int:
    """Asks for the undo of what a Sync did to these Records, or to all that it was applied to; returns the Operation
    that does it. A worker takes it, or whoever sees it through.

    Raises NotThere; Refused with the why of the first Records that do not allow it: then nothing is undone.
    """
    operation = Operation.objects.select_related("connection").filter(pk=operation_id).first()
    if operation is None:
        raise NotThere(f"There is no Operation {operation_id}.", "List them with: tidegate operation list")
    if why := why_not_at_all(_whole(operation)):
        raise Refused(why, "Nothing was changed.")
    locked: dict[int, Deciding] = {}

    def there(ids: list[int]) -> list[int]:
        locked.update(lock_records(ids))
        return list(locked)

    records = wanted(_left(operation_id) if record_ids is None else record_ids, "Record", there)
    known = applied(operation_id, records)  # now that nobody else can change it
    facts = {
        record: known.get(record) or Applied(operation_id, record, locked[record].name, outcome=None)
        for record in records
    }
    whys = {record: why for record, found in facts.items() if (why := why_not(found))}
    if whys:
        raise _refused(operation_id, facts, whys)
    scope = {"change": UNDO_SYNC, "operation": operation_id, "records": records}
    return request_change(operation.connection_id, scope, actor=str(actor), records=records)


def undo_again(actor: Actor, operation: Operation) -> int:
    """Asks for what an undo that has ended did not come to; returns the new Operation. Raises Refused where it left
    nothing, or what it left cannot be undone any more."""
    done = Result.objects.filter(operation_id=operation.pk, outcome="complete").values_list("record_id", flat=True)
    left = set(operation.scope["records"]).difference(done)
    if not left:
        raise Refused(f"Nothing of Operation {operation.pk} is left to do.", "There is nothing to ask for again.")
    return undo_sync(actor, operation.scope["operation"], sorted(left))


def _whole(operation: Operation) -> Whole:
    undid = operation.scope["operation"] if operation.scope.get("change") == UNDO_SYNC else None
    return Whole(
        operation.pk,
        operation.type,
        operation.preview,
        operation.status,
        undid,
        operation.connection.label,
        operation.connection.deleted_at is not None,
    )


def _left(operation_id: int) -> list[int]:
    """All Records that the Sync was applied to and that are not undone already."""
    found = [one for one in applied(operation_id).values() if one.applied]
    if left := [one.record for one in found if one.undone_by is None]:
        return left
    if not found:
        raise Refused(f"Sync {operation_id} was applied to no Record.", "There is nothing to undo.")
    by = ", ".join(str(number) for number in sorted({one.undone_by for one in found if one.undone_by is not None}))
    raise Refused(
        f"Sync {operation_id} is undone already, by Operation {by}.", "The next Sync brings what the tool says."
    )


def _refused(operation_id: int, facts: Mapping[int, Applied], whys: Mapping[int, str]) -> Refused:
    named = " ".join(f"{facts[record].name}: {why}" for record, why in list(whys.items())[:NAMED])
    if len(facts) == 1:
        return Refused(f"Sync {operation_id} cannot be undone for {named}", "Nothing was changed.")
    more = f" And {len(whys) - NAMED:,} more." if len(whys) > NAMED else ""
    sentence = f"Sync {operation_id} cannot be undone for {len(whys):,} of {len(facts):,} Records. {named}{more}"
    singly = [f"--record {record}" for record in facts if record not in whys]
    if not singly:
        return Refused(sentence, "Nothing was changed.")
    rest = "" if len(singly) <= NAMED else " …"
    return Refused(
        sentence, f"Undo the others singly: tidegate operation undo {operation_id} {' '.join(singly[:NAMED])}{rest}"
    )
