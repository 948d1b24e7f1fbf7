"""What a person decides about findings: it survives every Sync, holds for all Branches, beats the vendor's word."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Final, Literal
from uuid import UUID, uuid4

from django.db.models.fields.json import KT
from django.utils import timezone

from tidegate.actions.action import action
from tidegate.actions.bulk import TOLD, Chosen, number_of, refuse_unexpected, shares_of
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.step import BulkDone, BulkPreview, Refusal, wanted
from tidegate.actions.version import demand_expected
from tidegate.reads import finding as reads
from tidegate.reads.place import records_of_step
from tidegate.reads.selection import HITS
from tidegate.reads.story import visible_findings
from tidegate.reads.viewer import viewing
from tidegate.rules.actor import Actor
from tidegate.rules.bulk import FATES, FindingFilter, token
from tidegate.rules.finding import ACCEPTED, VERDICTS
from tidegate.rules.names import clean_name, clean_text
from tidegate.rules.record import why_changing
from tidegate.rules.undo import is_undo
from tidegate.store.acting import acting
from tidegate.store.models import Decision, Finding, Journal
from tidegate.store.writers import decision as writer
from tidegate.store.writers.bulk import Group, sort_findings
from tidegate.store.writers.decision import Said
from tidegate.store.writers.record import hold_records, lock_records
from tidegate_sdk import Severity


class Unset(Enum):
    """What was not said stays as it is; None takes back what was said."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
NONE = "none"


@action("mapper", finding="finding_id")
def decide_finding(
    actor: Actor,
    finding_id: int,
    *,
    verdict: str | Unset | None = UNSET,
    until: datetime | Unset | None = UNSET,
    severity: str | Unset | None = UNSET,
    verified: bool | Unset | None = UNSET,
    note: str | Unset | None = UNSET,
    tags: Sequence[str] | Unset | None = UNSET,
) -> int:
    """Decides about a finding, on all its Branches; returns how many these are. `until` is the end of an acceptance.

    None (for verdict and severity also "none") takes a field back. Raises NotThere, or Refused with what is allowed.
    """
    wanted([finding_id], "Finding", writer.record_of_finding)
    refuse_while_changing(finding_id)
    demand_expected("finding", finding_id)
    return writer.decide_finding(
        actor, finding_id, said_fields(finding_id, verdict, until, severity, verified, note, tags), uuid4()
    )


@action("mapper", finding="finding_ids", chosen="matching")
def decide_findings(
    actor: Actor,
    finding_ids: Sequence[int] = (),
    *,
    matching: FindingFilter | None = None,
    expected: str = "",
    verdict: str | Unset | None = UNSET,
    until: datetime | Unset | None = UNSET,
    severity: str | Unset | None = UNSET,
    verified: bool | Unset | None = UNSET,
    note: str | Unset | None = UNSET,
    tags: Sequence[str] | Unset | None = UNSET,
) -> BulkDone:
    """Decides the same about many findings, each on all its Branches. Those a change is at are left alone and told.

    Raises NotThere; Refused where nothing is found, others are than were `expected`, or what is said is not allowed.
    """
    said, step = said_fields(None, verdict, until, severity, verified, note, tags), uuid4()
    with acting(str(actor)):
        found = held(finding_ids, matching, expected)
        groups = sort_findings(found.ids, "decide", mine=found.mine)
        if deciding := groups.get("decide"):
            writer.decide_findings(actor, deciding.ids, said, step)
    return done(found.ids, groups, step)


@action("mapper", finding="finding_ids", chosen="matching")
def close_findings(
    actor: Actor,
    finding_ids: Sequence[int] = (),
    *,
    matching: FindingFilter | None = None,
    expected: str = "",
) -> BulkDone:
    """Closes open findings that nothing watches any more. One that is watched is left to its evidence.

    Raises NotThere; Refused where nothing is found, or others are than were `expected`.
    """
    step = uuid4()
    with acting(str(actor)):
        found = held(finding_ids, matching, expected)
        groups = sort_findings(found.ids, "close", mine=found.mine)
        if closing := groups.get("close"):
            writer.close_unwatched(actor, closing.ids, step)
    return done(found.ids, groups, step)


