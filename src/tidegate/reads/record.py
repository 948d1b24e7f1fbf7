"""Records: what each tool watches, where it flows, in which state that is and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypedDict, Unpack

import msgspec
from django.db.models import Case, F, IntegerField, Q, TextField, Value, When
from django.db.models.functions import Coalesce, Concat, Left, Lower
from msgspec import Meta

from tidegate import catalog
from tidegate.reads.count import STATES, Findings, feeds_seen, findings_of
from tidegate.reads.elsewhere import Told
from tidegate.reads.history import Change, changes
from tidegate.reads.lost import LostAway, lost_away
from tidegate.reads.page import LIMIT, behind, cut, number, storable
from tidegate.reads.viewer import visible
from tidegate.rules import record as rules
from tidegate.rules.access import Role
from tidegate.rules.equation import Equation
from tidegate.store import models
from tidegate.store.statement import rows_of

State = Literal["new", "ignored", "good", "stale", "missing", "mapped"]
"""`mapped` is Good, Stale and Missing together."""

SORTED_LETTERS = 300
"""By so many first letters a text is sorted: what the index holds (schema/0008_search.sql)."""

NEAR = 20
"""So many times the rows of a page are looked at along the list first: they fill it where many have the words."""

NEAREST = 3_000
"""But no more than so many."""

GATHERED = 500
"""So many Records with some words are put in order, where only the first few are shown."""

_WALKED: Final = ("name", "newest")
"""The orders along which a search looks at the first Records alone: others cost more to sort than to search."""

_NONE: Final = Q(pk__in=[])
Sort = Literal["name", "vendor id", "parent", "product", "state", "newest"]


class RecordRow(msgspec.Struct, frozen=True, kw_only=True):
    """One Record, as lists show it."""

    id: Annotated[int, Meta(description="Its number.")]
    connection: Annotated[str, Meta(description="The label of its Connection.")]
    connection_id: Annotated[int, Meta(description="That Connection's number.")]
    vendor_id: Annotated[str, Meta(description="The tool's own id for what it stands for.")]
    name: Annotated[str, Meta(description="The name in the tool.")]
    parent: Annotated[str, Meta(description="The folder, group or organization it lies in; empty where none.")]
    url: Annotated[str | None, Meta(description="Where to find it in the tool, or null.")]
    state: Annotated[str, Meta(description="`New`, `Ignored`, `Good`, `Stale` or `Missing`.")]
    why: Annotated[str, Meta(description="Why it is in this state, in one sentence.")]
    badge: Annotated[str, Meta(description="`failing`, `held`, `skipped`, `nothing visible`, or empty.")]
    badge_why: Annotated[str, Meta(description="Why it carries this badge, in one sentence.")]
    product: Annotated[str | None, Meta(description="The Product it is mapped to, or null.")]
    product_id: Annotated[int | None, Meta(description="That Product's number, or null.")]
    earlier_product: Annotated[str | None, Meta(description="The Product it was mapped to before, or null.")]
    no_longer_in_the_tool: Annotated[bool, Meta(description="A complete Discover did not find it any more.")]
    findings: Annotated[Findings, Meta(description="What came through it, wherever that lies.")]
    epoch: Annotated[int, Meta(description="Rises with every decision about it.")]
    managed_by: Annotated[str | None, Meta(description="The configuration file that manages where it flows, or null.")]


class RecordPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of Records, in the order asked for."""

    records: Annotated[list[RecordRow], Meta(description="The Records of this page.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]


class RecordInShort(msgspec.Struct, frozen=True, kw_only=True):
    """A Record in short: its name and how it is."""

    id: Annotated[int, Meta(description="Its number.")]
    name: Annotated[str, Meta(description="The name in the tool.")]
    connection: Annotated[str, Meta(description="The label of its Connection.")]
    connection_id: Annotated[int, Meta(description="That Connection's number.")]
    state: Annotated[str, Meta(description="`New`, `Ignored`, `Good`, `Stale` or `Missing`.")]
    why: Annotated[str, Meta(description="Why it is in this state, in one sentence.")]


class FamilyRow(msgspec.Struct, frozen=True, kw_only=True):
    """What was last read of one Family and Branch of a Record, and what proves it."""

    family: Annotated[str, Meta(description="The kind of finding.")]
    branch: Annotated[str, Meta(description="The branch; empty where there is none.")]
    outcome: Annotated[str, Meta(description="`complete`, `incomplete` or `skipped`, at the last try.")]
    why: Annotated[str, Meta(description="Why, in one sentence.")]
    proven_at: Annotated[datetime | None, Meta(description="When it was last read completely, or null.")]
    proven_by: Annotated[int | None, Meta(description="The Operation that did, or null.")]
    proof: Annotated[dict[str, Any], Meta(description="What proves it: pages, the tool's own total, rows seen.")]
    equation: Annotated[str, Meta(description="Where each row of the tool went, in words; empty where not known.")]
    below: Annotated[int, Meta(description="Findings below the minimum severity; they are not stored.")]
    skipped: Annotated[int, Meta(description="Rows that are no findings.")]


class RecordDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One Record with all that is known of it."""

    record: Annotated[RecordRow, Meta(description="The Record itself.")]
    attributes: Annotated[dict[str, Any], Meta(description="What else the tool says of it.")]
    first_seen_at: Annotated[datetime, Meta(description="When Discover first found it.")]
    finalized_at: Annotated[datetime | None, Meta(description="When it was decided, or null.")]
    finalized_by: Annotated[str, Meta(description="Who decided; empty where nobody did.")]
    finalized_how: Annotated[str, Meta(description="`person`, `rule` or `auto-map`; empty where undecided.")]
    hands_off: Annotated[bool, Meta(description="A person undid an automatic mapping; only a person decides now.")]
    families: Annotated[list[FamilyRow], Meta(description="What was read of it, Family by Family.")]
    history: Annotated[list[Change], Meta(description="What happened to it, the oldest first.")]


def records(
    *,
    connection_id: int | None = None,
    state: State | None = None,
    product_id: int | None = None,
    search: str = "",
    gone: bool | None = None,
    seen_since: datetime | None = None,
    seen_until: datetime | None = None,
    sort: Sort = "name",
    cursor: str | None = None,
    limit: int = LIMIT,
) -> RecordPage:
    """Records by name, or by another column. `gone` asks for those that are, or are not, in the tool any more;
    `seen_since` and `seen_until` for those that Discover first found from then on, or before. `search` looks for each
    of its words in name, parent, the tool's own id and the Product's name, ignoring case."""
    asked: RecordsAsked = {
        "connection_id": connection_id, "state": state, "product_id": product_id, "search": search, "gone": gone,
        "seen_since": seen_since, "seen_until": seen_until,
    }  # fmt: skip
    return records_of([(asked, sort, cursor, limit)])[0]


class RecordsAsked(TypedDict, total=False):
    """What narrows a list of Records."""

    connection_id: int | None
    state: State | None
    product_id: int | None
    search: str
    gone: bool | None
    seen_since: datetime | None
    seen_until: datetime | None


def records_of(lists: Sequence[tuple[RecordsAsked, Sort, str | None, int]]) -> list[RecordPage]:
    """The pages of several lists that stand on one page: what their rows say is asked for once, for all of them."""
    pages = [_numbers(*one) for one in lists]
    ids = [number for numbers, _ in pages for number in numbers]
    rows = {row.id: row for row in _rows(ids)}
    return [
        RecordPage(records=[rows[number] for number in numbers if number in rows], next=following)
        for numbers, following in pages
    ]


def _numbers(asked: RecordsAsked, sort: Sort, cursor: str | None, limit: int) -> tuple[list[int], str | None]:
    """Which rows, without what they refer to: these alone are read then, with all of it."""
    by, types = ("sorted_by", "id"), (int if sort in ("state", "newest") else str, int)
    query: Any = _narrowed(asked).annotate(sorted_by=_sorted_by(sort))
    searched = _searched(asked)
    if searched and sort in _WALKED:
        # What many have is met soon along the index. What few have, or what lies far behind, is gathered: to meet each
        # Record one by one costs ten times as much as to look through the words of all.
        near = behind(query, by, types, cursor)[: min((limit + 1) * NEAR, NEAREST)]
        there = models.Record.objects.filter(id__in=near.values("id")).annotate(sorted_by=_sorted_by(sort))
        found, following = cut(_having(searched, there).values("id", "sorted_by"), by, types, cursor, limit)
        if following is not None:
            return [row["id"] for row in found], following
        if sort == "name":
            query = query.annotate(sorted_by=Concat(F("sorted_by"), Value("")))  # which no index knows
    found, following = cut(_having(searched, query).values("id", "sorted_by"), by, types, cursor, limit)
    return [row["id"] for row in found], following


def matching(*, role: Role = "reader", **asked: Unpack[RecordsAsked]) -> Any:
    """The Records that are asked for, of those on which the viewer has this role, as a query: for a list, and for what
    is decided about all of them at once."""
    return _having(_searched(asked), _narrowed(asked, role))


def _narrowed(asked: RecordsAsked, role: Role = "reader") -> Any:
    """By all but the words that are searched for."""
    query: Any = models.Record.objects.filter(visible_records(role), deleted_at=None)
    connection_id, product_id, gone = asked.get("connection_id"), asked.get("product_id"), asked.get("gone")
    state, since, until = asked.get("state"), asked.get("seen_since"), asked.get("seen_until")
    if connection_id is None:
        left = list(models.Connection.objects.filter(deleted_at__isnull=False).values_list("id", flat=True))
        query = query.exclude(connection_id__in=left)
    else:
        query = query.filter(connection_id=connection_id, connection__deleted_at=None)
    if state is not None:
        query = query.filter(in_state(state, lost_away()))
    if product_id is not None:
        query = query.filter(feed__test__engagement__product_id=product_id)
    if gone is not None:
        query = query.filter(absent_since__isnull=not gone)
    if since is not None:
        query = query.filter(first_seen_at__gte=since)
    if until is not None:
        query = query.filter(first_seen_at__lt=until)
    return query


def _searched(asked: RecordsAsked) -> list[tuple[str, Q]]:
    """Each word that is searched for, and what flows into a Product that has it in its name."""
    flows = asked.get("state") not in ("new", "ignored")
    return [(word, _flows_into(word) if flows else _NONE) for word in storable(asked.get("search", "")).split()]


def _having(searched: list[tuple[str, Q]], query: Any) -> Any:
    """Those of a query that have all these words."""
    for word, flows_into_it in searched:
        query = query.filter(Q(told__text__contains=Lower(Value(word))) | flows_into_it)
    return query


def _flows_into(word: str) -> Q:
    """Into a Product whose name has this word. Few words are in any name: then no Record is asked for its own. By its
    Test, since Feeds are so many that a planner should not gather them."""
    products = models.Product.objects.filter(name__icontains=word).values("id")
    engagements = models.Engagement.objects.filter(product__in=products).values("id")
    tests = models.Test.objects.filter(engagement__in=engagements).values("id")
    return Q(feed__test__in=tests) if tests.exists() else _NONE


def _sorted_by(sort: Sort) -> Any:
    if sort == "newest":
        return -F("id")
    if sort == "state":
        away = lost_away()
        states = (When(in_state(state, away), then=Value(n)) for n, state in enumerate(STATES))
        return Case(*states, default=Value(len(STATES)), output_field=IntegerField())
    if sort == "name":
        return Left("name", SORTED_LETTERS)
    column = {"vendor id": "vendor_id", "parent": "parent", "product": "feed__test__engagement__product__name"}[sort]
    told: Any = Coalesce(F(column), Value(""), output_field=TextField())
    return Left(told, SORTED_LETTERS)


def record(record_id: int) -> RecordDetail | None:
    """One Record with its history; None if there is none of this number, or it was deleted."""
    found: Any = _living().filter(id=record_id).first()
    if found is None or not (rows := _rows([record_id])):
        return None
    return RecordDetail(
        record=rows[0],
        attributes=found.attributes,
        first_seen_at=found.first_seen_at,
        finalized_at=found.finalized_at,
        finalized_by=found.finalized_by,
        finalized_how=found.finalized_how,
        hands_off=found.hands_off,
        families=_families(found),
        history=changes(found),
    )


def named_like(words: str, limit: int = LIMIT) -> list[RecordInShort]:
    """The first Records in which each of these words stands, whatever flows into what; or the one of this number."""
    asked = number(words.removeprefix("#"))
    within = Q()
    for word in storable(words).split():
        within &= Q(told__text__contains=Lower(Value(word)))
    few = list(_living().filter(within).order_by().values_list("id", flat=True)[:GATHERED])
    wanted = Q(id__in=few) | Q(id=asked) if asked is not None else Q(id__in=few)
    return _in_short(_living().filter(wanted), limit)


def flowing_into(product_id: int, limit: int = LIMIT) -> list[RecordInShort]:
    """The first Records by name that are mapped to a Product."""
    return _in_short(_living().filter(feed__test__engagement__product_id=product_id), limit)


def _in_short(query: Any, limit: int) -> list[RecordInShort]:
    """The first of these by name."""
    ids = list(query.order_by("name", "pk").values_list("pk", flat=True)[:limit])
    now, away = datetime.now(UTC), lost_away()
    rows = {row["id"]: row for row in _read(ids)}
    return [
        RecordInShort(
            id=number, name=row["name"], connection=row["connection"], connection_id=row["connection_id"],
            state=rules.state(known).value, why=rules.why(known, now),
        )
        for number in ids
        if (row := rows.get(number)) is not None
        for known in (_facts(row, away, _earlier_product(row)),)
    ]  # fmt: skip


def sentence(row: RecordRow) -> str:
    """The state and why, without saying the state twice."""
    return rules.in_words(row.state, row.why)


def named(text: str, connection_id: int | None = None) -> list[RecordRow]:
    """The Records a person may mean: the one of this number, else of this name or vendor id, else ignoring case."""
    within = _living() if connection_id is None else _living().filter(connection_id=connection_id)
    text = storable(text)
    by_number = [] if number(text) is None else [Q(id=number(text))]
    for wanted in (*by_number, Q(name=text) | Q(vendor_id=text), Q(name__iexact=text)):
        if ids := list(within.filter(wanted).order_by("id").values_list("pk", flat=True)[:20]):
            return _rows(ids)
    return []


def in_state(state: State, away: Mapping[int, LostAway]) -> Q:
    """The Records in a state: `rules.record.state` said in SQL. A test holds both against each other. `away` are the
    Tests that are lost at a Destination."""
    absent, lost = Q(absent_since__isnull=False), Q(target_lost_at__isnull=False)
    if away:
        lost |= Q(feed_id__in=models.Feed.objects.filter(test_id__in=list(away)).values("id"))
    mapped = Q(decision="mapped")
    return {
        "new": Q(decision="undecided"),
        "ignored": Q(decision="ignored"),
        "good": mapped & ~absent & ~lost,
        "stale": mapped & ~absent & lost,
        "missing": mapped & absent,
        "mapped": mapped,
    }[state]


def living() -> Any:
    """The Records that are there, with what their facts refer to; those of a deleted Connection are hidden with it."""
    related = ("connection", "feed__test__engagement__product", "earlier_product", "absent_operation")
    return _living().select_related(*related)


def _living() -> Any:
    return models.Record.objects.filter(visible_records(), deleted_at=None, connection__deleted_at=None)


def visible_records(role: Role = "reader") -> Q:
    """Those that the viewer may see, or has another role for: of a Connection of theirs, or mapped to a Product of
    theirs."""
    product = "feed__test__engagement__product"
    columns = {"connection": "connection_id", "product": f"{product}_id", "product_type": f"{product}__product_type_id"}
    return visible(**columns, role=role)


def _read(ids: Sequence[int]) -> list[dict[str, Any]]:
    return rows_of("record_rows", ids=list(ids)) if ids else []


def _rows(ids: Sequence[int]) -> list[RecordRow]:
    """These, which the viewer sees, in this order; those that went meanwhile are left out."""
    found = {row["id"]: row for row in _read(ids)}
    if not found:
        return []
    beside, now, away = _beside(list(found.values())), datetime.now(UTC), lost_away()
    told = Told((row["connection_id"], _earlier_product(row)) for row in found.values())
    return [_row(found[number], *beside[number], now, told, away) for number in ids if number in found]


def _earlier_product(row: Mapping[str, Any]) -> str:
    return row["earlier_product"] or row["earlier_product_name"]


def _row(
    row: Mapping[str, Any], findings: Findings, sync: rules.LastSync | None, now: datetime, told: Told,
    away: Mapping[int, LostAway],
) -> RecordRow:  # fmt: skip
    known = _facts(row, away, told.name(row["connection_id"], _earlier_product(row)))
    badge = rules.badge(sync)
    return RecordRow(
        id=row["id"],
        connection=row["connection"],
        connection_id=row["connection_id"],
        vendor_id=row["vendor_id"],
        name=row["name"],
        parent=row["parent"],
        url=row["url"],
        state=rules.state(known).value,
        why=rules.why(known, now),
        badge=badge.word if badge else "",
        badge_why=badge.why if badge else "",
        product=row["product"],
        product_id=row["product_id"],
        earlier_product=known.earlier_product or None,
        no_longer_in_the_tool=row["absent_since"] is not None,
        findings=findings,
        epoch=row["epoch"],
        managed_by=row["file"],
    )


def facts(one: Any) -> rules.RecordFacts:
    """What the rules want to know of a Record, which was read with what it refers to; but for what is lost at a
    Destination: whether it may sync does not depend on that."""
    row: dict[str, Any] = {
        **vars(one), "test_id": None, "tool": one.connection.tool, "connection": one.connection.label,
        "connection_deleted_at": one.connection.deleted_at,
        "product": one.feed.test.engagement.product.name if one.feed else None,
        "earlier_product": one.earlier_product.name if one.earlier_product else None,
        "absent_seen": one.absent_operation.counts.get("seen") if one.absent_operation else None,
    }  # fmt: skip
    return _facts(row, {}, _earlier_product(row))


def _facts(row: Mapping[str, Any], away: Mapping[int, LostAway], earlier_product: str) -> rules.RecordFacts:
    """The same of a row. `away` are the Tests that are lost at a Destination; `earlier_product` is the word for it,
    since not every viewer may read its name."""
    there, kind = away.get(row["test_id"]), catalog.tool(row["tool"])
    return rules.RecordFacts(
        decision=row["decision"],
        product=row["product"],
        finalized_at=row["finalized_at"],
        finalized_by=row["finalized_by"],
        finalized_how=row["finalized_how"],
        hands_off=row["hands_off"],
        ignored_because=row["ignored_because"],
        earlier_product=earlier_product,
        earlier_product_deleted=bool(row["earlier_product_name"]) and row["earlier_product"] is None,
        first_seen_at=row["first_seen_at"],
        first_seen_operation=row["first_seen_operation_id"],
        absent_since=row["absent_since"],
        absent_operation=row["absent_operation_id"],
        absent_seen=row["absent_seen"],
        target_lost_at=row["target_lost_at"],
        target_lost=row["target_lost"],
        away_lost_at=there.at if there else None,
        away_lost=there.what if there else "",
        away=there.destination if there else "",
        deleted_at=row["deleted_at"],
        connection=row["connection"],
        connection_deleted_at=row["connection_deleted_at"],
        changing=row["changing_operation_id"],
        a_record_is=kind.a_record_is if kind else "a vendor product",
    )


def _beside(found: Sequence[Mapping[str, Any]]) -> dict[int, tuple[Findings, rules.LastSync | None]]:
    """What came through each; how its last Sync went, Family by Family, and what of it waits for a person."""
    ids, feeds = [row["id"] for row in found], [row["feed_id"] for row in found]
    seen = feeds_seen(ids, [row["connection_id"] for row in found])
    rows = rows_of("records_told", records=ids, feeds=feeds, seen=seen)
    return {row["record_id"]: (findings_of(row["findings"] or ()), _last_sync(row)) for row in rows}


def _last_sync(row: Mapping[str, Any]) -> rules.LastSync | None:
    if row["operation_id"] is None:
        return None
    return rules.LastSync(
        operation=row["operation_id"],
        outcome=row["outcome"],
        why=row["why"],
        parts=[rules.PartResult(*part) for part in row["parts"] or ()],
        seen=row["seen"],
        held=row["held"],
    )


def equation_in_words(proof: Mapping[str, Any]) -> str:
    """The equation that is kept with a proof; empty where there is none."""
    return Equation.of_json(proof["equation"]).in_words() if "equation" in proof else ""


def _families(one: Any) -> list[FamilyRow]:
    parts: Any = models.Part.objects.filter(feed=one.feed_id).order_by("family", "branch")
    return [
        FamilyRow(
            family=part.family,
            branch=part.branch,
            outcome=part.last_outcome,
            why=part.last_because,
            proven_at=part.proven_at,
            proven_by=part.proven_operation_id,
            proof=part.proof,
            equation=equation_in_words(part.proof),
            below=part.below,
            skipped=part.skipped,
        )
        for part in parts
    ]
