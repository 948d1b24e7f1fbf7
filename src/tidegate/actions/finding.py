"""What a person decides about findings: it survives every Sync, holds for all Branches, beats the vendor's word."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum
from typing import Final

from django.utils import timezone

from tidegate.actions.action import action
from tidegate.actions.errors import Refused
from tidegate.actions.step import Item, StepOutcome, wanted
from tidegate.actions.version import demand_expected
from tidegate.rules.actor import Actor
from tidegate.rules.finding import ACCEPTED, VERDICTS
from tidegate.rules.names import clean_name, clean_text
from tidegate.rules.record import why_changing
from tidegate.store.models import Decision, Finding
from tidegate.store.writers import decision as writer
from tidegate.store.writers.decision import Said
from tidegate.store.writers.record import lock_records
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
    return writer.decide_finding(actor, finding_id, said)


def refuse_while_changing(finding_id: int) -> None:
    """A change copies decisions to another Feed; one that is made meanwhile could be left behind."""
    for record in lock_records(writer.record_of_finding([finding_id]).values()).values():
        if record.changing_operation_id is not None:
            why = f"Nothing can be decided about the findings of {record.name} just now."
            raise Refused(why, f"{why_changing(record.changing_operation_id)}.")


@action("mapper", finding="finding_ids")
def close_findings(actor: Actor, finding_ids: Iterable[int]) -> StepOutcome:
    """Closes open findings that nothing watches any more. One that is watched is left to its evidence."""
    asked = wanted(finding_ids, "Finding", writer.record_of_finding)
    closed = set(writer.close_unwatched(actor, asked))
    open = set(Finding.objects.filter(pk__in=asked, open=True).values_list("pk", flat=True))
    return StepOutcome(None, tuple(Item(id, id in closed, closed_sentence(id, closed, open)) for id in asked))


def closed_sentence(id: int, closed: set[int], open: set[int]) -> str:
    if id in closed:
        return "Is closed."
    if id in open:
        return "Its Record still watches it: a Sync closes it when it is gone. Decide about it instead."
    return "Is closed already."


def said_verdict(finding_id: int, verdict: str | Unset | None, until: datetime | Unset | None) -> Said | None:
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


def accepted_before(finding_id: int) -> str:
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
