"""Findings: what was found, where it comes from, what people and the tool say of it, and its story so far."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from django.db.models import Q, QuerySet
from msgspec import Meta

from tidegate.reads.count import unwatched
from tidegate.reads.page import LIMIT, cut, storable
from tidegate.store import models
from tidegate_sdk import Severity

Status = Literal["active", "inactive", "open", "closed", "held", "kept open", "unwatched"]

VENDOR_VERDICTS: Final = {0: "", 1: "false positive", 2: "accepted", 3: "out of scope"}

CLOSED_BECAUSE: Final = {
    "gone": "it is no longer reported",
    "fixed": "the tool says it is fixed",
    "threshold": "it is below the minimum severity of its Connection",
    "person": "a person closed it",
    "merged": "the same finding was at the destination already",
    "undone": "the Sync that brought it was undone",
}
"""Why a finding is closed, in words; the reference page of states shows these."""


class FindingRow(msgspec.Struct, frozen=True, kw_only=True):
    """One finding, as lists show it."""

    id: Annotated[int, Meta(description="Its number.")]
    severity: Annotated[str, Meta(description="The severity in force: a person's before the tool's.")]
    title: Annotated[str, Meta(description="What the tool calls it.")]
    active: Annotated[bool, Meta(description="Open, and nobody says false positive, accepted or out of scope.")]
    open: Annotated[bool, Meta(description="Still reported by the tool.")]
    why: Annotated[str, Meta(description="Why it is as it is, in one sentence.")]
    held: Annotated[str, Meta(description="`held` or `kept open` where its closing waits or was refused; else empty.")]
    product: Annotated[str, Meta(description="The Product it lies in.")]
    product_id: Annotated[int, Meta(description="That Product's number.")]
    connection: Annotated[str, Meta(description="The label of the Connection it came through.")]
    record: Annotated[str, Meta(description="The name of the Record it belongs to.")]
    record_id: Annotated[int, Meta(description="That Record's number.")]
    family: Annotated[str, Meta(description="The kind of finding.")]
    branch: Annotated[str, Meta(description="The branch; empty where there is none.")]
    where: Annotated[str, Meta(description="File and line, address, or component.")]
    key: Annotated[str, Meta(description="The tool's own id for it.")]
    created_at: Annotated[datetime, Meta(description="When Tidegate first stored it.")]


class FindingPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of findings, the worst first."""

    findings: Annotated[list[FindingRow], Meta(description="The findings of this page.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a person decided about a finding; holds for all Branches of it."""

    field: Annotated[str, Meta(description="`verdict`, `severity`, `verified`, `note` or `tags`.")]
    value: Annotated[str, Meta(description="What was decided.")]
    until: Annotated[datetime | None, Meta(description="When it ends by itself, or null.")]
    by: Annotated[str, Meta(description="Who decided.")]
    at: Annotated[datetime, Meta(description="When.")]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a finding's story."""

    at: Annotated[datetime, Meta(description="When.")]
    kind: Annotated[str, Meta(description="`created`, `changed`, `closed`, `reopened`, `decided` or `moved`.")]
    what: Annotated[str, Meta(description="What happened, in one sentence.")]
    actor: Annotated[str, Meta(description="Who did it.")]
    operation: Annotated[int | None, Meta(description="The Operation that did it, or null.")]
    before: Annotated[dict[str, Any], Meta(description="What was different before.")]


class FindingDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One finding with all that is known of it."""

    finding: Annotated[FindingRow, Meta(description="The finding itself.")]
    severity_vendor: Annotated[str, Meta(description="The tool's severity.")]
    vendor_verdict: Annotated[str, Meta(description="What the tool's own users say of it; empty where nothing.")]
    fields: Annotated[dict[str, Any], Meta(description="Everything else the tool said.")]
    decisions: Annotated[list[Said], Meta(description="What people decided.")]
    story: Annotated[list[Event], Meta(description="What happened to it, the oldest first.")]


def findings(
    *,
    product_id: int | None = None,
    connection_id: int | None = None,
    record_id: int | None = None,
    severity: str | None = None,
    status: Status | None = None,
    search: str = "",
    cursor: str | None = None,
    limit: int = LIMIT,
) -> FindingPage:
    """Findings, the worst first, then the newest."""
    query = _all()
    feeds = models.Feed.objects.all()
    if product_id is not None:
        feeds = feeds.filter(test__engagement__product_id=product_id)
    if connection_id is not None:
        feeds = feeds.filter(record__connection_id=connection_id)
    if record_id is not None:
        feeds = feeds.filter(record_id=record_id)
    if not {product_id, connection_id, record_id} <= {None}:
        query = query.filter(feed__in=feeds.values("id"))
    if severity is not None:
        query = query.filter(severity=Severity(severity).rank)
    if status is not None:
        query = query.filter(_of(status))
    if search := storable(search):
        query = query.filter(Q(title__icontains=search) | Q(key=search))
    found, following = cut(query, ("-severity", "-id"), (int, int), cursor, limit)
    return FindingPage(findings=_rows(found), next=following)


def finding(finding_id: int) -> FindingDetail | None:
    """One finding with its story; None if there is none of this number."""
    found = _all().filter(id=finding_id).first()
    if found is None:
        return None
    return FindingDetail(
        finding=_rows([found])[0],
        severity_vendor=Severity.of_rank(found.severity_vendor).value,
        vendor_verdict=VENDOR_VERDICTS[found.vendor_verdict],
        fields=found.fields,
        decisions=[
            Said(field=said.field, value=_said(said), until=said.until, by=said.by, at=said.at)
            for said in _decisions([found])
        ],
        story=story(found, list(models.Journal.objects.filter(finding_id=found.pk).order_by("id"))),
    )


def story(found: Any, journal: list[Any]) -> list[Event]:
    """Creation is a fact of the row; each line of the journal says what was before, so what came after is read back
    from the present."""
    now: dict[str, Any] = {
        "open": found.open, "closed_because": found.closed_because, "severity": found.severity,
        "severity_vendor": found.severity_vendor, "vendor_verdict": found.vendor_verdict, "title": found.title,
        "fields": found.fields,
    }  # fmt: skip
    events = []
    for line in reversed(journal):
        events.append(
            Event(
                at=line.at, kind=line.kind, what=_told(line, now), actor=line.actor, operation=line.operation,
                before=line.before,
            )
        )  # fmt: skip
        now = {**now, **line.before}
    first = Event(
        at=found.created_at, kind="created", what=f"Found by Sync {found.created_operation}.", actor="tidegate",
        operation=found.created_operation, before={},
    )  # fmt: skip
    return [first, *reversed(events)]


def _told(line: Any, after: Mapping[str, Any]) -> str:
    by = f"by Sync {line.operation}" if line.operation else f"by {line.actor}"
    if line.kind == "closed":
        because = CLOSED_BECAUSE.get(after.get("closed_because") or "", "")
        return f"Closed {by}: {because}." if because else f"Closed {by}."
    if line.kind == "reopened":
        return f"Open again {by}: it is reported once more."
    changes = [_change(name, was, after.get(name)) for name, was in line.before.items() if name != "fields"]
    changes += [f"new {name.replace('_', ' ')}" for name in line.before.get("fields") or {}]
    verb = {"changed": "Changed", "decided": "Decided", "moved": "Moved"}.get(line.kind, line.kind.capitalize())
    return f"{verb} {by}: {', '.join(changes)}." if changes else f"{verb} {by}."


def _change(name: str, was: Any, is_now: Any) -> str:
    if name in ("severity", "severity_vendor"):
        was, is_now = (Severity.of_rank(rank).value if isinstance(rank, int) else rank for rank in (was, is_now))
    if name == "vendor_verdict":
        was, is_now = (VENDOR_VERDICTS.get(number, number) or "nothing" for number in (was, is_now))
    title = {"severity_vendor": "severity of the tool", "vendor_verdict": "the tool says"}.get(
        name, name.replace("_", " ")
    )
    return f"{title} «{was}» → «{is_now}»"


def _said(decision: Any) -> str:
    """What was decided, in words: severities are stored as ranks, tags and yes or no as JSON."""
    if decision.field == "severity":
        return Severity.of_rank(int(decision.value)).value
    if decision.field == "verified":
        return "yes" if json.loads(decision.value) else "no"
    return ", ".join(json.loads(decision.value)) if decision.field == "tags" else decision.value


def _all() -> QuerySet[models.Finding]:
    return models.Finding.objects.select_related("feed__record__connection", "feed__test__engagement__product")


def _of(status: Status) -> Q:
    held = models.Held.objects
    return {
        "active": Q(active=True),
        "inactive": Q(active=False),
        "open": Q(open=True),
        "closed": Q(open=False),
        "held": Q(id__in=held.filter(standing=models.Held.HELD).values("finding_id")),
        "kept open": Q(id__in=held.filter(standing=models.Held.KEPT_OPEN).values("finding_id")),
        "unwatched": Q(open=True) & unwatched(),
    }[status]


def _rows(found: list[Any]) -> list[FindingRow]:
    standings = {held.pk: held for held in models.Held.objects.filter(finding__in=[one.pk for one in found])}
    verdicts = {
        (said.feed_id, said.family, said.key_hash): said for said in _decisions(found) if said.field == "verdict"
    }
    return [_row(one, standings.get(one.pk), verdicts.get((one.feed_id, one.family, one.key_hash))) for one in found]


def _row(found: Any, held: Any, verdict: Any) -> FindingRow:
    record, product = found.feed.record, found.feed.test.engagement.product
    return FindingRow(
        id=found.pk,
        severity=Severity.of_rank(found.severity).value,
        title=found.title,
        active=found.active,
        open=found.open,
        why=_why(found, held, verdict),
        held=held.standing if held and held.standing != models.Held.PENDING else "",
        product=product.name,
        product_id=product.pk,
        connection=record.connection.label,
        record=record.name,
        record_id=record.pk,
        family=found.family,
        branch=found.branch,
        where=_where(found.fields),
        key=found.key,
        created_at=found.created_at,
    )


def _why(found: Any, held: Any, verdict: Any) -> str:
    if not found.open:
        by = f" by Sync {found.closed_operation}" if found.closed_operation else ""
        return f"Closed{by}: {CLOSED_BECAUSE.get(found.closed_because or '', found.closed_because)}."
    if held and held.standing == models.Held.HELD:
        return f"Held: Sync {held.latest_operation} no longer saw it, and too much was gone at once; a person decides."
    if held and held.standing == models.Held.KEPT_OPEN:
        seen = f" since {held.last_seen_at:%Y-%m-%d}" if held.last_seen_at else ""
        return f"Not seen{seen}; kept open by {held.said_by}."
    if not found.active and verdict:
        until = f" until {verdict.until:%Y-%m-%d}" if verdict.until else ""
        return f"Inactive: {verdict.by} says {verdict.value}{until}."
    if not found.active:
        return f"Inactive: the tool's own users say {VENDOR_VERDICTS[found.vendor_verdict]}."
    return "Open: the tool reports it."


def _where(fields: Mapping[str, Any]) -> str:
    if path := fields.get("path"):
        return f"{path}:{fields['line']}" if fields.get("line") else str(path)
    if component := fields.get("component"):
        return f"{component} {fields.get('version') or ''}".strip()
    return str(fields.get("endpoint") or fields.get("image") or "")


def _decisions(found: Iterable[Any]) -> list[Any]:
    wanted = Q()
    for one in found:
        wanted |= Q(feed_id=one.feed_id, family=one.family, key_hash=one.key_hash)
    return list(models.Decision.objects.filter(wanted).order_by("field")) if wanted else []
