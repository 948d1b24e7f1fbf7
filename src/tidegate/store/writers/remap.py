"""What a remap does to the findings imported before it, and its undo: over to another Feed, closed, or back again.

All of it at once, in the caller's transaction with the Record locked, where they are few. Where they are many a change
does it range by range of their keys (ingest/remap.py), each a transaction: what is left is found by what is there, so
it can be taken up anywhere. A range holds all Branches of a finding, because decisions are theirs together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import Q, Sum

from tidegate.rules.actor import Actor
from tidegate.store.models import Feed, Operation, Record, Tally
from tidegate.store.statement import rows_of, run
from tidegate.store.writers.operation import request_change
from tidegate.store.writers.record import make_feeds, make_tests

AT_ONCE: Final = 5_000
"""Findings that an action itself moves, closes or puts back; what is more is a change."""

BATCH: Final = 5_000
"""Findings that a change takes in one transaction, about: keys are digests, so ranges of them are of a size."""


class Span(NamedTuple):
    """A range of keys, both ends in it."""

    low: UUID
    high: UUID


ALL: Final = Span(UUID(int=0), UUID(int=2**128 - 1))


@dataclass(frozen=True)
class Going:
    """Findings of a Record that a remap touches: those in the Feed `source`, and (not where they close) the Feed of the
    new Product. `proofs` are exchanged at the end."""

    record: int
    source: int
    destination: int | None = None
    proofs: bool = True


def spans(findings: int) -> list[Span]:
    """Ranges of keys that hold a batch each, for so many findings in all."""
    number = max(1, -(-findings // BATCH))
    ends = [2**128 * n // number for n in range(number + 1)]
    return [Span(UUID(int=low), UUID(int=high - 1)) for low, high in pairwise(ends)]


def findings_in(feeds: Iterable[int], *, open_only: bool = False) -> dict[int, int]:
    """How many findings each of these Feeds holds, by their tally; Feeds without any are not there."""
    counted = Tally.objects.filter(Q(open=True) if open_only else Q(), feed_id__in=set(feeds))
    rows = counted.values("feed_id").annotate(number=Sum("n")).filter(number__gt=0)
    return {row["feed_id"]: row["number"] for row in rows}


# Over to another Feed


def move_feeds(targets: Mapping[int, int], from_feeds: Mapping[int, int]) -> list[Going]:
    """Lets what was imported go along with a remap; comes before map_records. The Feed itself goes where it can, so a
    million findings are one row. Gives those that cannot, because this Record has a Feed at the destination already:
    the two are to be merged, unless there is nothing."""
    tests = make_tests(targets)
    moved = rows_of(
        "feeds_move", feeds=[from_feeds[record] for record in targets], tests=[tests[record] for record in targets]
    )
    left = tests.keys() - {row["record_id"] for row in moved}
    destinations = make_feeds({record: tests[record] for record in sorted(left)})
    there = findings_in(from_feeds[record] for record in left)
    return [
        Going(record, from_feeds[record], destination)
        for record, destination in sorted(destinations.items())
        if from_feeds[record] in there
    ]


def merge(actor: str, step: str, going: Going, span: Span = ALL, operation: int | None = None) -> Counter[str]:
    """Findings of one Feed of a Record go over to another; where the same one is there, it takes decision and opening,
    and the one left behind closes as merged. All of it is journalled, so that it can be undone."""
    ends = {"source": going.source, "destination": going.destination}
    pairs = rows_of("merge_pairs", **ends, step=step, **span._asdict())
    if not pairs:
        return Counter()
    sources, theres = [pair["source_id"] for pair in pairs], [pair["there_id"] for pair in pairs]
    run("merge_journal", **ends, sources=sources, theres=theres, actor=actor, step=step, operation=operation)
    run("merge_decisions", **ends, sources=sources)
    run("merge_held", **ends, sources=sources, theres=theres)
    run("merge_openings", destination=going.destination, sources=sources, theres=theres)
    run("merge_findings", destination=going.destination, sources=sources, theres=theres)
    _judge([going.destination], sources, actor, operation)
    _look_for_words(going.destination, sources)
    merged = sum(there is not None for there in theres)
    return Counter(moved=len(pairs) - merged, merged=merged)


def _judge(feeds: Sequence[int | None], findings: Sequence[int], actor: str, operation: int | None) -> None:
    """What is decided of these holds on all their Branches in these Feeds."""
    for feed in feeds:
        run("merge_judge", feed=feed, findings=list(findings), actor=actor, operation=operation)


def _look_for_words(feed: int | None, findings: Sequence[int]) -> None:
    run("words_due_moved", feed=feed, findings=list(findings))


def exchange_proofs(going: Going) -> None:
    """The proofs go with the findings that went from one Feed to the other; once all are there."""
    run("merge_parts", source=going.source, destination=going.destination)


# Closed


def close_findings_of(
    actor: str, step: str, feeds: Sequence[int], span: Span = ALL, operation: int | None = None
) -> int:
    """Closes what is open in these Feeds because a person said so; returns how many."""
    how = {"actor": actor, "step": step, "operation": operation}
    return run("findings_close_by_person", feeds=list(feeds), **span._asdict(), **how)


def close_below(
    actor: str, records: Sequence[int], minimum: int, span: Span = ALL, operation: int | None = None
) -> int:
    """Closes what is below the threshold where these locked Records write to; returns how many."""
    how = {"minimum": minimum, "actor": actor, "operation": operation}
    return run("findings_close_below", records=list(records), **span._asdict(), **how)


def closings_below(connection_id: int, minimum: int) -> dict[int, int]:
    """How many a threshold would close in each Record that has such, by their tally."""
    rows = rows_of("closings_below", connection=connection_id, minimum=minimum)
    return {row["record_id"]: row["n"] for row in rows}


# And back


def feeds_of_step(step: str) -> set[int]:
    """The Feeds in which a step did something to findings: mostly few, or none, of those that its Records left."""
    return {row["feed_id"] for row in rows_of("feeds_of_step", step=step)}


def put_back(actor: str, step: str, going: Going, span: Span = ALL, operation: int | None = None) -> Counter[str]:
    """Undoes what a step did to findings: two merged Feeds are taken apart again, and what it closed opens."""
    did: Counter[str] = Counter()
    if going.destination is not None:
        did += _unmerge(actor, step, going, span, operation)
    how = {"step": step, "actor": actor, "operation": operation}
    did["reopened"] += run("findings_reopen_by_undo", feed=going.source, **span._asdict(), **how)
    return +did


def _unmerge(actor: str, step: str, going: Going, span: Span, operation: int | None) -> Counter[str]:
    ends = {"source": going.source, "destination": going.destination}
    went = rows_of("unmerge_lines", destination=going.destination, step=step, **span._asdict())
    if not went:
        return Counter()
    findings, lines = [row["finding_id"] for row in went], [row["line"] for row in went]
    run("unmerge_decisions_keep", **ends, lines=lines)
    run("unmerge_decisions_forget", destination=going.destination, findings=findings)
    run("unmerge_decisions_restore", lines=lines)
    run("unmerge_held", source=going.source, findings=findings)
    run("unmerge_findings", **ends, lines=lines, step=step, actor=actor, operation=operation)
    _judge([going.source, going.destination], findings, actor, operation)
    _look_for_words(going.source, findings)
    back = sum(row["kind"] == "moved" for row in went)
    return Counter(moved_back=back, unmerged=len(went) - back)


def changes_of(step: UUID) -> dict[int, Operation]:
    """The change that carried the step out, by Record; Records whose findings were few are not there."""
    asked = Operation.objects.filter(step=step, type="change").order_by("pk")
    return {record: operation for operation in asked for record in operation.scope.get("records", ())}


def going_back(going: Going, step: UUID, change: Operation) -> Going:
    """Proofs go back where they came over: where the merge came to its end."""
    if going.destination is None or change.scope["change"] != "move":
        return Going(going.record, going.source, proofs=False)
    if change.status == "success":
        return going
    state = merge_state(going, str(step))
    return Going(going.record, going.source, going.destination, proofs=state.went and not state.to_go)


def to_put_back(going: Going, change: Operation) -> int:
    """How many findings of this Record an undo of the change puts back; at most, where it was not the only one."""
    if change.scope["records"] == [going.record]:
        return sum(change.counts.values())
    return sum(findings_in(feed for feed in (going.source, going.destination) if feed is not None).values())


class MergeState(NamedTuple):
    """How far a merge is."""

    to_go: int
    """Findings that still have to go over."""
    went: bool


def merge_state(going: Going, step: str) -> MergeState:
    (row,) = rows_of("merge_state", source=going.source, destination=going.destination, step=step)
    return MergeState(row["to_go"], row["went"])


def back_to_go(going: Going, step: str) -> int:
    """How many findings of a Record an undo of this step has not put back or opened yet."""
    (row,) = rows_of("back_to_go", source=going.source, destination=going.destination, step=step)
    return row["to_go"]


# As a change


def request_remap(
    change: str,
    goings: Sequence[Going],
    findings: Mapping[int, int],
    *,
    actor: Actor,
    step: UUID,
    of: UUID | None = None,
    sync_after: float | None = None,
) -> dict[int, list[int]]:
    """Asks for a change of these locked Records, one a Connection; gives their numbers, and the Records of each.

    `findings` are how many each Record has, `of` is the step that is undone, and `sync_after` how many seconds after
    its end what now flows elsewhere is synced.
    """
    run("parts_forget_marks", feeds=_ends(goings) if change != "close" else [])
    connections = Record.objects.filter(pk__in=[going.record for going in goings]).order_by("connection_id", "pk")
    by_connection: dict[int, list[int]] = {}
    for record, connection in connections.values_list("pk", "connection_id"):
        by_connection.setdefault(connection, []).append(record)
    asked: dict[int, list[int]] = {}
    for connection, records in by_connection.items():
        these = [going for going in goings if going.record in set(records)]
        scope: dict[str, Any] = {
            "change": change,
            "records": records,
            "goings": [astuple(going) for going in these],
            "findings": sum(findings[record] for record in records),
            "left_in": _product_of(these, of),
            "of": str(of or step),
            "sync_after": sync_after,
        }
        asked[request_change(connection, scope, actor=str(actor), records=records, step=step)] = records
    return asked


def goings_of(scope: Mapping[str, Any]) -> list[Going]:
    """What such a change is about, by Record."""
    return [Going(*going) for going in scope["goings"]]


def let_go_of(record: int, operation: int) -> None:
    """The change is done with this locked Record."""
    run("record_unchanging", record=record, operation=operation)


def _ends(goings: Iterable[Going]) -> list[int]:
    return [feed for going in goings for feed in (going.source, going.destination) if feed is not None]


def _product_of(goings: Sequence[Going], undone: UUID | None) -> str:
    """The Product in which findings are until the change has come to them."""
    feeds = [going.source if undone is None or going.destination is None else going.destination for going in goings]
    product = "test__engagement__product__name"
    names = set(Feed.objects.filter(pk__in=feeds).values_list(product, flat=True).distinct())
    return names.pop() if len(names) == 1 else ""
