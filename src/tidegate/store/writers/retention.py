"""Retention: what nobody needs any more goes, in small batches; what is named by what stays, stays too.

Deletes in transactions of its own, each over some thousand rows, so it must not be called inside one.
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import connection, transaction
from django.db.models import DateTimeField, Max, Value
from django.db.models.functions import Greatest

from tidegate.config import Settings
from tidegate.rules.retention import KEPT, TRIED_DAYS
from tidegate.store.models import Connection, Mark, OpenDay, Operation
from tidegate.store.statement import rows_of, run
from tidegate.store.writers.connection import forget_draft
from tidegate.store.writers.request import forget_requests

AT_MOST: Final = 5_000
"""Rows a statement looks at or deletes."""

OPERATIONS_AT_MOST: Final = 500
RECORDS_AT_MOST: Final = 2_000

AGAIN: Final = timedelta(days=30)
"""What was passed is looked at again after so long: by then it may be forgettable. Else nothing is looked at twice."""

log = structlog.get_logger("tidegate.retention")

Batches = Iterator[int]
"""Deletes a batch at each step, and gives how much that was."""

Told = Callable[[str, int], None]
"""Told after each batch of what, and how much of it went so far."""


def retain(
    now: datetime,
    settings: Settings | None = None,
    *,
    seconds: float | None = 20,
    told: Told = lambda what, number: None,
) -> dict[str, int]:
    """Deletes what is older than its days (TIDEGATE_KEEP_…), for so many seconds at most (None: until nothing is left);
    gives how much of what.

    What there was no time for goes the next time. Each kind has its share of the time that is left, so none waits
    behind another.
    """
    if connection.in_atomic_block:
        raise RuntimeError("retain() commits batch by batch, so it must be called outside of a transaction.")
    before = limits(now, settings or Settings())
    work: dict[str, Batches] = {
        "previews": _previews(before["previews"]),
        "drafts": _drafts(before["drafts"]),
        "requests": _until_none(lambda: forget_requests(before["requests"])),
        "log_lines": _log_lines(before["log_lines"]),
        "results": _results(before["results"], now),
        "jobs": _until_none(lambda: run("jobs_forget", before=before["jobs"], at_most=AT_MOST)),
        "news": _until_none(lambda: run("news_forget", before=before["news"], at_most=AT_MOST)),
        "journal": _journal(before["journal"], now),
        "operations": _operations(before["operations"]),
        "open_days": _open_days(before["open_days"]),
    }
    deleted: Counter[str] = Counter(dict.fromkeys(work, 0))
    ends, unfinished = math.inf if seconds is None else time.monotonic() + seconds, list[str]()
    for left, (name, batches) in zip(range(len(work), 0, -1), work.items(), strict=True):
        share = (ends - time.monotonic()) / left
        if not _work_off(name, batches, share, deleted, told):
            unfinished.append(name)
    if +deleted or unfinished:
        log.info("retention", **deleted, unfinished=", ".join(unfinished) or "nothing")
    return dict(deleted)


def limits(now: datetime, settings: Settings) -> dict[str, datetime]:
    """Of each kind, since when it is kept."""
    return {
        name: now - timedelta(days=getattr(settings, kept.setting) if kept.setting else TRIED_DAYS)
        for name, kept in KEPT.items()
    }


def _work_off(name: str, batches: Batches, seconds: float, deleted: Counter[str], told: Told) -> bool:
    """Takes batch after batch while there is time, at least one; whether it came to the end."""
    ends = time.monotonic() + seconds
    told(name, 0)
    while True:
        with transaction.atomic():
            batch = next(batches, None)
        if batch is None:
            return True
        deleted[name] += batch
        told(name, deleted[name])
        if time.monotonic() >= ends:
            return False


def _until_none(delete: Callable[[], int]) -> Batches:
    while number := delete():
        yield number


def _log_lines(before: datetime) -> Batches:
    last = _last_operation(before)
    yield from _until_none(lambda: run("log_forget", last=last, before=before, at_most=AT_MOST))


def _previews(before: datetime) -> Batches:
    """A day after their end, whoever looked."""
    while previews := list(
        Operation.objects.filter(preview=True, ended_at__lt=before)
        .order_by("pk")
        .values_list("pk", flat=True)[:OPERATIONS_AT_MOST]
    ):
        while _emptied(previews):
            yield 0
        yield run("previews_forget", operations=previews)


def _drafts(before: datetime) -> Batches:
    """With their secrets and all that hangs on them; one that is just being tried out stays until that has ended."""
    for draft in Connection.objects.filter(draft_at__lt=before).order_by("pk").values_list("pk", flat=True):
        while True:
            still_one = Connection.objects.select_for_update().filter(pk=draft, draft_at__lt=before).exists()
            operations = Operation.objects.filter(connection_id=draft)
            if not still_one or operations.filter(status="running").exists():
                break
            if not _emptied(list(operations.values_list("pk", flat=True))):
                forget_draft(draft)
                yield 1
                break
            yield 0


def _emptied(operations: list[int]) -> int:
    """Deletes some of what hangs on Operations; gives how much that was."""
    return rows_of("operations_empty", operations=operations, at_most=AT_MOST)[0]["deleted"] if operations else 0


def _results(before: datetime, now: datetime) -> Batches:
    """Goes along the key: what stays for ever stands at its beginning, and is passed once a month."""
    last, mark = _last_operation(before), _begun(Mark.RESULTS, now)
    after: dict[str, int | str] = {"operation": mark.reached, "record": 0, "family": "", "branch": ""}
    while True:
        key = {f"after_{name}": value for name, value in after.items()}
        looked_at = rows_of("results_look", **key, last=last, at_most=AT_MOST)
        if not looked_at:
            return
        run("results_sum", operations=sorted({row["operation_id"] for row in looked_at}))
        forgotten = run("results_forget", results=[row["id"] for row in looked_at], before=before)
        end = looked_at[-1]
        after = {name: end[f"{name}_id" if name in ("operation", "record") else name] for name in after}
        Mark.objects.filter(pk=mark.pk).update(reached=end["operation_id"])  # it may have more: the next begins with it
        yield forgotten


def _journal(before: datetime, now: datetime) -> Batches:
    """Goes along the journal as it was written, once: never the whole of it for the few lines that became old."""
    reached = _begun(Mark.JOURNAL, now).reached
    while True:
        (seen,) = rows_of("journal_forget", after=reached, before=before, at_most=AT_MOST)
        if seen["reached"] is None:
            return
        reached = seen["reached"]
        Mark.objects.filter(pk=Mark.JOURNAL).update(
            reached=reached, forgotten_until=Greatest("forgotten_until", Value(seen["until"], DateTimeField()))
        )
        yield seen["forgotten"]


def _begun(name: str, now: datetime) -> Mark:
    """How far the walk is; it begins again once it is old."""
    mark, _ = Mark.objects.get_or_create(pk=name, defaults={"begun_at": now})
    if now - mark.begun_at >= AGAIN:
        mark.reached, mark.begun_at = 0, now
        mark.save(update_fields=["reached", "begun_at"])
    return mark


def _operations(before: datetime) -> Batches:
    below = _last_operation(before) + 1
    while looked_at := rows_of("operations_look", below=below, before=before, at_most=OPERATIONS_AT_MOST):
        below = looked_at[-1]["id"]
        forgettable = [row["id"] for row in looked_at if row["forgettable"]]
        yield run("operations_forget", operations=forgettable) if forgettable else 0


def _open_days(before: datetime) -> Batches:
    """Begins anywhere, so that where time is short every Record has its turn some day."""
    last = OpenDay.objects.aggregate(last=Max("record"))["last"] or 0
    starts = list(range(0, last, RECORDS_AT_MOST))
    turn = random.randrange(len(starts)) if starts else 0  # noqa: S311 - a place to begin, no secret
    for after in starts[turn:] + starts[:turn]:
        yield run("open_days_forget", after=after, at_most=RECORDS_AT_MOST, day=before.date())


def _last_operation(before: datetime) -> int:
    """The youngest Operation that was asked for so long ago; later ones have nothing so old."""
    asked = Operation.objects.filter(requested_at__lt=before).order_by("-pk").values_list("pk", flat=True)
    return asked.first() or 0
