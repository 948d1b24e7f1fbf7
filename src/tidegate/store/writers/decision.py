"""What people decide about findings: one row a field, shared by all Branches, and its effect at once.

The caller has the transaction open.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Now

from tidegate.rules.actor import TIDEGATE, Actor
from tidegate.store.models import Decision, Finding, Record
from tidegate.store.statement import rows_of, run
from tidegate.store.writers.record import lock_records


@dataclass(frozen=True)
class Said:
    """One field of a decision as it is stored."""

    value: str
    until: datetime | None = None


def record_of_finding(findings: Iterable[int]) -> dict[int, int]:
    """The Record each finding came from; those that do not exist are not in the answer."""
    return {row["id"]: row["record_id"] for row in rows_of("records_of_findings", findings=list(findings))}


def decide_finding(actor: Actor, finding_id: int, fields: Mapping[str, Said | None]) -> int:
    """Writes (None: removes) fields of the decision on a finding, for all its Branches; returns how many these are."""
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
        before=json.dumps({"decision": {field: before.get(field) for field in fields}}, default=str),
    )


def decide_findings(actor: Actor, findings: Sequence[int], fields: Mapping[str, Said | None]) -> int:
    """The same about many findings, whose Records the caller holds; returns on how many Branches."""
    return run(
        "findings_decide",
        findings=list(findings),
        fields=list(fields),
        contents=[None if said is None else said.value for said in fields.values()],
        untils=[None if said is None else said.until for said in fields.values()],
        actor=str(actor),
    )


def as_before(row: Decision) -> dict[str, object]:
    """The decision as the journal keeps it once another takes its place."""
    return {"value": row.value, "until": row.until, "by": row.by, "at": row.at}


def close_unwatched(actor: Actor, findings: Sequence[int]) -> list[int]:
    """Closes those of these open findings that nothing watches any more; returns them."""
    lock_records(set(record_of_finding(findings).values()))
    return [row["id"] for row in rows_of("findings_close_unwatched", findings=list(findings), actor=str(actor))]


def expire_acceptances(now: datetime) -> int:
    """Acceptances whose date has come no longer keep their findings inactive; returns how many are active again."""
    records = [row["record_id"] for row in rows_of("acceptances_ended", now=now)]
    if not records:
        return 0
    lock_records(records)
    return run("acceptances_end", now=now, records=records, actor=str(TIDEGATE))
