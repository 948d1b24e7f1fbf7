"""What deliveries keep: links, what was written and seen there, and what people there decided.

The caller has the transaction open.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from tidegate.rules.actor import Actor
from tidegate.rules.delivery import Ours
from tidegate.rules.delivery import Said as SaidHere
from tidegate.rules.finding import ACCEPTED
from tidegate.store.clock import database_now
from tidegate.store.models import DeliveredFinding, DeliveredTest, Journal
from tidegate.store.statement import rows_of, run
from tidegate.store.writers.decision import Said, decide_finding
from tidegate.store.writers.record import lock_records

VENDOR_VERDICTS: Final = ("", "false positive", ACCEPTED, "out of scope")
"""By the number that a finding's row holds."""


@dataclass(frozen=True)
class Due:
    """A finding as it stands here, and as it was last written and seen there. `here`: it still lies in this Test."""

    ours: Ours
    version: int
    here: bool
    record: int
    read_at: datetime
    said_by: Mapping[str, str]
    """Who decided here, by field."""
    their_id: int | None = None
    gone: bool = False
    written: bytes = b""
    seen: Mapping[str, Any] | None = None
    meant: Mapping[str, Any] | None = None
    at: datetime | None = None
    family: str = ""
    branch: str = ""
    key: str = ""
    closed_because: str = ""


@dataclass(frozen=True)
class Written:
    """What stands there of one finding by now."""

    due: Due
    their_id: int | None
    digests: bytes
    seen: Mapping[str, Any]


def due_findings(delivered: int, test: int, after: int, at_most: int) -> list[int]:
    """The findings of a Test that have to be looked at, ascending; at most so many, beyond `after`."""
    return rows_of("delivered_due", delivered=delivered, test=test, after=after, at_most=at_most)[0]["findings"]


def as_delivered(delivered: int, test: int, connection: int, label: str, findings: Sequence[int]) -> list[Due]:
    """These findings with all that a delivery must know of them."""
    now = database_now()
    rows = rows_of("delivered_rows", delivered=delivered, test=test, findings=list(findings))
    return [_due(row, connection, label, now) for row in rows]


def _due(row: Mapping[str, Any], connection: int, label: str, now: datetime) -> Due:
    decided = _parsed(row["by_field"]) or {}
    said = decided.get("verdict")
    in_force = said is not None and (said["until"] is None or datetime.fromisoformat(said["until"]) > now)
    vendor = VENDOR_VERDICTS[row["vendor_verdict"]]
    verdict: str = said["value"] if said is not None and in_force else vendor
    verdict = "" if verdict == "real" else verdict
    ours = Ours(
        id=row["id"],
        connection=connection,
        label=label,
        title=row["title"],
        severity=row["severity"],
        # One that went to another Test is closed in this one.
        open=row["open"] and row["here"],
        active=row["active"] and row["here"],
        since=row["created_at"],
        verdict=verdict,
        vendor_verdict=vendor,
        fields=_parsed(row["fields"]),
        decided={
            name: SaidHere(one["value"], datetime.fromisoformat(one["at"])) for name, one in decided.items()
        },
        noted_by=decided["note"]["by"] if "note" in decided else "",
    )  # fmt: skip
    return Due(
        ours,
        version=row["version"],
        here=row["here"],
        record=row["record_id"],
        read_at=now,
        said_by={name: one["by"] for name, one in decided.items()},
        their_id=row["their_id"],
        gone=row["gone"],
        written=bytes(row["written"] or b""),
        seen=_parsed(row["seen"]),
        meant=_parsed(row["meant"]),
        at=row["at"],
        family=row["family"],
        branch=row["branch"],
        key=row["key"],
        closed_because=row["closed_because"] or "",
    )


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def note_meant(delivered: int, meant: Mapping[int, Mapping[str, Any]]) -> None:
    """Writes down, before it is written there, how each of these findings will look there."""
    told = [json.dumps(dict(one)) for one in meant.values()]
    run("delivered_meant", delivered=delivered, findings=list(meant), meant=told)


def save_written(delivered: int, written: Sequence[Written]) -> None:
    """Keeps how each of these findings stands there now."""
    run(
        "delivered_save",
        delivered=delivered,
        findings=[one.due.ours.id for one in written],
        versions=[one.due.version for one in written],
        theirs=[one.their_id for one in written],
        written=[one.digests for one in written],
        seen=[json.dumps(dict(one.seen)) for one in written],
        ats=[one.due.read_at for one in written],
    )


def save_seen(delivered: int, seen: Mapping[int, Mapping[str, Any]]) -> None:
    """Keeps what people there made of these findings."""
    told = [json.dumps(dict(one)) for one in seen.values()]
    run("delivered_seen", delivered=delivered, findings=list(seen), seen=told)


def note_missing(delivered: int, theirs: Sequence[int]) -> list[int]:
    """Findings that a whole reading did not show are deleted there; returns them."""
    return [row["finding_id"] for row in rows_of("delivered_missing", delivered=delivered, theirs=list(theirs))]


def note_gone(delivered: int, findings: Iterable[int]) -> None:
    """These are deleted there: they are not made again silently."""
    DeliveredFinding.objects.filter(delivered_test_id=delivered, finding_id__in=list(findings)).update(gone=True)


def forget_gone(delivered: int) -> int:
    """A person says that what was deleted there is made again; returns how many."""
    return DeliveredFinding.objects.filter(delivered_test_id=delivered, gone=True).delete()[0]


def ours_of(delivered: int, theirs: Sequence[int]) -> dict[int, int]:
    """Our findings, by their numbers."""
    rows = DeliveredFinding.objects.filter(delivered_test_id=delivered, their_id__in=list(theirs))
    return dict(rows.values_list("their_id", "finding_id"))


def known(delivered: int) -> int:
    """How many findings of ours stand there, as far as we know."""
    return DeliveredFinding.objects.filter(delivered_test_id=delivered, gone=False).count()


def save_test(test: DeliveredTest, **facts: Any) -> None:
    """Keeps these facts of a Test there, in the row and in the value."""
    for name, value in facts.items():
        setattr(test, name, value)
    DeliveredTest.objects.filter(pk=test.pk).update(**facts)


def take_decisions(actor: Actor, due: Due, taken: Mapping[str, str | None], step: UUID) -> bool:
    """What people there decided is decided here, in their name and in a step that can be undone. False where
    a change is at the Record: later, then."""
    if any(one.changing_operation_id is not None for one in lock_records([due.record]).values()):
        return False
    decide_finding(actor, due.ours.id, {name: None if v is None else Said(v) for name, v in taken.items()}, step)
    return True


def keep_lost(actor: Actor, due: Due, lost: Mapping[str, str | None], at: datetime | None) -> None:
    """What people there said before people here said otherwise does not count, and stays in the history: as what stood
    before their word."""
    when = None if at is None else at.isoformat()
    for name, value in lost.items():
        theirs = {"value": value, "until": None, "by": str(actor), "at": when}
        Journal.objects.create(
            finding_id=due.ours.id,
            actor=due.said_by.get(name, str(actor)),
            kind="decided",
            before={"decision": {name: theirs}},
        )
