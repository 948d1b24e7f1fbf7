"""One Record: looked at again, compared, applied and given its results, in one transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from tidegate.rules.cause import cause_of
from tidegate.rules.equation import Equation, does_not_add_up
from tidegate.store.models import Connection, Part, Quarantine, Record, Result
from tidegate.store.statement import rows_of
from tidegate.store.statement import run as statement
from tidegate.store.writers.operation import hold_claim, save_quarantine

from . import apply
from .branch import look_for_vanished, save_listed
from .read import PartRead, RecordRead
from .run import Run
from .stage import Share, Spool

NO_LONGER_OFFERED: Final = "The tool no longer offers this Family; its findings stay as they are."
BRANCH_NOT_READ: Final = "«{}» is no longer among the branches that are read; its findings stay as they are."
DIFFERENCES: Final = 100_000
DIFFERENCES_OF_RECORD: Final = 1_000
"""Of each kind; what a preview keeps in all, and of one Record."""

SEVERITY: Final = ("complete", "off", "skipped", "incomplete", "failed")
"""Outcomes of a Family, from good to bad; a Record is as bad as its worst."""


@dataclass
class Reading:
    """A Record whose rows are in the spool: what it was when the reading began, and what was read."""

    record: Record
    spool: Spool
    read: RecordRead
    mapping_version: int
    share: Share | None = None
    """Of what one walk brought for many Records."""


def apply_record(run: Run, connection: Connection, reading: Reading) -> list[PartRead]:
    """Applies what was read and returns []; or writes nothing and returns the parts that would close something on an
    answer that is not enough for it: drifting pages, repeated rows, nothing at all."""
    return apply.again_after_deadlock(lambda: _apply(run, connection, reading, final=False))


def apply_record_finally(run: Run, connection: Connection, reading: Reading) -> None:
    """Applies what was read. Parts that still prove nothing close nothing."""
    apply.again_after_deadlock(lambda: _apply(run, connection, reading, final=True))


def save_failure(run: Run, record: Record, why: str) -> None:
    """Notes that nothing could be read of the Record."""

    def save() -> None:
        hold_claim(run.claim)
        _save_result(run, record, outcome="failed", why=why)

    apply.again_after_deadlock(save)


def _apply(run: Run, connection: Connection, reading: Reading, *, final: bool) -> list[PartRead]:
    hold_claim(run.claim)
    record = Record.objects.select_for_update().get(pk=reading.record.pk)
    # Read once the Record is locked: whoever changes what a Sync needs of a Connection renews its Records' epochs.
    now = Connection.objects.get(pk=connection.pk)
    if changed := _what_changed(record) or _what_changed_of(connection, now):
        _save_result(run, record, outcome="dropped", why=f"Nothing was applied: {changed}")
        run.say(f"{record.name}: nothing was applied: {changed}", "warning", record=record.pk)
        return []
    feed = lock_feed(record)
    look_for_vanished(feed, reading.read, now.close_branches_after)
    comparison = apply.compare(
        feed,
        reading.spool,
        reading.read.parts,
        _closing(record.epoch == reading.record.epoch, final),
        minimum=now.minimum_severity,
        mapping_version=reading.mapping_version,
        share=reading.share,
    )
    if not final and (doubtful := _doubtful(reading.read, comparison)):
        return doubtful
    equations = {part.number: _equation(part, comparison) for part in reading.read.parts if part.outcome is not None}
    _keep_what_does_not_add_up(run, record, reading.read.parts, comparison, equations)
    if run.operation.preview:
        _foresee(run, record, reading, comparison)
    else:
        apply.write(
            feed,
            reading.spool,
            reading.read.parts,
            comparison,
            operation=run.claim.operation,
            mapping_version=reading.mapping_version,
            share=reading.share,
        )
    _save_parts(run, record, feed, reading.read, comparison, equations)
    return []


def _foresee(run: Run, record: Record, reading: Reading, comparison: apply.Comparison) -> None:
    """The differences of a preview are kept for a day: enough of them to judge it by, while all are counted."""
    at_most = min(DIFFERENCES_OF_RECORD, DIFFERENCES - run.differences)
    run.differences += apply.foresee(
        record.pk,
        reading.spool,
        comparison,
        operation=run.claim.operation,
        at_most=max(0, at_most),
        share=reading.share,
    )


def _what_changed(record: Record) -> str:
    """Why the Record takes nothing any more; "" where it still does."""
    if record.changing_operation_id is not None:
        return (
            f"its findings are on their way in Operation {record.changing_operation_id}; the Sync after that reads it."
        )
    if record.deleted_at is not None:
        return "the Record was deleted while it was read."
    if record.decision != "mapped":
        return f"the Record is {record.decision} now; it was mapped when the reading began."
    if record.feed_id is None:
        return f"its {record.target_lost} was deleted while it was read."
    if record.absent_since is not None:
        return "it went Missing while it was read."
    return ""


def _what_changed_of(before: Connection, now: Connection) -> str:
    """Why what was read of the Connection is no longer asked for; "" where it still is."""
    if now.deleted_at is not None:
        return f"the Connection was deleted by {now.deleted_by} while it was read."
    if now.settings != before.settings:
        return (
            "the settings of the Connection were changed while it was read. The next Sync reads it under the new ones."
        )
    return ""


def lock_feed(record: Record) -> int:
    """Keeps the Test that the Record writes to; gives its Feed."""
    return rows_of("lock_feed", feed=record.feed_id)[0]["id"]


def _closing(same_epoch: bool, final: bool) -> Callable[[PartRead], bool]:
    """Which parts close what is missing. The first look counts unproven ones too, to see whether it matters; what only
    a remap, a threshold or an undo meanwhile makes look gone stays open."""

    def closing(part: PartRead) -> bool:
        complete = part.complete if final else part.outcome is not None and part.outcome.complete
        return same_epoch and complete

    return closing


def _doubtful(read: RecordRead, comparison: apply.Comparison) -> list[PartRead]:
    return [
        part
        for part in read.parts
        if comparison.count(part.number, apply.GONE, apply.GONE_AGAIN)
        and (
            _may_hide(read)
            if part.vanished
            else part.drifting or not part.proves or not comparison.of(part.number).rows
        )
    ]


def _may_hide(read: RecordRead) -> bool:
    """Whether a branch may stand between two pages of the list that lacks it."""
    return read.listed is not None and read.listed.drifting


def _keep_what_does_not_add_up(
    run: Run,
    record: Record,
    parts: list[PartRead],
    comparison: apply.Comparison,
    equations: Mapping[int, Equation],
) -> None:
    """Where the vendor's count is not ours a row was lost or made up on the way: nothing closes on such a reading."""
    for part in parts:
        part.unbalanced = does_not_add_up(equations[part.number]) if part.proven else ""
    if unbalanced := [part for part in parts if part.unbalanced]:
        comparison.forget_closings([part.number for part in unbalanced])
        for part in unbalanced:
            run.say(f"{record.name}, {part.family}: {part.unbalanced}", "error", record=record.pk)


