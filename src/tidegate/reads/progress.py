"""How far an Operation is, live: for whoever waits for it, on a terminal or a page."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
from django.db.models import OuterRef, Subquery
from msgspec import Meta

from tidegate.reads.share import seen_whole, visible_operations
from tidegate.rules.progress import progress_in_words
from tidegate.store import models
from tidegate.store.listen import PROGRESS, listening

LOOK_SECONDS: Final = 5.0
"""How often the rows themselves are asked, whatever is told: a worker that died says nothing."""

UNDER_WAY: Final = ("pending", "running")


class ProgressRow(msgspec.Struct, frozen=True, kw_only=True):
    """How far one Operation is."""

    operation: Annotated[int, Meta(description="Its number.")]
    status: Annotated[str, Meta(description="`pending`, `running`, or how it ended.")]
    phase: Annotated[str, Meta(description="What it does now.")]
    done: Annotated[int, Meta(description="How much of it is done.")]
    total: Annotated[int | None, Meta(description="Of how much, or null where that is not known.")]
    seen: Annotated[int, Meta(description="Findings read so far.")]
    rate: Annotated[float, Meta(description="Findings read a second.")]
    left: Annotated[float | None, Meta(description="Seconds that are left, or null where that is not known.")]
    counts: Annotated[dict[str, int], Meta(description="What it did so far.")]
    beside: Annotated[str, Meta(description="All that in words, for beside a bar.")]


def progress(operation_id: int) -> ProgressRow | None:
    """How far it is now; None if there is none of this number."""
    found = visible_operations(operation_id).annotate(told=told_by_its_worker()).first()
    if found is None:
        return None
    return _row(operation_id, found.status, shown(found.connection_id, found.told or {}))


def told_by_its_worker() -> Subquery:
    """How far each Operation of a query is, as a column of it; null where nobody runs it."""
    return Subquery(models.Lease.objects.filter(pk=OuterRef("pk")).values("progress")[:1])


def progress_of(operations: Sequence[int]) -> dict[int, ProgressRow]:
    """The same of several, by their numbers."""
    if not operations:
        return {}
    found = visible_operations().filter(pk__in=operations).annotate(told=told_by_its_worker())
    return {one.pk: _row(one.pk, one.status, shown(one.connection_id, one.told or {})) for one in found}


def follow(operation_id: int) -> Iterator[ProgressRow]:
    """How far it is, now and whenever that changes, until it has ended; and every few seconds whatever happens."""
    connection = models.Operation.objects.filter(pk=operation_id).values_list("connection_id", flat=True).first() or 0
    with listening(PROGRESS) as listener:
        row = progress(operation_id)
        while row is not None:
            yield row
            if row.status not in UNDER_WAY:
                return
            row = _next(listener.heard(LOOK_SECONDS), operation_id, connection) or progress(operation_id)


def shown(connection_id: int, told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Who sees some Records of an Operation only is told what it does, and not how much of others'."""
    return told if seen_whole(connection_id) else {name: told[name] for name in ("phase",) if name in told}


def _next(heard: Iterator[dict[str, Any]], operation_id: int, connection_id: int) -> ProgressRow | None:
    until = time.monotonic() + LOOK_SECONDS
    for told in heard:
        if told["operation"] == operation_id and "progress" in told:
            return _row(operation_id, told["status"], shown(connection_id, told["progress"]))
        if told["operation"] == operation_id or time.monotonic() > until:
            return None
    return None


def _row(operation_id: int, status: str, told: Mapping[str, Any]) -> ProgressRow:
    waits = {"pending": "Waiting for its turn", "running": "Running"}.get(status, "Ended")
    return ProgressRow(
        operation=operation_id,
        status=status,
        phase=told.get("phase", waits) if status in UNDER_WAY else waits,
        done=told.get("done", 0),
        total=told.get("total"),
        seen=told.get("seen", 0),
        rate=told.get("rate", 0.0),
        left=told.get("left"),
        counts=told.get("counts", {}),
        beside=progress_in_words(told),
    )