@action("mapper", finding="finding_id", chosen="step")
def undo(actor: Actor, *, step: UUID | None = None, finding_id: int | None = None) -> BulkDone:
    """Takes back a whole step, or the last one on a finding: what was decided is as it was before, what was closed is
    open again. What was decided again since, or moved, is left alone and told; a Sync in between changes nothing of it.

    Raises NotThere where there is nothing to undo; Refused for an undo, which is not undone itself: decide anew.
    """
    if (step is None) == (finding_id is None):
        raise Refused("It is not clear what to undo.", "Name a finding or a step, not both.")
    if step is None:
        step = last_step(finding_id or 0)
    if is_undo(step):
        raise Refused("That was an undo already.", "Decide anew instead.")
    if records_of_step(step):
        raise Refused("This step decided about Records.", f"Undo it there: tidegate record undo --step {step}")
    lines = steps_of(Journal.objects.all()).filter(step=str(step))
    seen = Finding.objects.filter(visible_findings(), pk__in=lines.values("finding_id"))
    if finding_id is not None:
        seen = seen.filter(pk=finding_id)
    with acting(str(actor)):
        ids = list(seen.order_by("pk").values_list("pk", flat=True))
        if not ids:
            raise NotThere(
                f"There is no step {step} about findings, or you may not see them.", "Each decision tells its own."
            )
        hold_records(sorted(set(writer.record_of_finding(ids).values())))
        within = visible_findings("mapper")
        mine = list(Finding.objects.filter(within, pk__in=ids).values_list("pk", flat=True)) if within else None
        groups = writer.sort_undo(step, findings=ids, mine=mine)
        if decided := groups.get("undo"):
            writer.undo_decisions(actor, step, decided.ids)
        if closed := groups.get("reopen"):
            writer.undo_closings(actor, step, closed.ids)
    return done(ids, groups, None)


def preview_findings(
    actor: Actor,
    deed: Literal["decide", "close"],
    finding_ids: Sequence[int] = (),
    *,
    matching: FindingFilter | None = None,
) -> BulkPreview:
    """Says of how many findings it would be decided, or which would be closed because nothing watches them; writes
    nothing. Raises what the deed itself would raise."""
    with viewing(actor.access):
        found = chosen(finding_ids, matching)
        groups = sort_findings(found.ids, deed, mine=found.mine)
        return BulkPreview(
            number=len(found.ids),
            expected=found.token,
            changes=number_of(groups, "changes"),
            refused=number_of(groups, "refused"),
            new_products=0,
            imported=0,
            managed=0,  # a finding is no matter of a file
            shares=shares_of(groups, titles, sentence),
        )


# What the actions share


MOST: Final = 50_000
"""So many are decided about at once."""


def chosen(finding_ids: Sequence[int], matching: FindingFilter | None) -> Chosen:
    """The findings that are meant, of those that may be seen."""
    if bool(finding_ids) == (matching is not None):
        raise Refused("It is not clear which findings are meant.", "Name them, or say a filter; not both.")
    seen, are_all = Finding.objects.filter(visible_findings()), True
    if matching is None:
        ids = wanted(finding_ids, "Finding", lambda ids: seen.filter(pk__in=ids).values_list("pk", flat=True))
    else:
        ids, are_all = reads.numbers_of(MOST, **matching)
    if not are_all:
        raise Refused(
            f"These are more than {MOST:,} findings, or more than {HITS:,} hits of a search.",
            "Narrow the filter: Product by Product, say.",
        )
    rows = seen.filter(pk__in=ids).order_by("pk").values_list("pk", "severity", "open", "active")
    facts = [(id, 4 * severity + 2 * open + active) for id, severity, open, active in rows]
    within = visible_findings("mapper")
    mine = list(Finding.objects.filter(within, pk__in=ids).values_list("pk", flat=True)) if within else None
    return Chosen([id for id, _ in facts], mine, token(facts))


def held(finding_ids: Sequence[int], matching: FindingFilter | None, expected: str) -> Chosen:
    """The same, with their Records locked, and they are what somebody expects. Raises Refused where not."""
    found = chosen(finding_ids, matching)
    refuse_unexpected(found, "finding", expected, by_filter=matching is not None)
    hold_records(sorted(set(writer.record_of_finding(found.ids).values())))
    if chosen(finding_ids, matching).token != found.token:  # somebody was faster, while the locks were waited for
        raise Refused("One of these findings changed at this moment.", "Nothing was changed. Look again.")
    return found


def last_step(finding_id: int) -> UUID:
    """The step of the last decision on a finding. Raises NotThere where there is none."""
    wanted([finding_id], "Finding", writer.record_of_finding)
    lines = steps_of(Journal.objects.filter(finding_id=finding_id, operation=None)).exclude(step=None)
    last = lines.order_by("-pk").values_list("step", flat=True).first()
    if last is None:
        raise NotThere(f"Nobody decided about finding {finding_id} yet.", "There is nothing to undo.")
    return UUID(last)


def steps_of(lines: Any) -> Any:
    """Lines of the journal by which people decided or closed, each with its `step`, as its index has it."""
    return lines.annotate(step=KT("before__step")).filter(kind__in=("decided", "closed"))


