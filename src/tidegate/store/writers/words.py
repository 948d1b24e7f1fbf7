"""The words of findings, for search: filled after the apply, some seconds later, by whoever has the time.

Works in transactions of its own, each over some thousand findings, so it must not be called inside one. What is done is
done, and any number may work at once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

import structlog
from django.db import connection, transaction

from tidegate.store.statement import rows_of, run

BATCH: Final = 2_000
"""Findings whose words are made in one transaction; one Feed more may be in it."""

LOOK_AHEAD: Final = 100_000
"""Findings of a Feed whose numbers are asked for at once: to ask walks over all that the Operation created."""

log = structlog.get_logger("tidegate.words")

Due = dict[str, Any]


def index_words(*, seconds: float = 20) -> int:
    """Indexes the words of what waits, for so many seconds at most but one step at least; returns how many findings.

    What there was no time for waits for the next time.
    """
    if connection.in_atomic_block:
        raise RuntimeError("index_words() commits batch by batch, so it must be called outside of a transaction.")
    ends, indexed, passed = time.monotonic() + seconds, 0, list[int]()
    while True:
        done, large = _index_some(passed)
        indexed += done
        for due in large:
            indexed += _index_feed(due, ends)
            passed.append(due["id"])
        if not (done or large) or time.monotonic() >= ends:
            break
    if indexed:
        log.info("words", findings=indexed)
    return indexed


def _index_some(passed: list[int]) -> tuple[int, list[Due]]:
    """One transaction over what comes first; gives how many things it did, and the Feeds that are too large for it."""
    large, small, findings = list[Due](), list[int](), set[int]()
    with transaction.atomic():
        for due in rows_of("words_due", passed=passed, at_most=BATCH):
            wanted = [due["finding_id"]] if due["single"] else _wanted(due, due["finding_id"] or 0, BATCH + 1)
            if len(wanted) > BATCH:
                large.append(due)
            else:
                findings.update(wanted)
                small.append(due["id"])
            if len(findings) >= BATCH or large:
                break
        _index(sorted(findings))
        _done(small)
    return max(len(findings), len(small)), large


def _index_feed(due: Due, ends: float) -> int:
    """Batch by batch, each with how far it came; stops where somebody else is further, or the time is over."""
    indexed, after = 0, due["finding_id"] or 0
    while wanted := _wanted(due, after, LOOK_AHEAD):
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            with transaction.atomic():
                if not run("words_progress", due=due["id"], finding=batch[-1]):
                    return indexed
                _index(batch)
            indexed += len(batch)
            after = batch[-1]
            if time.monotonic() >= ends:
                return indexed
    with transaction.atomic():
        _done([due["id"]])
    return indexed


def _done(due: Sequence[int]) -> None:
    run("words_done", due=list(due))


def _wanted(due: Due, after: int, at_most: int) -> list[int]:
    wanted = {"feed": due["feed_id"], "operation": due["operation_id"] or None, "after": after, "at_most": at_most}
    return [row["id"] for row in rows_of("words_wanted", **wanted)]


def _index(findings: Sequence[int]) -> None:
    if findings:
        run("words_index", findings=list(findings))
