"""Records: one inbox over all Connections, one Record, and what people decide about one or many of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from tidegate.actions import bulk
from tidegate.actions.errors import NotThere
from tidegate.actions.operation import request_sync_preview
from tidegate.actions.step import BulkDone
from tidegate.reads import product as products
from tidegate.reads import record as reads
from tidegate.reads.chart import open_by_day
from tidegate.reads.connection import ConnectionRow
from tidegate.reads.page import number
from tidegate.reads.place import among, places
from tidegate.rules.access import EVERYWHERE
from tidegate.rules.actor import Actor
from tidegate.rules.bulk import RecordFilter
from tidegate.ui.allowed import allowed, only_looks
from tidegate.ui.download import as_csv
from tidegate.ui.page import act, back, fields_of, local, page, saying, show, tell
from tidegate.ui.table import Table
from tidegate.ui.words import several

UNMAPPED: Final = ("new", "ignored")
MAPPED: Final = ("good", "stale", "missing")
MAPPED_COLUMNS: Final = {
    "parent": "Lies in", "product": "Product", "state": "State", "findings": "Open findings", "unwatched": "Unwatched",
    "vendor_id": "Id in the tool",
}  # fmt: skip
UNMAPPED_COLUMNS: Final = {
    "parent": "Lies in", "connection": "Connection", "product": "Product", "state": "State", "found": "Found",
    "vendor_id": "Id in the tool",
}  # fmt: skip
USUAL: Final = ("parent", "connection", "product", "state", "findings", "found")
"""The columns that are shown until somebody chooses."""
SORTS: Final = ("name", "newest", "state", "product", "parent", "vendor id")
# What is done with several at once is looked at before it is done, unless it is one plain decision about a few.
LOOKED_AT_FIRST: Final = ("map each", "delete", "restore to earlier")
DEEDS: Final = {
    "map": "Map to one Product", "map each": "Map each to its own name", "ignore": "Ignore", "restore": "Back to New",
    "restore to earlier": "Back to the earlier Product", "delete": "Delete", "sync": "Sync",
}  # fmt: skip
OPTIONS: Final = 8
DAYS_OF_GROWTH: Final = 90


@dataclass(frozen=True)
class Listed:
    """One of the lists of Records: how its address narrows it, and by which name a template shows it."""

    table: Table
    wanted: RecordFilter
    states: tuple[str, ...]
    numbers: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many Records there are in each state, where that is known."""

    @classmethod
    def mapped(cls, request: HttpRequest, connection: ConnectionRow) -> Listed:
        """Those whose findings flow, or should."""
        table = table_of(request, "mapped", "m.", MAPPED, MAPPED_COLUMNS)
        return cls(table, filter_of(table, "mapped", connection.id), MAPPED, connection.records)

    @classmethod
    def unmapped(cls, request: HttpRequest, prefix: str = "", connection: ConnectionRow | None = None) -> Listed:
        """Those that import nothing: New ones unless the address says others."""
        connection_id, numbers = (None, {}) if connection is None else (connection.id, connection.records)
        table = table_of(request, "unmapped", prefix, UNMAPPED, UNMAPPED_COLUMNS)
        return cls(table, filter_of(table, "new", connection_id), UNMAPPED, numbers)

    @property
    def asked(self) -> tuple[reads.RecordsAsked, reads.Sort, str | None, int]:
        """As the read of several lists takes it."""
        return cast("Any", self.wanted), cast("reads.Sort", self.table.sort), self.table.cursor, self.table.limit

    def csv(self, actor: Actor) -> HttpResponse:
        """All of it, as it is narrowed and sorted."""

        def rows(cursor: str | None, limit: int) -> tuple[Sequence[reads.RecordRow], str | None]:
            found = reads.records(**self.wanted, sort=cast("reads.Sort", self.table.sort), cursor=cursor, limit=limit)
            return found.records, found.next

        return as_csv(actor, f"{self.table.name}-records", reads.RecordRow, rows)


def table_of(
    request: HttpRequest, name: str, prefix: str, states: tuple[str, ...], columns: Mapping[str, str]
) -> Table:
    """One of the lists of Records, as the address says it."""
    filters = {"state": states, "product_id": None, "connection_id": None, "gone": ("yes",)}
    return Table(request, name, prefix, filters=filters, sorts=SORTS, columns=columns, usual=USUAL)


def filter_of(table: Table, state: str, connection_id: int | None) -> RecordFilter:
    """What the list shows, as the actions take it."""
    wanted: dict[str, Any] = {
        "connection_id": connection_id or table.filter("connection_id"), "state": table.filter("state") or state,
        "product_id": table.filter("product_id"), "search": table.search[:200] or None,
        "gone": True if table.filter("gone") else None,
    }  # fmt: skip
    return cast("RecordFilter", {name: value for name, value in wanted.items() if value is not None})


def shown(lists: Sequence[Listed]) -> dict[str, Any]:
    """These lists for templates, each by its name: their rows, on which of them the viewer decides, and for New ones
    the Products that have their names."""
    pages = reads.records_of([one.asked for one in lists])
    rows = [row for page in pages for row in page.records]
    mine = among("record", [row.id for row in rows], "mapper")
    new = [row.name for row in rows if row.state == "New"]
    alike = products.of_names(new) if new else {}
    return {
        one.table.name: {
            "table": one.table, "found": found, "wanted": one.wanted, "state": one.wanted.get("state"), "alike": alike,
            "states": one.states, "numbers": one.numbers,
            "total": sum(one.numbers.get(state, 0) for state in one.states),
            "mine": mine, "decides": any(row.id in mine for row in found.records),
        }
        for one, found in zip(lists, pages, strict=True)
    }  # fmt: skip


