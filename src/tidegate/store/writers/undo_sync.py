"""Takes back what a Sync did to the findings of one Record, as far as no person decided otherwise since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.db.models import F

from tidegate.rules.actor import TIDEGATE
from tidegate.rules.undo_sync import Applied
from tidegate.store.models import Record, Result
from tidegate.store.statement import rows_of


def applied(sync: int, records: Iterable[int] | None = None) -> dict[int, Applied]:
    """What the Sync left of each of its Records, or of these of them, and what became of them since."""
    asked = None if records is None else sorted(records)
    rows = rows_of("undo_sync_facts", sync=sync, records=asked)
    return {row["record"]: Applied(sync=sync, **row) for row in rows}


def undo_sync_of(facts: Applied, *, feed: int, operation: int, actor: str) -> Counter[str]:
    """Undoes it for one Record, which the caller has locked, in this Operation; returns what it did, counted.

    A Sync that reads the Record meanwhile compares again: it closes nothing on what it asked for before.
    """
    whence = {"feed": feed, "sync": facts.sync}
    how = whence | {"operation": operation, "actor": actor}
    minimum = Record.objects.values_list("connection__minimum_severity", flat=True).get(pk=facts.record)
    (waiting,) = rows_of("undo_sync_waiting", **whence)
    (created,) = rows_of("undo_sync_created", **how)
    (changed,) = rows_of("undo_sync_changed", **how, tidegate=str(TIDEGATE), minimum=minimum, record=facts.record)
    counts = Counter(waiting)
    counts.update(created)
    counts.update(changed)
    Record.objects.filter(pk=facts.record).update(epoch=F("epoch") + 1)
    Result.objects.filter(operation_id=facts.sync, record_id=facts.record).update(undone_by=operation)
    return +counts