def _equation(part: PartRead, comparison: apply.Comparison) -> Equation:
    outcome, staged = part.outcome, comparison.of(part.number)
    if outcome is None:
        raise ValueError(f"{part.family} was not read, so there is nothing to count.")
    below = comparison.count(part.number, apply.BELOW, apply.NEW_BELOW, apply.BELOW_AGAIN, apply.BELOW_KEPT)
    declared = None if outcome.proof is None else outcome.proof.expected
    return Equation(
        vendor=outcome.seen + part.elsewhere if declared is None else declared,
        # What is stored says it where all that was not shown was told apart; else there is only what was read.
        open=_open_and_shown(part, comparison) if part.proven else staged.rows - staged.odd - staged.fixed - below,
        below=below,
        fixed=staged.fixed,
        skipped=outcome.skipped,
        repeated=staged.repeated,
        quarantined=staged.odd + part.nameless,
        elsewhere=part.elsewhere,
        first_only=staged.first_only,
    )


def _open_and_shown(part: PartRead, comparison: apply.Comparison) -> int:
    """Findings that are open once this is applied, and were read and readable; by the tally of what is stored."""
    came = comparison.count(part.number, apply.CREATED, apply.REOPENED)
    went = comparison.count(part.number, *apply.CLOSING, apply.KEPT_OPEN, apply.BELOW_KEPT, apply.ODD_AND_OPEN)
    return comparison.open.get((part.family, part.branch), 0) + came - went


