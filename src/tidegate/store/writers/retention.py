"""Retention: what nobody needs any more goes, in small batches; what is named by what stays, stays too.

Deletes in transactions of its own, each over some thousand rows, so it must not be called inside one.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import connection, transaction
from django.db.models import Max

from tidegate.config import Settings
from tidegate.store.models import OpenDay, Operation
from tidegate.store.statement import rows_of, run

AT_MOST: Final = 5_000
"""Rows a statement looks at or deletes."""

OPERATIONS_AT_MOST: Final = 500
RECORDS_AT_MOST: Final = 2_000

log = structlog.get_logger("tidegate.retention")

Batches = Iterator[int]
"""Deletes a batch at each step, and gives how much that was."""


def retain(now: datetime, settings: Settings | None = None, *, seconds: float = 20) -> dict[str, int]:
    """Deletes what is older than its days (TIDEGATE_KEEP_…), for so many seconds at most; gives how much of what.

    What there was no time for goes the next time. Each kind has its share of the time that is left, so none waits
    behind another.
    """
    if connection.in_atomic_block:
        raise RuntimeError("retain() commits batch by batch, so it must be called outside of a transaction.")
    settings = settings or Settings()
    logs, results, jobs, operations, counts = (
        now - timedelta(days=days)
        for days in (
            settings.keep_logs_days,
            settings.keep_results_days,
            settings.keep_jobs_days,
            settings.keep_operations_days,
            settings.keep_counts_days,
        )
    )
    work: dict[str, Batches] = {
        "log_lines": _log_lines(logs),
        "results": _results(results),
        "jobs": _until_none(lambda: run("jobs_forget", before=jobs, at_most=AT_MOST)),
        "news": _until_none(lambda: run("news_forget", before=logs, at_most=AT_MOST)),
        "operations": _operations(operations),
        "open_days": _open_days(counts),
    }
    deleted: Counter[str] = Counter(dict.fromkeys(work, 0))
    ends, unfinished = time.monotonic() + seconds, list[str]()
    for left, (name, batches) in zip(range(len(work), 0, -1), work.items(), strict=True):
        share = (ends - time.monotonic()) / left
        if not _work_off(name, batches, share, deleted):
            unfinished.append(name)
    if +deleted or unfinished:
        log.info("retention", **deleted, unfinished=", ".join(unfinished) or "nothing")
    return dict(deleted)


def _work_off(name: str, batches: Batches, seconds: float, deleted: Counter[str]) -> bool:
    """Takes batch after batch while there is time, at least one; whether it came to the end."""
    ends = time.monotonic() + seconds
    while True:
        with transaction.atomic():
            batch = next(batches, None)
        if batch is None:
            return True
        deleted[name] += batch
        if time.monotonic() >= ends:
            return False


def _until_none(delete: Callable[[], int]) -> Batches:
    while number := delete():
        yield number


def _log_lines(before: datetime) -> Batches:
    last = _last_operation(before)
    yield from _until_none(lambda: run("log_forget", last=last, before=before, at_most=AT_MOST))


def _results(before: datetime) -> Batches:
    """Goes along the key once: the latest of each Record stay at its beginning for ever, and are passed each time."""
    last = _last_operation(before)
    after: dict[str, int | str] = {"operation": 0, "record": 0, "family": "", "branch": ""}
    while True:
        key = {f"after_{name}": value for name, value in after.items()}
        looked_at = rows_of("results_look", **key, last=last, at_most=AT_MOST)
        if not looked_at:
            return
        run("results_sum", operations=sorted({row["operation_id"] for row in looked_at}))
        yield run("results_forget", results=[row["id"] for row in looked_at], before=before)
        end = looked_at[-1]
        after = {name: end[f"{name}_id" if name in ("operation", "record") else name] for name in after}


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
