"""Findings: what was found, where it comes from, what people and the tool say of it, and its story so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from django.db.models import QuerySet
from msgspec import Meta

from tidegate.reads.page import LARGEST_LIMIT, LIMIT, storable
from tidegate.reads.selection import HITS, Sort, Wanted, select, unindexed, walk
from tidegate.reads.story import CLOSED_BECAUSE, VENDOR_VERDICTS, Event, latest, said_in_words, visible_findings
from tidegate.store import models
from tidegate.store.statement import rows_of
from tidegate_sdk import Severity

Status = Literal["active", "inactive", "open", "closed", "held", "kept open", "unwatched"]


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
    """One page of findings, in the order asked for."""

    findings: Annotated[list[FindingRow], Meta(description="The findings of this page.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]
    count: Annotated[
        int | None,
        Meta(description="How many there are, up to 10,000, or 1,000 hits; null where counting would take too long."),
    ]
    more: Annotated[bool, Meta(description="There are more than `count`.")]
    not_searchable: Annotated[
        int,
        Meta(description="With a search: findings whose words are not indexed yet; they follow some seconds later."),
    ]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a person decided about a finding; holds for all Branches of it."""

    field: Annotated[str, Meta(description="`verdict`, `severity`, `verified`, `note` or `tags`.")]
    value: Annotated[str, Meta(description="What was decided.")]
    until: Annotated[datetime | None, Meta(description="When it ends by itself, or null.")]
    by: Annotated[str, Meta(description="Who decided.")]
    at: Annotated[datetime, Meta(description="When.")]


class FindingDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One finding with all that is known of it."""

    finding: Annotated[FindingRow, Meta(description="The finding itself.")]
    severity_vendor: Annotated[str, Meta(description="The tool's severity.")]
    vendor_verdict: Annotated[str, Meta(description="What the tool's own users say of it; empty where nothing.")]
    fields: Annotated[dict[str, Any], Meta(description="Everything else the tool said.")]
    decisions: Annotated[list[Said], Meta(description="What people decided.")]
    story: Annotated[list[Event], Meta(description="What happened to it, the oldest first.")]
    story_whole: Annotated[
        bool, Meta(description="All of it; where false, how it came and the latest: `finding story` tells the rest.")
    ]


def findings(
    *,
    product_id: int | None = None,
    product_type: str | None = None,
    connection_id: int | None = None,
    record_id: int | None = None,
    tool: str | None = None,
    severity: str | None = None,
    status: Status | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    cwe: int | None = None,
    component: str | None = None,
    search: str = "",
    sort: Sort | None = None,
    cursor: str | None = None,
    limit: int = LIMIT,
) -> FindingPage:
    """Findings, the worst first, then the newest. `search` looks for words in title, rule, component, path and ids, the
    last of them as a beginning; the first 1,000 hits are ranked where no `sort` is given. `since` and `until` ask for
    those that were stored from then on, or before. Raises CursorRefused."""
    wanted = wanted_of(
        product_id=product_id, product_type=product_type, connection_id=connection_id,
        record_id=record_id, tool=tool, severity=severity, status=status, since=since, until=until, cwe=cwe,
        component=component and storable(component), text=storable(search).strip(), sort=sort,
    )  # fmt: skip
    selected = select(wanted, cursor, max(1, min(limit, LARGEST_LIMIT)))
    searched = wanted.text or cwe is not None or component
    return FindingPage(
        findings=rows(selected.ids),
        next=selected.next,
        count=selected.count,
        more=selected.more,
        not_searchable=unindexed() if searched else 0,
    )


def finding(finding_id: int) -> FindingDetail | None:
    """One finding with its story; None if there is none of this number."""
    found = _with_its_place().filter(id=finding_id).first()
    shown = [] if found is None else rows([finding_id])
    if found is None or not shown:
        return None
    decisions = _decisions(found)
    told = latest(found, decisions)
    return FindingDetail(
        finding=shown[0],
        severity_vendor=Severity.of_rank(found.severity_vendor).value,
        vendor_verdict=VENDOR_VERDICTS[found.vendor_verdict],
        fields=found.fields,
        decisions=[
            Said(
                field=said.field, value=said_in_words(said.field, said.value), until=said.until, by=said.by, at=said.at
            )
            for said in decisions
        ],
        story=told.events,
        story_whole=told.whole,
    )


def numbers_of(
    at_most: int, *, search: str = "", component: str | None = None, **others: Any
) -> tuple[list[int], bool]:
    """The numbers of all findings that are asked for, to decide about them at once, and whether these are all: there
    may be more, and a search may have more hits than are put in order."""
    wanted = wanted_of(component=component and storable(component), text=storable(search).strip(), **others)
    if wanted.text or wanted.cwe is not None or wanted.component is not None:
        selected = select(wanted, None, HITS)
        return selected.ids, not (selected.next or selected.more or len(selected.ids) > at_most)
    numbers: list[int] = []
    for ids in walk(wanted, LARGEST_LIMIT):
        numbers += ids
        if len(numbers) > at_most:
            return numbers, False
    return numbers, True


def wanted_of(
    *,
    product_type: str | None = None,
    tool: str | None = None,
    severity: str | None = None,
    status: Status | None = None,
    **others: Any,
) -> Wanted:
    """What is asked for, in the words that people use."""
    return Wanted(
        product_type=product_type and storable(product_type),
        tool=tool and storable(tool),
        severity=None if severity is None else Severity(severity).rank,
        **_standing(status),
        **others,
    )


def _with_its_place() -> QuerySet[models.Finding]:
    related = ("feed__record__connection", "feed__test__engagement__product")
    return models.Finding.objects.select_related(*related).filter(visible_findings())


def _standing(status: Status | None) -> dict[str, Any]:
    """A status as facts of findings."""
    words: dict[Status | None, dict[str, Any]] = {
        None: {},
        "active": {"active": True},
        "inactive": {"active": False},
        "open": {"open": True},
        # What is closed is inactive: said, because the indexes of lists know only that.
        "closed": {"open": False, "active": False},
        "held": {"standing": models.Held.HELD},
        "kept open": {"standing": models.Held.KEPT_OPEN},
        "unwatched": {"open": True, "unwatched": True},
    }
    return words[status]


def rows(ids: Sequence[int]) -> list[FindingRow]:
    """These findings as lists show them, in this order; those that went meanwhile are left out."""
    found = {row["id"]: row for row in rows_of("finding_rows", ids=list(ids))} if ids else {}
    return [_row(found[number]) for number in ids if number in found]


def _row(one: Mapping[str, Any]) -> FindingRow:
    left = _left_behind(one) if one["open"] else None
    return FindingRow(
        id=one["id"],
        severity=Severity.of_rank(one["severity"]).value,
        title=one["title"],
        active=one["active"],
        open=one["open"],
        why=_why(one, left),
        unwatched_since=left.since if left else None,
        last_seen_at=_last_seen(one),
        held=one["standing"] if one["standing"] not in (None, models.Held.PENDING) else "",
        product=one["product"],
        product_id=one["product_id"],
        connection=one["connection"],
        record=one["record"],
        record_id=one["record_id"],
        family=one["family"],
        branch=one["branch"],
        where=_where(one),
        key=one["key"],
        created_at=one["created_at"],
    )


class _Left(NamedTuple):
    since: datetime | None
    because: str


def _left_behind(one: Mapping[str, Any]) -> _Left | None:
    """Why no Sync looks at an open finding any more, and since when; as reads/count.py filters them."""
    if one["connection_deleted_at"] is not None:
        return _Left(one["connection_deleted_at"], "its Connection was deleted")
    if one["deleted_at"] is not None:
        return _Left(one["deleted_at"], "its Record was deleted")
    if one["flows_to"] != one["feed_id"]:
        where = {"mapped": "flows elsewhere", "ignored": "is ignored"}.get(one["decision"], "is not mapped any more")
        return _Left(one["finalized_at"] or one["proven_at"], f"its Record {where}")
    if one["absent_since"] is not None:
        return _Left(one["absent_since"], "its Record is Missing")
    if one["last_outcome"] == "skipped":
        part = f"{one['family']} of {one['branch']}" if one["branch"] else one["family"]
        return _Left(one["proven_at"], f"{part} is no longer read")
    return None


def _last_seen(one: Mapping[str, Any]) -> datetime | None:
    """The last complete read of its Record, Family and Branch that showed it; of a closed one its row does not say."""
    if not one["open"]:
        return None
    if one["last_seen_at"] is not None:
        return one["last_seen_at"]
    return max(one["proven_at"], one["created_at"]) if one["proven_at"] else one["created_at"]


def _why(one: Mapping[str, Any], left: _Left | None) -> str:
    if not one["open"]:
        by = f" by Sync {one['closed_operation']}" if one["closed_operation"] else ""
        return f"Closed{by}: {CLOSED_BECAUSE.get(one['closed_because'] or '', one['closed_because'])}."
    if one["standing"] == models.Held.HELD:
        sync = one["latest_operation"]
        return f"Held: Sync {sync} no longer saw it, and too much was gone at once; a person decides."
    if one["standing"] == models.Held.KEPT_OPEN:
        seen = f" since {one['last_seen_at']:%Y-%m-%d}" if one["last_seen_at"] else ""
        return f"Not seen{seen}; kept open by {one['said_by']}."
    if not one["active"] and one["verdict"]:
        until = f" until {one['verdict_until']:%Y-%m-%d}" if one["verdict_until"] else ""
        return f"Inactive: {one['verdict_by']} says {one['verdict']}{until}."
    if not one["active"]:
        return f"Inactive: the tool's own users say {VENDOR_VERDICTS[one['vendor_verdict']]}."
    if left is not None:
        since = f" since {left.since:%Y-%m-%d}" if left.since else ""
        return f"Open, unwatched{since}: {left.because}."
    return "Open: the tool reports it."


def _where(one: Mapping[str, Any]) -> str:
    """File and line, component, or address: whatever the tool said; its texts may be empty, its line 0."""
    if path := one["path"]:
        return f"{path}:{one['line']}" if one["line"] not in (None, "", "0") else path
    if component := one["component"]:
        return f"{component} {one['version'] or ''}".strip()
    return one["endpoint"] or one["image"] or ""


def _decisions(found: models.Finding) -> list[Any]:
    of = models.Decision.objects.filter(feed=found.feed_id, family=found.family, key_hash=found.key_hash)
    return list(of.order_by("field"))