def _save_parts(
    run: Run,
    record: Record,
    feed: int,
    read: RecordRead,
    comparison: apply.Comparison,
    equations: Mapping[int, Equation],
) -> None:
    proven = {
        (part.family, part.branch)
        for part in Part.objects.filter(feed_id=feed, proven_operation__isnull=False).only("family", "branch")
    }
    outcomes: list[tuple[str, str, str]] = []
    totals: Counter[str] = Counter()
    open_before = gone = 0
    for part in read.parts:
        outcome = _outcome(part, once_read=(part.family, part.branch) in proven)
        counts, proof = _counts(part, comparison), _proof(part, equations)
        _save_part(run, feed, part, outcome, counts, proof)
        before = comparison.judged.get((part.family, part.branch), 0) if part.complete else 0
        lost = comparison.count(part.number, apply.GONE)
        _save_result(
            run, record, part.family, part.branch, outcome, part.why(), counts, before, lost, proof=proof, feed=feed
        )
        outcomes.append((outcome, part.family, part.why()))
        totals.update(counts)
        open_before, gone = open_before + before, gone + lost
    errors = [part.outcome.error for part in read.parts if part.outcome is not None]
    run.causes.update(cause_of(error) for error in (*errors, read.error) if error is not None)
    if read.error is None:
        unread = proven - read.vanished - {(part.family, part.branch) for part in read.parts}
        outcomes += _skip_unread(run, record, feed, unread)
    if not run.operation.preview:
        save_listed(feed, read)
        _save_quarantine(run, record, read.parts)
    outcome, why = _of_record(read, outcomes)
    _save_result(run, record, "", "", outcome, why, totals, open_before, gone, feed=feed)
    _say(run, record, read, outcome, why, totals)


def _outcome(part: PartRead, *, once_read: bool) -> str:
    if part.vanished:
        return "off" if part.complete else "skipped"
    if part.complete:
        return "complete"
    if part.outcome is None:
        return "skipped" if once_read else "off"
    return "incomplete"


def _counts(part: PartRead, comparison: apply.Comparison) -> Counter[str]:
    counts: Counter[str] = Counter()
    for kind, word in apply.WORDS.items():
        counts[word] += comparison.count(part.number, kind)
    if part.outcome is not None:
        staged = comparison.of(part.number)
        differ = comparison.count(part.number, *(kind for kind in apply.WORDS if kind not in apply.NOT_SHOWN))
        counts["seen"] = part.outcome.seen
        counts["quarantined"] = part.outcome.odd
        counts["skipped"] += sum(part.outcome.skipped.values())
        counts["repeated"] = staged.repeated
        counts["unchanged"] = max(0, staged.rows - staged.odd - differ)
    del counts["gone"]
    return +counts


def _save_part(run: Run, feed: int, part: PartRead, outcome: str, counts: Counter[str], proof: dict[str, Any]) -> None:
    if run.operation.preview:
        return  # what is proven stays as it is
    statement(
        "save_part",
        feed=feed,
        family=part.family,
        branch=part.branch,
        operation=run.claim.operation,
        outcome="skipped" if outcome == "off" else outcome,
        because=_storable(part.why()),
        complete=part.complete and not part.vanished,  # the last proof of it stays its proof
        proof=json.dumps(proof),
        mark=min(part.mark, _now_as_mark()),
        below=counts["below"],
        skipped=counts["skipped"],
    )