def done(ids: Sequence[int], groups: Mapping[str, Group], step: UUID | None) -> BulkDone:
    refused = {id: fate for fate, group in groups.items() if FATES[fate].kind == "refused" for id in group.ids}
    told = sorted(refused)[:TOLD]
    names = titles(told)
    return BulkDone(
        step=step if number_of(groups, "changes") else None,
        number=len(ids),
        changed=number_of(groups, "changes"),
        refused=len(refused),
        new_products=0,
        shares=shares_of(groups, titles, sentence),
        refusals=[Refusal(id=id, name=names[id], sentence=sentence(refused[id])) for id in told],
        operations=[],
    )


def titles(ids: Iterable[int]) -> dict[int, str]:
    return dict(Finding.objects.filter(pk__in=list(ids)).values_list("pk", "title"))


def sentence(fate: str) -> str:
    return FATES[fate].sentence.format(product="", role="mapper")


def said_fields(
    finding_id: int | None,
    verdict: str | Unset | None,
    until: datetime | Unset | None,
    severity: str | Unset | None,
    verified: bool | Unset | None,
    note: str | Unset | None,
    tags: Sequence[str] | Unset | None,
) -> dict[str, Said | None]:
    """What is said, field by field, as it is stored. Raises Refused with what is allowed."""
    said: dict[str, Said | None] = {}
    if verdict is not UNSET or until is not UNSET:
        said["verdict"] = said_verdict(finding_id, verdict, until)
    if severity is not UNSET:
        said["severity"] = said_severity(severity)
    if verified is not UNSET:
        said["verified"] = None if verified is None else Said(json.dumps(verified))
    if note is not UNSET:
        text = clean_text(note or "", "note")
        said["note"] = Said(text) if text else None
    if tags is not UNSET:
        names = sorted({clean_name(tag, "tag") for tag in tags or ()})
        said["tags"] = Said(json.dumps(names, ensure_ascii=False)) if names else None
    if not said:
        raise Refused("Nothing was decided.", f"Say a verdict ({', '.join(VERDICTS)}), a severity, a note or tags.")
    return said


def refuse_while_changing(finding_id: int) -> None:
    """A change copies decisions to another Feed; one that is made meanwhile could be left behind."""
    for record in lock_records(writer.record_of_finding([finding_id]).values()).values():
        if record.changing_operation_id is not None:
            why = f"Nothing can be decided about the findings of {record.name} just now."
            raise Refused(why, f"{why_changing(record.changing_operation_id)}.")


def said_verdict(finding_id: int | None, verdict: str | Unset | None, until: datetime | Unset | None) -> Said | None:
    """The verdict as it is stored. An end alone moves the end of the acceptance that is there."""
    end = None if until is UNSET else until
    if verdict is UNSET:
        verdict = accepted_before(finding_id)
    if verdict in (None, NONE):
        if end is not None:
            raise Refused("Only an acceptance has an end.", f"Say the verdict «{ACCEPTED}» with it.")
        return None
    if verdict not in VERDICTS:
        raise Refused(f"«{verdict}» is no verdict.", f"Say one of: {', '.join((*VERDICTS, NONE))}.")
    if end is None:
        return Said(verdict)
    if verdict != ACCEPTED:
        raise Refused(f"«{verdict}» has no end; only an acceptance has.", "Leave the end away.")
    if end.tzinfo is None:
        raise Refused("The end of the acceptance has no time zone.", "Give a day, or a time with its zone.")
    if end <= timezone.now():
        raise Refused("The acceptance would have ended already.", "Give a day in the future.")
    return Said(verdict, end)


def accepted_before(finding_id: int | None) -> str:
    if finding_id is None:
        raise Refused("Only an acceptance has an end, and each of these may be another.", f"Say «{ACCEPTED}» with it.")
    finding = Finding.objects.get(pk=finding_id)
    key = {"feed_id": finding.feed_id, "family": finding.family, "key_hash": finding.key_hash}  # pyright: ignore[reportAttributeAccessIssue]
    if not Decision.objects.filter(**key, field="verdict", value=ACCEPTED).exists():
        raise Refused("Only an acceptance has an end, and this finding is not accepted.", f"Say «{ACCEPTED}» with it.")
    return ACCEPTED


def said_severity(severity: str | None) -> Said | None:
    if severity is None or severity == NONE:
        return None
    try:
        return Said(str(Severity(severity).rank))
    except ValueError:
        there = ", ".join(each.value for each in Severity)
        raise Refused(f"«{severity}» is no severity.", f"Say one of: {there}, {NONE}.") from None
