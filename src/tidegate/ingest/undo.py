"""Undo of a Sync, Record by Record, each in one transaction: a change (see change.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.db.models import QuerySet

from tidegate.rules.undo_sync import Applied, did_in_words, why_not
from tidegate.store.acting import say_who_acts
from tidegate.store.models import Record, Result
from tidegate.store.writers.operation import hold_claim
from tidegate.store.writers.record import lock_records
from tidegate.store.writers.undo_sync import applied, undo_sync_of

from .apply import again_after_deadlock
from .record import lock_feed
from .run import Ending, Run

UNDO_SYNC = "undo sync"


def run_undo_sync(run: Run) -> Ending:
    """Undoes the Sync for what is left of its Records: one that has its result is done."""
    sync: int = run.operation.scope["operation"]
    records: list[int] = run.operation.scope["records"]
    done = set(_results_of(run).values_list("record_id", flat=True))
    for number, record in enumerate(records):
        if record in done:
            continue
        run.check()
        run.show(f"Undoing Sync {sync}", number, len(records))
        with run.in_database():
            again_after_deadlock(lambda record=record: _undo_one(run, sync, record))
    return _ending(sync, _results_of(run).select_related("record"))


def _undo_one(run: Run, sync: int, record: int) -> None:
    hold_claim(run.claim)
    lock_records([record])
    facts = applied(sync, [record]).get(record)
    if facts is None:
        run.say(f"Record {record} was deleted since; there is nothing to undo.", "warning", record=record)
        return
    operation, actor = run.claim.operation, run.operation.actor
    if why := why_not(facts, by=operation):
        _save_result(run, facts, "dropped", why=why)
        run.say(f"{facts.name} is left as it is. {why}", "warning", record=record)
        return
    say_who_acts(actor, operation=operation)
    feed = lock_feed(Record.objects.get(pk=record))
    counts = undo_sync_of(facts, feed=feed, operation=operation, actor=actor)
    _save_result(run, facts, "complete", counts=counts)
    run.counts.update(counts)
    run.say(f"{facts.name}: {did_in_words(counts)}", record=record)


def _results_of(run: Run) -> QuerySet[Result]:
    return Result.objects.filter(operation_id=run.claim.operation, family="")


def _save_result(run: Run, facts: Applied, outcome: str, *, why: str = "", counts: Counter[str] | None = None) -> None:
    Result.objects.create(
        operation_id=run.claim.operation,
        record_id=facts.record,
        outcome=outcome,
        why=why,
        counts=dict(counts or {}),
    )


def _ending(sync: int, results: Iterable[Result]) -> Ending:
    counts: Counter[str] = Counter()
    refused: list[str] = []
    undone = 0
    for result in results:
        counts.update(result.counts)
        if result.outcome == "dropped":
            refused.append(f"{result.record.name} is left as it is. {result.why}")
        else:
            undone += 1
    told = " ".join(refused[:3])
    if len(refused) > 3:
        told += f" And {len(refused) - 3:,} more."
    if not undone:
        return Ending("failed", told or "None of its Records is there any more.", dict(counts))
    said = f"Sync {sync} is undone: {did_in_words(counts)}"
    return Ending("partial" if refused else "success", f"{said} {told}".rstrip(), dict(counts))
