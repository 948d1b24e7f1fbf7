"""Findings: what was found, where it comes from, what people and the tool say of it, and its story so far."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from django.db.models import Q, QuerySet
from msgspec import Meta

from tidegate.reads.count import unwatched
from tidegate.reads.page import LIMIT, cut, storable
from tidegate.rules.actor import TIDEGATE
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

KINDS: Final = ("created", "changed", "closed", "reopened", "decided", "expired", "moved", "merged", "undone")
TITLES: Final = {"severity_vendor": "severity of the tool", "vendor_verdict": "the tool says"}
LONG: Final = ("description", "impact", "mitigation", "evidence")
SHORT: Final = 60

TOLD: Final = {
    "moved": "Moved {by} to another Product, with its history and decisions.",
    "merged": "Merged {by} with the same finding that was moved here: it took over its decisions and its opening.",
    "undone": "Undone {by}: it is again where and as it was.",
    "expired": "Active again: the date until which it was accepted has come.",
}
"""Changes that say all by their kind."""


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
    last_seen_at: Annotated[datetime | None, Meta(description="The last complete read that showed it; null if closed.")]
    unwatched_since: Annotated[datetime | None, Meta(description="Open, but no Sync looks at it since then; or null.")]


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
    kind: Annotated[str, Meta(description=f"{', '.join(f'`{kind}`' for kind in KINDS)}.")]
    what: Annotated[str, Meta(description="What happened, in one sentence.")]
    actor: Annotated[str, Meta(description="Who did it.")]
    operation: Annotated[int | None, Meta(description="The Operation that did it, or null.")]
    before: Annotated[dict[str, Any], Meta(description="What changed, as it was.")]
    after: Annotated[dict[str, Any], Meta(description="The same, as it was then.")]


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
    decisions = _decisions([found])
    return FindingDetail(
        finding=_rows([found])[0],
        severity_vendor=Severity.of_rank(found.severity_vendor).value,
        vendor_verdict=VENDOR_VERDICTS[found.vendor_verdict],
        fields=found.fields,
        decisions=[
            Said(field=said.field, value=_said(said.field, said.value), until=said.until, by=said.by, at=said.at)
            for said in decisions
        ],
        story=story(found, list(models.Journal.objects.filter(finding_id=found.pk).order_by("id")), decisions),
    )


def story(found: Any, journal: list[Any], decisions: Iterable[Any] = ()) -> list[Event]:
    """Creation is a fact of the row; each line of the journal says what was before, so what came after is read back
    from the present."""
    now: dict[str, Any] = _in_words(
        {
            "open": found.open, "active": found.active, "closed_because": found.closed_because,
            "severity": found.severity, "severity_vendor": found.severity_vendor,
            "vendor_verdict": found.vendor_verdict, "title": found.title, "fields": found.fields,
        }
    )  # fmt: skip
    now["decision"] = {said.field: _until(_said(said.field, said.value), said.until) for said in decisions}
    events = []
    for line in reversed(journal):
        before = _in_words(line.before)
        if "active" in before and line.kind in ("closed", "decided", "expired"):
            # Not every line that closes says so of `active`; but a decision is only said where it changed that.
            now["active"] = line.kind != "closed" and not before["active"]
        after = {name: _only(now.get(name), was) for name, was in before.items()}
        events.append(
            Event(
                at=line.at, kind=line.kind, what=_told(line, before, now), actor=line.actor, operation=line.operation,
                before=before, after=after,
            )
        )  # fmt: skip
        now |= {name: {**now[name], **was} if isinstance(was, dict) else was for name, was in before.items()}
    first = Event(
        at=found.created_at, kind="created", what=f"Found by Sync {found.created_operation}.", actor="tidegate",
        operation=found.created_operation, before={}, after={},
    )  # fmt: skip
    return [first, *reversed(events)]


def _in_words(facts: Mapping[str, Any]) -> dict[str, Any]:
    """A finding's facts as the journal keeps them, in the words that are shown; without what only an undo reads."""
    words: dict[str, Any] = {}
    for name, value in facts.items():
        if name in ("open", "active", "closed_because", "title", "fields"):
            words[name] = value
        elif name in ("severity", "severity_vendor"):
            words[name] = Severity.of_rank(value).value
        elif name == "vendor_verdict":
            words[name] = VENDOR_VERDICTS[value]
        elif name == "decision":
            words[name] = {
                field: said and _until(_said(field, said["value"]), said["until"]) for field, said in value.items()
            }
    return words


def _only(now: Any, was: Any) -> Any:
    """What became of what was: of the tool's fields and of decisions, only those that changed."""
    return {name: now.get(name) for name in was} if isinstance(was, dict) else now


