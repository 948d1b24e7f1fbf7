"""What a remap, its undo or a raised threshold does to more findings than one request carries: changes (see change.py).

Record by Record, range by range of keys, each range one transaction that looks at the claim and locks the Record. The
last range of a Record exchanges the proofs and lets go of the Record, so whoever takes the change up finds its Records
by that, and what is left of the first one by what is still where it was.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from tidegate.store.models import Connection, Record
from tidegate.store.statement import run as statement
from tidegate.store.writers import remap
from tidegate.store.writers.operation import hold_claim
from tidegate.store.writers.record import lock_records
from tidegate.store.writers.remap import Going, Span

from .apply import again_after_deadlock
from .run import Ending, Run

MOVE: Final = "move"
CLOSE: Final = "close"
PUT_BACK: Final = "put back"
THRESHOLD: Final = "threshold"


@dataclass(frozen=True)
class Kind:
    """One kind of change of Records that are its own until it ends."""

    phase: str
    work: Callable[[Run, Going, Span], Counter[str]]
    """One range of one Record, in the transaction that is open."""
    writes_to: Callable[[Going], int | None] | None
    """The Feed that the Record must still write to; None where that does not matter."""
    looks_in: Callable[[Going], Iterable[int | None]]
    """The Feeds whose findings it walks over."""


def run_move(run: Run) -> Ending:
    """Findings go over to the Feed that their Record writes to now."""
    return _carry_out(
        run, Kind("Moving findings", _move, lambda going: going.destination, lambda going: [going.source])
    )


def run_close(run: Run) -> Ending:
    """Findings that a remap leaves behind close, because a person said so."""
    return _carry_out(run, Kind("Closing findings", _close, None, lambda going: [going.source]))


def run_put_back(run: Run) -> Ending:
    """What a remap did to findings is undone."""
    ends: Callable[[Going], Iterable[int | None]] = lambda going: (going.source, going.destination)  # noqa: E731
    return _carry_out(run, Kind("Putting findings back", _put_back, lambda going: going.source, ends))


def run_threshold(run: Run) -> Ending:
    """What is below the threshold that is in force by then closes where its Record writes to."""
    go_on_counting(run)
    connection = run.operation.connection_id
    minimum = Connection.objects.values_list("minimum_severity", flat=True).get(pk=connection)
    for record, findings in remap.closings_below(connection, minimum).items():
        for span in remap.spans(findings):
            _step(run, "Closing findings", lambda record=record, span=span: _close_below(run, record, span))
    return Ending("success", "", dict(run.counts))


def _move(run: Run, going: Going, span: Span) -> Counter[str]:
    return remap.merge(run.operation.actor, run.operation.scope["of"], going, span, run.claim.operation)


def _close(run: Run, going: Going, span: Span) -> Counter[str]:
    closed = remap.close_findings_of(
        run.operation.actor, run.operation.scope["of"], [going.source], span, run.claim.operation
    )
    return Counter(closed=closed)


def _put_back(run: Run, going: Going, span: Span) -> Counter[str]:
    return remap.put_back(run.operation.actor, run.operation.scope["of"], going, span, run.claim.operation)


def _close_below(run: Run, record: int, span: Span) -> Counter[str]:
    hold_claim(run.claim)
    lock_records([record])
    # Read once the Record is locked: whoever changes the threshold renews its epoch.
    minimum = Connection.objects.values_list("minimum_severity", flat=True).get(pk=run.operation.connection_id)
    closed = remap.close_below(run.operation.actor, [record], minimum, span, run.claim.operation)
    return counted(run, Counter(closed=closed))


def _carry_out(run: Run, kind: Kind) -> Ending:
    go_on_counting(run)
    left = set(Record.objects.filter(changing_operation_id=run.claim.operation).values_list("pk", flat=True))
    lost = [
        why
        for going in remap.goings_of(run.operation.scope)
        if going.record in left and (why := _carry_out_one(run, kind, going))
    ]
    return Ending("partial" if lost else "success", " ".join(lost[:3]), dict(run.counts))


def _carry_out_one(run: Run, kind: Kind, going: Going) -> str:
    """All ranges of one Record; "" where that went well, else why it could not be done to its end."""
    there = remap.findings_in(feed for feed in kind.looks_in(going) if feed is not None)
    spans = remap.spans(max(there.values(), default=0))
    for number, span in enumerate(spans, start=1):
        last = number == len(spans)
        if why := _step(run, kind.phase, lambda span=span, last=last: _one(run, kind, going, span, last=last)):
            run.say(why, "warning", record=going.record)
            return why
    return ""


def _one(run: Run, kind: Kind, going: Going, span: Span, *, last: bool) -> Counter[str] | str:
    """One range of a Record; what it did, or why nothing more can be done for the Record."""
    hold_claim(run.claim)
    record = lock_records([going.record])[going.record]
    if record.changing_operation_id != run.claim.operation:
        return Counter()
    if kind.writes_to is not None and record.feed_id != kind.writes_to(going):
        remap.let_go_of(going.record, run.claim.operation)
        return f"{record.name}: the {record.target_lost or 'Feed'} it writes to was deleted meanwhile."
    did = kind.work(run, going, span)
    if last:
        if going.destination is not None and going.proofs:
            remap.exchange_proofs(going)
        remap.let_go_of(going.record, run.claim.operation)
    return counted(run, did)


def _step(run: Run, phase: str, transaction: Callable[[], Counter[str] | str]) -> str:
    """One transaction; "" where it did what it could, else why it could not."""
    run.check()
    run.show(phase, sum(run.counts.values()), run.operation.scope["findings"])
    with run.in_database():
        did = again_after_deadlock(transaction)
    if isinstance(did, str):
        return did
    run.counts.update(did)
    return ""


def counted(run: Run, did: Counter[str]) -> Counter[str]:
    """Notes in the same transaction what was done by then, so that an end that comes early can say it."""
    if did:
        counts = json.dumps(dict(run.counts + did))
        statement("count_change", operation=run.claim.operation, counts=counts)
    return did


def go_on_counting(run: Run) -> None:
    """Whoever takes the change up begins with what the attempt before has counted."""
    run.operation.refresh_from_db()
    run.counts = Counter(run.operation.counts)
