"""The mapping rules of a Connection decide anew what rules decided before, where that is too much for one request: a
change (see change.py).

Batch by batch along the numbers of the Records, each a transaction that looks at the claim and at the rules. Whoever
takes it up begins with the first Record again: what the rules decided is as they want it, so nothing is written.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tidegate.rules.mapping import Compiled, compiled
from tidegate.store.models import Connection
from tidegate.store.writers.connection import lock_connection
from tidegate.store.writers.operation import hold_claim, request_operation
from tidegate.store.writers.rule import Applied, apply_to, next_batch, rules_of, version_of_rules

from .apply import again_after_deadlock
from .remap import counted, go_on_counting
from .run import Ending, Run

DECIDE: Final = "decide by rules"
BATCH: Final = 2_000

CHANGED: Final = "The rules were changed since: what is left stays as it is. Ask for it with the rules as they are now."
GONE: Final = "The Connection was deleted meanwhile."


class _Batch(NamedTuple):
    """What became of one batch: how many Records, which was the last; or why nothing more is done."""

    looked_at: int
    last: int
    applied: Applied
    why: str = ""


def run_decide(run: Run) -> Ending:
    """Lets the rules that were saved decide all Records that rules may decide."""
    go_on_counting(run)
    ready = compiled(rules_of(run.operation.connection_id))
    looked_at = after = 0
    while True:
        run.check()
        run.show("Deciding Records by the rules", looked_at, run.operation.scope["looked_at"])
        with run.in_database():
            batch = again_after_deadlock(lambda after=after: _decide(run, ready, after))
        run.counts.update(batch.applied.counts)
        if batch.why or not batch.looked_at:
            return Ending("partial" if batch.why else "success", batch.why, dict(run.counts))
        looked_at, after = looked_at + batch.looked_at, batch.last


def _decide(run: Run, ready: Compiled, after: int) -> _Batch:
    """One batch, in the transaction that is open."""
    hold_claim(run.claim)
    applied, operation = Applied(), run.operation
    connection = lock_connection(operation.connection_id)
    if connection is None or connection.deleted_at is not None:
        return _Batch(0, after, applied, GONE)
    if version_of_rules(rules_of(connection.pk)) != operation.scope["version"]:
        return _Batch(0, after, applied, CHANGED)
    rows = next_batch(connection.pk, after, again=True, batch=BATCH)
    if not rows:
        return _Batch(0, after, applied)
    assert operation.step is not None  # noqa: S101 - whoever asks for it gives it one
    apply_to(rows, ready, connection, run.claim.operation, operation.step, applied)
    _sync(run, connection, applied)
    counted(run, applied.counts)
    return _Batch(len(rows), rows[-1]["id"], applied)


def _sync(run: Run, connection: Connection, applied: Applied) -> None:
    """What was mapped flows by itself, once there was time to undo."""
    after = run.operation.scope["flows_after"]
    if applied.mapped and after is not None and connection.paused_at is None:
        actor, records = run.operation.actor, sorted(applied.mapped)
        request_operation("sync", connection.pk, actor=actor, records=records, delay=after)