def _told(line: Any, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    by = f"by Sync {line.operation}" if line.operation else f"by {line.actor}"
    changes = ", ".join(_changes(before, now))
    if line.kind == "closed":
        because = CLOSED_BECAUSE.get(now["closed_because"] or "", "")
        who = f"; {line.actor} approved" if line.operation and line.actor != str(TIDEGATE) else ""
        return f"Closed {by}{f': {because}' if because else ''}{who}{f' ({changes})' if changes else ''}."
    if line.kind == "reopened":
        return f"Open again {by}: it is reported once more{f' ({changes})' if changes else ''}."
    if line.kind in TOLD:
        return TOLD[line.kind].format(by=by)
    verb = {"changed": "Changed", "decided": "Decided"}.get(line.kind, line.kind.capitalize())
    return f"{verb} {by}{f': {changes}' if changes else ''}.{_effect(before, now)}"


def _effect(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What a decision did beyond itself."""
    if before.get("open") and not now["open"]:
        return f" It is closed: {CLOSED_BECAUSE.get(now['closed_because'] or '', 'see above')}."
    if "active" in before:
        return " It is active again." if now["active"] else " It is inactive now."
    return ""


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    decided = before.get("decision", {})
    for name in ("severity_vendor", "severity", "vendor_verdict", "title"):
        if name in before and not (name == "severity" and "severity" in decided):
            yield f"{TITLES.get(name, name)} {_change(before[name], now[name])}"
    for name, was in decided.items():
        if was != (is_now := now["decision"].get(name)):
            yield f"{name} {_change(was, is_now)}"
    for name, was in (before.get("fields") or {}).items():
        if name in LONG:
            yield f"new {name}"
        elif name != "severity":  # the same is said above
            yield f"{name.replace('_', ' ')} {_change(was, now['fields'].get(name))}"


def _change(was: Any, is_now: Any) -> str:
    return f"«{_short(was)}» → «{_short(is_now)}»"


def _short(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    if isinstance(value, bool):
        value = "yes" if value else "no"
    text = "nothing" if value in (None, "") else " ".join(str(value).split())
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


def _said(field: str, value: str) -> str:
    """What was decided, in words: severities are stored as ranks, tags and yes or no as JSON."""
    if field == "severity":
        return Severity.of_rank(int(value)).value
    if field == "verified":
        return "yes" if json.loads(value) else "no"
    return ", ".join(json.loads(value)) if field == "tags" else value


def _until(said: str, until: datetime | str | None) -> str:
    day = until.strftime("%Y-%m-%d") if isinstance(until, datetime) else (until or "")[:10]
    return f"{said} until {day}" if day else said


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
    parts = {
        (part.feed_id, part.family, part.branch): part
        for part in models.Part.objects.filter(feed__in={one.feed_id for one in found})
    }
    return [
        _row(
            one,
            standings.get(one.pk),
            verdicts.get((one.feed_id, one.family, one.key_hash)),
            parts.get((one.feed_id, one.family, one.branch)),
        )
        for one in found
    ]


def _row(found: Any, held: Any, verdict: Any, part: Any) -> FindingRow:
    record, product = found.feed.record, found.feed.test.engagement.product
    left = _left_behind(found, part) if found.open else None
    return FindingRow(
        id=found.pk,
        severity=Severity.of_rank(found.severity).value,
        title=found.title,
        active=found.active,
        open=found.open,
        why=_why(found, held, verdict, left),
        unwatched_since=left.since if left else None,
        last_seen_at=_last_seen(found, held, part),
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


class _Left(NamedTuple):
    since: datetime | None
    because: str


def _left_behind(found: Any, part: Any) -> _Left | None:
    """Why no Sync looks at an open finding any more, and since when; as reads/count.py filters them."""
    record = found.feed.record
    if record.connection.deleted_at is not None:
        return _Left(record.connection.deleted_at, "its Connection was deleted")
    if record.deleted_at is not None:
        return _Left(record.deleted_at, "its Record was deleted")
    if record.feed_id != found.feed_id:
        where = {"mapped": "flows elsewhere", "ignored": "is ignored"}.get(record.decision, "is not mapped any more")
        return _Left(record.finalized_at or (part and part.proven_at), f"its Record {where}")
    if record.absent_since is not None:
        return _Left(record.absent_since, "its Record is Missing")
    if part is not None and part.last_outcome == "skipped":
        return _Left(part.proven_at, f"{found.family} is no longer read")
    return None


def _last_seen(found: Any, held: Any, part: Any) -> datetime | None:
    """The last complete read of its Record, Family and Branch that showed it; of a closed one its row does not say."""
    if not found.open:
        return None
    if held is not None and held.last_seen_at is not None:
        return held.last_seen_at
    return max(part.proven_at, found.created_at) if part is not None and part.proven_at else found.created_at


def _why(found: Any, held: Any, verdict: Any, left: _Left | None) -> str:
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
    if left is not None:
        since = f" since {left.since:%Y-%m-%d}" if left.since else ""
        return f"Open, unwatched{since}: {left.because}."
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
