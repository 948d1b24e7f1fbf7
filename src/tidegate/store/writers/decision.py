"""What people decide about findings: one row a field, shared by all Branches, and its effect at once.

The caller has the transaction open.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models.functions import Now

from tidegate.rules.actor import TIDEGATE, Actor
from tidegate.rules.undo import undo_step
from tidegate.store.models import Decision, Finding, Record
from tidegate.store.statement import rows_of, run
from tidegate.store.writers.bulk import Group
from tidegate.store.writers.record import lock_records


@dataclass(frozen=True)
class Said:
    """One field of a decision as it is stored."""

    value: str
    until: datetime | None = None


def record_of_finding(findings: Iterable[int]) -> dict[int, int]:
    """The Record each finding came from; those that do not exist are not in the answer."""
    return {row["id"]: row["record_id"] for row in rows_of("records_of_findings", findings=list(findings))}


def decide_finding(actor: Actor, finding_id: int, fields: Mapping[str, Said | None], step: UUID) -> int:
    """Writes (None: removes) fields of the decision on a finding, for all its Branches, in a step that can be undone;
    returns how many these are."""
    record_id = record_of_finding([finding_id])[finding_id]
    lock_records([record_id])
    finding = Finding.objects.get(pk=finding_id)
    key = {"feed_id": finding.feed_id, "family": finding.family, "key_hash": finding.key_hash}  # pyright: ignore[reportAttributeAccessIssue]
    before = {row.field: as_before(row) for row in Decision.objects.filter(**key, field__in=fields)}
    for field, said in fields.items():
        if said is None:
            Decision.objects.filter(**key, field=field).delete()
        else:
            values = {"value": said.value, "until": said.until, "by": str(actor), "at": Now()}
            Decision.objects.update_or_create(**key, field=field, defaults=values)
    return run(
        "findings_judge",
        feed=key["feed_id"],
        family=finding.family,
        key_hash=finding.key_hash,
        minimum=Record.objects.values_list("connection__minimum_severity", flat=True).get(pk=record_id),
        actor=str(actor),
        before=json.dumps({"decision": {field: before.get(field) for field in fields}, "step": str(step)}, default=str),
    )


def decide_findings(actor: Actor, findings: Sequence[int], fields: Mapping[str, Said | None], step: UUID) -> int:
    """The same about many findings, whose Records the caller holds; returns on how many Branches."""
    return run(
        "findings_decide",
        findings=list(findings),
        fields=list(fields),
        contents=[None if said is None else said.value for said in fields.values()],
        untils=[None if said is None else said.until for said in fields.values()],
        actor=str(actor),
        step=str(step),
    )


def as_before(row: Decision) -> dict[str, object]:
    """The decision as the journal keeps it once another takes its place."""
    return {"value": row.value, "until": row.until, "by": row.by, "at": row.at}


def close_unwatched(actor: Actor, findings: Sequence[int], step: UUID) -> list[int]:
    """Closes those of these open findings that nothing watches any more; returns them."""
    lock_records(set(record_of_finding(findings).values()))
    given = {"findings": list(findings), "actor": str(actor), "step": str(step)}
    return [row["id"] for row in rows_of("findings_close_unwatched", **given)]


def sort_undo(
    step: UUID, *, findings: Sequence[int] | None = None, mine: Sequence[int] | None = None
) -> dict[str, Group]:
    """What the undo of a step comes to for each of its findings, by fate; see `sort_findings`."""
    given = {"step": str(step), "undoing": str(undo_step(step)), "findings": findings, "mine": mine}
    rows = rows_of("findings_undo_sort", **given)
    return {row["fate"]: Group(row["number"], row["ids"]) for row in rows}


def undo_decisions(actor: Actor, step: UUID, findings: Sequence[int]) -> int:
    """Takes back what the step said of these, whose Records the caller holds; returns on how many Branches."""
    return run(
        "findings_undo_decision",
        findings=list(findings), step=str(step), undoing=str(undo_step(step)), actor=str(actor),
    )  # fmt: skip


def undo_closings(actor: Actor, step: UUID, findings: Sequence[int]) -> int:
    """Opens again what the step closed; the caller holds the Records. Returns how many."""
    return run("findings_undo_closing", findings=list(findings), undoing=str(undo_step(step)), actor=str(actor))


def expire_acceptances(now: datetime) -> int:
    """Acceptances whose date has come no longer keep their findings inactive; returns how many are active again."""
    records = [row["record_id"] for row in rows_of("acceptances_ended", now=now)]
    if not records:
        return 0
    lock_records(records)
    return run("acceptances_end", now=now, records=records, actor=str(TIDEGATE))