def _now_as_mark() -> str:
    """A state from the future counts as one of now, or it would block every later one."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _proof(part: PartRead, equations: Mapping[int, Equation]) -> dict[str, Any]:
    """What a person may look at: how the list was walked, what the vendor declared, what was seen, where it went."""
    if part.outcome is None or part.outcome.proof is None:
        return {}
    proof = part.outcome.proof
    return {
        "kind": proof.kind,
        "pages": proof.pages,
        "declared": proof.expected,
        "seen": part.outcome.seen + part.elsewhere,
        "equation": equations[part.number].as_json(),
    }


def _skip_unread(run: Run, record: Record, feed: int, unread: set[tuple[str, str]]) -> list[tuple[str, str, str]]:
    outcomes: list[tuple[str, str, str]] = []
    for family, branch in sorted(unread):
        why = BRANCH_NOT_READ.format(branch) if branch else NO_LONGER_OFFERED
        part = PartRead(-1, family, branch, skipped_because=why)
        _save_part(run, feed, part, "skipped", Counter(), {})
        _save_result(run, record, family, branch, "skipped", why, feed=feed)
        outcomes.append(("skipped", family, why))
    return outcomes


def _save_quarantine(run: Run, record: Record, parts: list[PartRead]) -> None:
    rows = [
        (part.family, part.branch, odd.id and _storable(odd.id), _storable(odd.reason), _storable(odd.raw))
        for part in parts
        for odd in part.odd
    ]
    Quarantine.objects.filter(record_id=record.pk).delete()
    if rows:
        save_quarantine(run.claim.operation, record.connection_id, record.pk, rows)


def _storable(text: str) -> str:
    """Text as PostgreSQL can hold it: no NUL, no lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _of_record(read: RecordRead, outcomes: list[tuple[str, str, str]]) -> tuple[str, str]:
    """The Record's own outcome and why: as bad as its worst Family; skipped where none of them gave anything."""
    if read.error is not None:
        return "failed", str(read.error)
    worst = max((outcome for outcome, _, _ in outcomes), key=SEVERITY.index, default="off")
    if worst == "off":
        worst = "complete" if any(outcome == "complete" for outcome, _, _ in outcomes) else "skipped"
    telling = [f"{family}: {why}" for outcome, family, why in outcomes if why and outcome != "complete"]
    if not outcomes:
        telling = ["The tool offers nothing to read for it."]
    return worst, " ".join(telling)


def _save_result(
    run: Run,
    record: Record,
    family: str = "",
    branch: str = "",
    outcome: str = "",
    why: str = "",
    counts: Counter[str] | None = None,
    open_before: int = 0,
    gone: int = 0,
    *,
    proof: dict[str, Any] | None = None,
    feed: int | None = None,
) -> None:
    Result.objects.create(
        operation_id=run.claim.operation,
        record=record,
        family=family,
        branch=branch,
        outcome=outcome,
        why=_storable(why),
        counts=dict(counts or {}),
        open_before=open_before,
        gone=gone,
        proof=proof or {},
        feed_id=feed,
    )


def _say(run: Run, record: Record, read: RecordRead, outcome: str, why: str, counts: Counter[str]) -> None:
    told = ", ".join(f"{number:,} {word.replace('_', ' ')}" for word, number in counts.items()) or "nothing there"
    run.counts.update(counts)
    level = "warning" if outcome in ("failed", "incomplete", "skipped") else "info"
    run.say(f"{record.name}: {told}. {why}".rstrip(), level, record=record.pk, outcome=outcome)
    for part in read.parts:
        for word, times in part.unknown_words.items():
            told = f"{record.name}: unknown {word!r} in {times:,} findings of {part.family}."
            run.say(told, "warning", record=record.pk)
