"""Operations: what a run did in counts and sentences, Record by Record, what it held back, and its log."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import msgspec
from django.db.models import Case, Count, IntegerField, Q, TextField, Value, When
from django.db.models.functions import Cast
from msgspec import Meta

from tidegate.reads.page import LIMIT, cut, storable
from tidegate.reads.progress import told_by_its_worker
from tidegate.reads.share import Share, own_records, seen_whole, visible_operations
from tidegate.rules.operation import in_words, why_not_again
from tidegate.rules.preview import would
from tidegate.rules.undo_sync import undone_in_words
from tidegate.store import models

LOG_LINES = 200
LEVELS = ("debug", "info", "warning", "error")


class OperationRow(msgspec.Struct, frozen=True, kw_only=True):
    """One Operation, as lists show it."""

    id: Annotated[int, Meta(description="Its number.")]
    type: Annotated[str, Meta(description="`discover`, `sync` or `change`.")]
    connection: Annotated[str, Meta(description="The label of its Connection.")]
    connection_id: Annotated[int, Meta(description="That Connection's number.")]
    preview: Annotated[bool, Meta(description="It only says what it would do: it writes nothing.")]
    status: Annotated[str, Meta(description="`pending`, `running`, `success`, `partial`, `failed` or `cancelled`.")]
    why: Annotated[str, Meta(description="Why it ended so, in one sentence; empty where there is nothing to say.")]
    trigger: Annotated[str, Meta(description="`manual`, `scheduled`, `api` or `webhook`.")]
    actor: Annotated[str, Meta(description="Who asked for it.")]
    counts: Annotated[dict[str, int], Meta(description="What it did: seen, created, updated, closed, reopened, …")]
    complete: Annotated[bool, Meta(description="A Discover that proved that it saw everything.")]
    held: Annotated[int, Meta(description="Closings and absences of it that wait for a person now.")]
    records: Annotated[list[int] | None, Meta(description="The Records it was asked for; null where it was all.")]
    requested_at: Annotated[datetime, Meta(description="When it was asked for.")]
    started_at: Annotated[datetime | None, Meta(description="When it began, or null.")]
    ended_at: Annotated[datetime | None, Meta(description="When it ended, or null.")]
    seconds: Annotated[float | None, Meta(description="How long it took, or null.")]
    not_before: Annotated[datetime | None, Meta(description="It waits until then, or null.")]
    cause: Annotated[str, Meta(description="What kind of failure it was: `auth_rejected`, `vendor_down`, …; or empty.")]
    attempt: Annotated[int, Meta(description="How often somebody took it up.")]
    deaths: Annotated[int, Meta(description="Workers that died with it; after the third it is not tried again.")]
    worker: Annotated[str, Meta(description="Who ran it last: machine and process; empty where nobody did.")]


class OperationPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of Operations, the newest first."""

    operations: Annotated[list[OperationRow], Meta(description="The Operations of this page.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]


class ResultRow(msgspec.Struct, frozen=True, kw_only=True):
    """How an Operation went for one Record, or for one Family and Branch of it."""

    record_id: Annotated[int, Meta(description="The Record's number.")]
    record: Annotated[str, Meta(description="The Record's name.")]
    family: Annotated[str, Meta(description="The kind of finding; empty for the Record as a whole.")]
    branch: Annotated[str, Meta(description="The branch; empty where there is none.")]
    outcome: Annotated[str, Meta(description="`complete`, `incomplete`, `skipped`, `failed` or `dropped`.")]
    why: Annotated[str, Meta(description="Why, in one sentence; empty where there is nothing to say.")]
    counts: Annotated[dict[str, int], Meta(description="What was done there.")]
    open_before: Annotated[int, Meta(description="Findings that were open before.")]
    gone: Annotated[int, Meta(description="Those of them that it no longer saw.")]
    undone_by: Annotated[int | None, Meta(description="The Operation that took it back, or null.")]
    proof: Annotated[
        dict[str, Any],
        Meta(description="What proves it, for a Family: `kind`, `pages`, `declared`, `seen`, `equation`."),
    ]


class HeldRow(msgspec.Struct, frozen=True, kw_only=True):
    """Closings of one Record, or its absence, that wait for a person."""

    record_id: Annotated[int, Meta(description="The Record's number.")]
    record: Annotated[str, Meta(description="The Record's name.")]
    what: Annotated[str, Meta(description="`findings` that would close, or the `absence` of the Record itself.")]
    standing: Annotated[str, Meta(description="`held`, `pending` or `kept open`.")]
    count: Annotated[int, Meta(description="How many findings; 1 for an absence.")]
    since_operation: Annotated[int, Meta(description="The Operation that first held them.")]


class OddRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the tool that could not be read and was set aside."""

    record: Annotated[str, Meta(description="The Record's name; empty where it could not be told.")]
    family: Annotated[str, Meta(description="The kind of finding.")]
    key: Annotated[str | None, Meta(description="Its id where that could be read; then it counts as seen.")]
    reason: Annotated[str, Meta(description="Why it could not be read.")]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the log."""

    n: Annotated[int, Meta(description="Its number.")]
    at: Annotated[datetime, Meta(description="When.")]
    level: Annotated[str, Meta(description="`debug`, `info`, `warning` or `error`.")]
    text: Annotated[str, Meta(description="What happened.")]
    facts: Annotated[dict[str, Any], Meta(description="What else is known of it, by name.")]


class LogAsked(NamedTuple):
    """Which lines of a log: those with these words, of this level or worse, after a line."""

    search: str = ""
    level: str = "debug"
    after: int = 0
    limit: int = LOG_LINES


class LogPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of an Operation's log, in order."""

    operation: Annotated[int, Meta(description="The Operation's number.")]
    lines: Annotated[list[Line], Meta(description="The lines of this page.")]
    next: Annotated[int | None, Meta(description="The number to go on after, or null where these are the last.")]


class OperationDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One Operation with all that is known of it."""

    operation: Annotated[OperationRow, Meta(description="The Operation itself.")]
    verdict: Annotated[str, Meta(description="What it did and what became of what was gone, in a sentence or two.")]
    not_again: Annotated[str, Meta(description="Why it cannot be asked for again; empty where it can.")]
    results: Annotated[list[ResultRow], Meta(description="Record by Record, what went wrong first.")]
    held: Annotated[list[HeldRow], Meta(description="What waits for a person.")]
    odd: Annotated[list[OddRow], Meta(description="Rows that were set aside.")]
    spent: Annotated[
        dict[str, float],
        Meta(
            description="Where the time went, in seconds: `queue` before it began; `vendor` and `rate` waiting for the"
            " tool and for the rate it allows; `database`; and `work`."
        ),
    ]
    calls: Annotated[dict[str, int], Meta(description="What the tool answered, by status; `none` where it did not.")]
    log: Annotated[list[Line], Meta(description="The last lines of its log.")]


class SyncedProduct(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `product sync`: one Operation for each Connection whose Records flow into the Product."""

    operations: Annotated[list[OperationDetail], Meta(description="How each went.")]


def operations(
    *,
    connection_id: int | None = None,
    type: str | None = None,
    status: str | None = None,
    held: bool = False,
    preview: bool | None = None,
    cursor: str | None = None,
    limit: int = LIMIT,
) -> OperationPage:
    """Operations, the newest first. With `held` only those that wait for a person; `preview` asks for previews alone,
    or for none."""
    query = visible_operations()
    wanted = {"connection_id": connection_id, "type": type, "status": status, "preview": preview}
    query = query.filter(**{name: value for name, value in wanted.items() if value is not None})
    if held:
        query = query.filter(_waits_for_a_person())
    found, following = cut(query, ("-id",), (int,), cursor, limit)
    return OperationPage(operations=_rows(found), next=following)


class AtOnce(NamedTuple):
    """What one look at all Operations is for: those that run, that wait for their turn, that wait for a person."""

    running: list[OperationRow]
    told: dict[int, dict[str, Any]]
    """What the worker of each that runs says of how far it is."""
    waiting: list[OperationRow]
    held: list[OperationRow]


def at_once(limit: int) -> AtOnce:
    """The newest so many of each kind, and one more where there are more; in two questions."""
    there, waits = visible_operations(), _waits_for_a_person()
    kinds = [
        kind.order_by("-pk").values("pk")[: limit + 1]
        for kind in (there.filter(status="running"), there.filter(status="pending"), there.filter(waits))
    ]
    found = list(there.filter(pk__in=kinds[0].union(*kinds[1:])).annotate(told=told_by_its_worker()).order_by("-pk"))
    rows = _rows(found)
    return AtOnce(
        running=[row for row in rows if row.status == "running"][:limit],
        told={one.pk: one.told or {} for one in found},
        waiting=[row for row in rows if row.status == "pending"][: limit + 1],
        held=[row for row in rows if row.held][:limit],
    )


def _waits_for_a_person() -> Q:
    """Few at most, though what waits of each may be much: these are found first."""
    held = models.Held.objects.filter(standing=models.Held.HELD).values("latest_operation").distinct()
    return Q(pk__in=held.union(models.HeldAbsence.objects.values("latest_operation_id")))


def operation(operation_id: int, *, lines: LogAsked | None = None) -> OperationDetail | None:
    """One Operation; None if there is none of this number. Of its log the last lines, or those that are asked for."""
    found = visible_operations(operation_id).first()
    if found is None:
        return None
    records = _records_shown(found)
    held, results = _held(operation_id, records), _results_of(operation_id, records)
    share = None if records is None else Share([found])
    row = _row(found, sum(one.count for one in held if one.standing == models.Held.HELD), share)
    return OperationDetail(
        operation=row, verdict=f"{verdict(row, held)} {_undone(results)}".rstrip(),
        not_again=why_not_again(
            found.pk, found.connection.label, found.connection.deleted_at, found.connection.draft_at is not None
        ),
        results=[_result(one) for one in results], held=held, odd=_odd(operation_id, records),
        spent=dict(found.seconds), calls=dict(found.calls) if records is None else {},
        log=_log(operation_id, records) if lines is None else _asked(operation_id, records, lines),
    )  # fmt: skip


def log(
    operation_id: int, *, search: str = "", level: str = "debug", after: int = 0, limit: int = LOG_LINES
) -> LogPage:
    """The log after a line, of this level or worse; with `search` only lines that have these words, in their text or
    in what else is known of them, upper or lower case."""
    found = visible_operations(operation_id).first()
    if found is None:
        return LogPage(operation=operation_id, lines=[], next=None)
    there = _asked(operation_id, _records_shown(found), LogAsked(search, level, after, limit + 1))
    shown = there[:limit]
    return LogPage(operation=operation_id, lines=shown, next=shown[-1].n if len(there) > limit else None)


def held_by(operation_id: int) -> list[HeldRow]:
    """What this Operation was the latest to find gone, and that waits for a person or was kept open by one."""
    found = visible_operations(operation_id).first()
    return [] if found is None else _held(operation_id, _records_shown(found))


def _held(operation_id: int, records: frozenset[int] | None) -> list[HeldRow]:
    """The same, of these Records or of all."""
    findings = models.Held.objects.filter(latest_operation=operation_id)
    if records is not None:
        findings = findings.filter(feed__record_id__in=records)
    findings = findings.exclude(undone=True, standing=models.Held.PENDING)  # remembered, until it comes again
    grouped = findings.values_list(
        "feed__record_id", "feed__record__name", "standing", "since_operation", Value("findings")
    )
    absences: Any = models.HeldAbsence.objects.filter(latest_operation_id=operation_id)
    absences = absences if records is None else absences.filter(record_id__in=records)
    told = ("record_id", "record__name", Value(models.Held.HELD), "since_operation_id", Value("absence"), Value(1))
    found = grouped.annotate(n=Count("finding_id")).union(absences.values_list(*told), all=True)
    return [
        HeldRow(record_id=record_id, record=record, what=what, standing=standing, count=count, since_operation=since)
        for record_id, record, standing, since, what, count in sorted(found, key=_by_what_and_name)
    ]


def _by_what_and_name(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Findings first, Record by Record."""
    return row[4] == "absence", row[1], row[2], row[0]


def verdict(row: OperationRow, held: list[HeldRow]) -> str:
    """What the Operation did, and what waits, as a person would say it; of a preview, what it would do."""
    if row.preview:
        return _foreseen(row)
    did = "" if row.type == "change" and row.why else in_words(row.counts)
    said = {
        "pending": "It waits for its turn." if row.not_before is None else f"It begins at {row.not_before:%H:%M} UTC.",
        "running": "It runs.",
        "success": "It went well",
        "partial": "It was done in part",
        "failed": "It failed",
        "cancelled": "It was cancelled",
    }[row.status]
    ended = row.status not in ("pending", "running")
    sentences = [f"{said}: {did}." if ended and did else f"{said}." if ended else said, row.why]
    findings = sum(one.count for one in held if one.what == "findings" and one.standing == "held")
    absences = sum(one.count for one in held if one.what == "absence")
    if findings and "are held" not in row.why:
        sentences.append(f"{findings:,} findings would close at once; they are held until a person decides.")
    if absences and "are held" not in row.why:
        sentences.append(f"{absences:,} Records would go Missing at once; they are held until a person decides.")
    if row.counts.get("held") and not findings and not absences:
        sentences.append("By now nothing of it is held any more: a person decided, or a later run saw it otherwise.")
    return " ".join(sentence for sentence in sentences if sentence)


def _undone(results: list[Any]) -> str:
    """By which Operations a Sync was undone, and for how many of its Records."""
    applied = [one for one in results if one.family == "" and one.feed_id is not None]
    by = Counter(one.undone_by for one in applied if one.undone_by is not None)
    return undone_in_words(by, len(applied))


def _foreseen(row: OperationRow) -> str:
    said = {
        "pending": "A preview; it waits for its turn.", "running": "A preview; it runs.",
        "failed": "It failed.", "cancelled": "It was cancelled.",
    }.get(row.status, "")  # fmt: skip
    known = row.status in ("success", "partial")
    return " ".join(filter(None, [said, would(row.type, row.counts) if known else "", row.why]))


def _rows(found: list[Any]) -> list[OperationRow]:
    whole = {one.pk for one in found if seen_whole(one.connection_id)}
    in_part = [one for one in found if one.pk not in whole]
    share = Share(in_part)
    waiting = _waiting(list(whole))
    if in_part:
        waiting |= _waiting([one.pk for one in in_part], share.records)
    return [_row(one, waiting.get(one.pk, 0), None if one.pk in whole else share) for one in found]


def _row(one: Any, held: int, share: Share | None) -> OperationRow:
    return OperationRow(
        id=one.pk,
        type=one.type,
        connection=one.connection.label,
        connection_id=one.connection.pk,
        preview=one.preview,
        status=one.status,
        why=share.why(one) if share else one.why,
        trigger=one.trigger,
        actor=one.actor,
        counts=share.counts(one) if share else dict(one.counts),
        complete=one.complete,
        held=held,
        records=share.asked(one) if share else one.scope.get("records"),
        requested_at=one.requested_at,
        started_at=one.started_at,
        ended_at=one.ended_at,
        seconds=_seconds(one),
        not_before=one.not_before,
        cause=one.cause,
        attempt=one.attempt,
        deaths=one.deaths,
        worker=one.worker,
    )


def _records_shown(operation: Any) -> frozenset[int] | None:
    """The Records of which the Operation tells this viewer; None where that is all."""
    return None if seen_whole(operation.connection_id) else frozenset(own_records())


def _waiting(ids: list[int], records: frozenset[int] | None = None) -> dict[int, int]:
    """How much of each waits for a person, of all Records or of these."""
    held = models.Held.objects.filter(latest_operation__in=ids, standing=models.Held.HELD)
    absences = models.HeldAbsence.objects.filter(latest_operation_id__in=ids)
    if records is not None:
        held, absences = held.filter(feed__record_id__in=records), absences.filter(record_id__in=records)
    findings = held.values_list("latest_operation").annotate(n=Count("finding_id"))
    records_gone = absences.values_list("latest_operation_id").annotate(n=Count("record_id"))
    counted: dict[int, int] = {}
    for operation_id, n in findings.union(records_gone, all=True):
        counted[operation_id] = counted.get(operation_id, 0) + n
    return counted


def _seconds(one: Any) -> float | None:
    if one.started_at is None or one.ended_at is None:
        return None
    return round((one.ended_at - one.started_at).total_seconds(), 3)


def _results_of(operation_id: int, records: frozenset[int] | None) -> list[Any]:
    """What went wrong first."""
    worst = Case(
        *(When(outcome=word, then=Value(n)) for n, word in enumerate(("failed", "incomplete", "skipped", "dropped"))),
        default=Value(9),
        output_field=IntegerField(),
    )
    found = models.Result.objects.select_related("record").filter(operation_id=operation_id)
    found = found if records is None else found.filter(record_id__in=records)
    return list(found.order_by(worst, "record__name", "record_id", "family", "branch"))


def _result(one: Any) -> ResultRow:
    return ResultRow(
        record_id=one.record.pk, record=one.record.name, family=one.family, branch=one.branch, outcome=one.outcome,
        why=one.why, counts=dict(one.counts), open_before=one.open_before, gone=one.gone, undone_by=one.undone_by,
        proof=one.proof,
    )  # fmt: skip


def _odd(operation_id: int, records: frozenset[int] | None) -> list[OddRow]:
    found = models.Quarantine.objects.select_related("record").filter(operation_id=operation_id).order_by("id")
    found = found if records is None else found.filter(record_id__in=records)
    return [
        OddRow(record=one.record.name if one.record else "", family=one.family, key=one.vendor_key, reason=one.reason)
        for one in found[:LOG_LINES]
    ]


def _lines(operation_id: int, records: frozenset[int] | None) -> Any:
    """Of some Records, the lines that say that they are about one of them."""
    found = models.LogLine.objects.filter(operation_id=operation_id)
    return found if records is None else found.filter(facts__record__in=list(records))


def _asked(operation_id: int, records: frozenset[int] | None, asked: LogAsked) -> list[Line]:
    lines = _lines(operation_id, records).filter(n__gt=asked.after, level__in=LEVELS[LEVELS.index(asked.level) :])
    for word in storable(asked.search).split():
        lines = lines.annotate(told=Cast("facts", TextField())).filter(
            Q(text__icontains=word) | Q(told__icontains=word)
        )
    return [_line(one) for one in lines.order_by("n")[: asked.limit]]


def _log(operation_id: int, records: frozenset[int] | None) -> list[Line]:
    found = _lines(operation_id, records).order_by("-n")[:LOG_LINES]
    return [_line(one) for one in reversed(found)]


def _line(one: models.LogLine) -> Line:
    return Line(n=one.n, at=one.at, level=one.level, text=one.text, facts=dict(one.facts))