@page
def inbox(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """New Records of every Connection: what waits to be mapped."""
    listed = Listed.unmapped(request)
    if listed.table.as_csv:
        return listed.csv(actor)
    context = shown([listed]) | {
        "everywhere": True, "connection": None, "may_sync": False,
        "only_looks": only_looks(actor.access.may_somewhere("mapper")),
    }  # fmt: skip
    return show(request, "record/inbox.html", context, parts={"unmapped": "record/unmapped.html"})


@page
def record(request: HttpRequest, actor: Actor, /, *, record_id: int) -> HttpResponse:
    """One Record: its state and why, what was read of it, how it grew, and what happened to it."""
    found = _there(record_id)
    today = datetime.now(UTC).date()
    grown = open_by_day(since=today - timedelta(days=DAYS_OF_GROWTH), until=today, record_id=record_id)
    context = {
        "found": found, "row": found.record, "grown": [day.open for day in grown],
        "history": list(reversed(found.history)), **_allowed(actor, record_id),
    }  # fmt: skip
    return show(request, "record/page.html", context)


@page
def edit(request: HttpRequest, actor: Actor, /, *, record_id: int) -> HttpResponse:
    """The decision about one Record: where it flows, and what becomes of what was imported."""
    found = _there(record_id)
    next = local(request, request.GET.get("next"), reverse("record", args=[record_id]))
    context = {"row": found.record, "next": next, **_allowed(actor, record_id)}
    return show(request, "record/edit.html", context)


@page
def options(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """Products whose name has these words, as the choices of a combobox; and a new one of that name, last."""
    words = request.GET.get("search", "").strip()[:200]
    found = products.products(search=words, limit=OPTIONS).products
    there = any(one.name.casefold() == words.casefold() for one in found)
    context = {"found": found, "words": words, "make": bool(words) and not there and request.GET.get("only") != "yes"}
    return show(request, "record/options.html", context)


@act
def preview_sync(request: HttpRequest, actor: Actor, /, *, record_id: int) -> HttpResponse:
    """Asks what a Sync of it would do."""
    with saying(request):
        found = _there(record_id)
        asked = request_sync_preview(actor, found.record.connection_id, [record_id])
        return back(request, reverse("operation", args=[asked]))
    return back(request, reverse("record", args=[record_id]))


@act
def decide(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """A decision about the Records that were picked, or about all that a list shows; a large one is looked at first."""
    given = request.POST
    deed, ids = given.get("do", ""), [n for n in map(number, given.getlist("ids")) if n is not None]
    wanted = _filter_given(given) if given.get("all") else None
    asked = _asked(given, deed)
    first = wanted is not None or (deed in LOOKED_AT_FIRST and len(ids) > 1)
    with saying(request):
        if first and not given.get("expected"):
            shown = bulk.preview_records(
                actor, cast("Any", deed), () if wanted is not None else ids, matching=wanted,
                **{name: value for name, value in asked.items() if name != "already_imported"},
            )  # fmt: skip
            context = {
                "shown": shown,
                "deed": DEEDS.get(deed, deed),
                "given": fields_of(given),
                "next": given.get("next", "/"),
            }
            return show(request, "record/preview.html", context)
        chosen: dict[str, Any] = {"matching": wanted, "expected": given.get("expected", "")}
        if wanted is None:
            chosen = {"record_ids": ids}
        if deed == "sync":
            done = bulk.sync_records(actor, **chosen)
        else:
            done = bulk.decide_records(actor, cast("Any", deed), **chosen, **asked)
        tell(request, told(done), "success" if not done.refused else "warning", step=str(done.step or ""))
    return back(request, reverse("inbox"))


def _allowed(actor: Actor, record_id: int) -> dict[str, Any]:
    """What may be done to this Record: by its Connection, or by the Product that it flows into."""
    return allowed(
        actor.access, EVERYWHERE if actor.access.may("administrator") else places("record", [record_id])[record_id]
    )


def told(done: BulkDone) -> str:
    """What became of them, in sentences."""
    said: list[str] = []
    for share in done.shares:
        name = f"«{share.examples[0]}»" if share.number == 1 and share.examples else several(share.number, "Record")
        said.append(
            f"{name}: {share.sentence[:1].lower()}{share.sentence[1:]}"
            if share.number == 1
            else f"{name}: {share.sentence}"
        )
    return " ".join(said)


def _asked(given: QueryDict, deed: str) -> dict[str, Any]:
    """How the deed is meant."""
    asked: dict[str, Any] = {}
    if deed == "map":
        asked = {"product_id": number(given.get("product_id", "")), "new_product": given.get("new_product") or None}
        asked["product_type"] = given.get("product_type") or None
        asked["already_imported"] = given.get("already_imported") or "leave"
    if deed == "map each":
        asked = {"join": given.get("join", "yes") == "yes"}
    if deed == "ignore":
        asked = {"because": given.get("because", "")}
    return asked


def _filter_given(given: QueryDict) -> RecordFilter:
    """The list that all of are meant."""
    wanted: dict[str, Any] = {}
    for name in ("connection_id", "product_id"):
        if (value := number(given.get(f"of.{name}", ""))) is not None:
            wanted[name] = value
    for name in ("state", "search"):
        if value := given.get(f"of.{name}"):
            wanted[name] = value
    if given.get("of.gone"):
        wanted["gone"] = True
    if wanted.get("state") not in (None, *UNMAPPED, *MAPPED):
        del wanted["state"]
    return cast("RecordFilter", wanted)


def _there(record_id: int) -> reads.RecordDetail:
    found = reads.record(record_id)
    if found is None:
        raise NotThere(f"There is no Record {record_id}, or you may not see it.", "Look at the Connection it was in.")
    return found
