"""The preview of a delivery: what would be written, by what is known here.

Nobody there is asked, so what its people said meanwhile is not in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tidegate.ingest.apply import again_after_deadlock
from tidegate.ingest.record import DIFFERENCES, DIFFERENCES_OF_RECORD
from tidegate.ingest.run import Ending, Run
from tidegate.rules.delivery import fate, foretold, sent
from tidegate.store.models import DeliveredTest, Destination, Test
from tidegate.store.writers import difference as store
from tidegate.store.writers.delivered import Due, as_delivered, due_findings
from tidegate.store.writers.operation import hold_claim

from .test import CHUNK
from .theirs import AT_ONCE

MOST_TOLD: Final = 3
"""Tests that would be left alone in the sentence that ends it; all of them are in its log."""


def foresee(run: Run, destination: Destination, tests: Sequence[Test]) -> Ending:
    """Counts all of it, and keeps for a day so many differences of each kind and Record as a Sync's preview does."""
    _keep(run, [], anew=True)
    left: list[str] = []
    listed: Counter[tuple[int, str]] = Counter()
    for number, test in enumerate(tests):
        run.check()
        run.show(f"Looking at {test.name} of {test.engagement.product.name}", number, len(tests))
        there = DeliveredTest.objects.filter(destination=destination, test=test).first()
        if there is not None and (there.lost_at is not None or there.left):
            why = "what it was delivered into is gone there" if there.lost_at is not None else "others wrote into it"
            left.append(f"{test.engagement.product.name} › {test.name} would be left alone: {why}.")
            run.say(left[-1], "warning")
            continue
        for some in _dues(there.pk if there is not None else 0, test):
            run.check()
            rows: list[dict[str, Any]] = []
            for due in some:
                kind = _kind(due)
                run.counts[kind] += 1
                listed[due.record, kind] += 1
                if kind and run.differences < DIFFERENCES and listed[due.record, kind] <= DIFFERENCES_OF_RECORD:
                    run.differences += 1
                    rows.append(_row(due, kind))
            _keep(run, rows)
    told = " ".join([*left[:MOST_TOLD], *([f"And {len(left) - MOST_TOLD:,} more."] if left[MOST_TOLD:] else [])])
    return Ending("success", told, {word: number for word, number in run.counts.items() if word})


def _dues(delivered: int, test: Test) -> Iterator[list[Due]]:
    """What has to be looked at, so many at a time."""
    after = 0
    while ids := due_findings(delivered, test.pk, after, CHUNK):
        after = ids[-1]
        for begin in range(0, len(ids), AT_ONCE):
            some = ids[begin : begin + AT_ONCE]
            yield as_delivered(delivered, test.pk, test.connection_id or 0, str(test.connection), some)


def _kind(due: Due) -> str:
    if due.gone:
        return ""
    if due.their_id is None:
        return "created" if due.ours.open else ""
    return fate(due.written, sent(due.ours))


def _row(due: Due, kind: str) -> dict[str, Any]:
    before, after = ({}, {}) if kind == "created" else foretold(due.written, sent(due.ours), due.seen or {})
    return {
        "kind": kind, "record_id": due.record, "finding_id": due.ours.id, "family": due.family, "branch": due.branch,
        "key": due.key, "title": due.ours.title, "severity": due.ours.severity,
        "because": due.closed_because if kind == "closed" else "", "before": before, "after": after,
    }  # fmt: skip


def _keep(run: Run, rows: Sequence[Mapping[str, Any]], *, anew: bool = False) -> None:
    def keep() -> None:
        hold_claim(run.claim)
        if anew:
            store.forget_differences(run.claim.operation)
        store.add_differences(run.claim.operation, rows)

    if rows or anew:
        with run.in_database():
            again_after_deadlock(keep)
