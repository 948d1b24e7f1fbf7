"""Records: one inbox over all Connections, one Record, and what people decide about one or many of them."""

from __future__ import annotations

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
from tidegate.reads.page import number
from tidegate.rules.actor import Actor
from tidegate.rules.bulk import RecordFilter
from tidegate.ui.page import act, back, fields_of, page, saying, show, tell
from tidegate.ui.table import Table
from tidegate.ui.words import several

UNMAPPED: Final = ("new", "ignored")
MAPPED: Final = ("good", "stale", "missing")
SORTS: Final = ("name", "newest", "state", "product", "parent", "vendor id")
# What is done with several at once is looked at before it is done, unless it is one plain decision about a few.
LOOKED_AT_FIRST: Final = ("map each", "delete", "restore to earlier")
DEEDS: Final = {
    "map": "Map to one Product", "map each": "Map each to its own name", "ignore": "Ignore", "restore": "Back to New",
    "restore to earlier": "Back to the earlier Product", "delete": "Delete", "sync": "Sync",
}  # fmt: skip
OPTIONS: Final = 8
DAYS_OF_GROWTH: Final = 90


def table_of(request: HttpRequest, name: str, prefix: str, states: tuple[str, ...]) -> Table:
    """One of the lists of Records, as the address says it."""
    filters = {"state": states, "product_id": None, "connection_id": None, "gone": ("yes",)}
    return Table(request, name, prefix, filters=filters, sorts=SORTS)


def filter_of(table: Table, state: str, connection_id: int | None) -> RecordFilter:
    """What the list shows, as the actions take it."""
    wanted: dict[str, Any] = {
        "connection_id": connection_id or table.filter("connection_id"), "state": table.filter("state") or state,
        "product_id": table.filter("product_id"), "search": table.search[:200] or None,
        "gone": True if table.filter("gone") else None,
    }  # fmt: skip
    return cast("RecordFilter", {name: value for name, value in wanted.items() if value is not None})


def rows_of(table: Table, wanted: RecordFilter) -> reads.RecordPage:
    """The page of the list that the address asks for."""
    return reads.records(**wanted, sort=cast("reads.Sort", table.sort), cursor=table.cursor, limit=table.limit)


def unmapped(request: HttpRequest, connection_id: int | None = None, prefix: str = "") -> dict[str, Any]:
    """The list of those that import nothing, with the Products that have the names of the New ones."""
    table = table_of(request, "unmapped", prefix, UNMAPPED)
    wanted = filter_of(table, "new", connection_id)
    found = rows_of(table, wanted)
    alike = products.of_names([row.name for row in found.records if row.state == "New"])
    return {"table": table, "found": found, "state": wanted.get("state"), "wanted": wanted, "alike": alike}


@page
def inbox(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """New Records of every Connection: what waits to be mapped."""
    context = {"unmapped": unmapped(request), "may": actor.access.may_somewhere("mapper"), "everywhere": True}
    return show(request, "record/inbox.html", context, parts={"unmapped": "record/unmapped.html"})


@page
def record(request: HttpRequest, actor: Actor, /, *, record_id: int) -> HttpResponse:
    """One Record: its state and why, what was read of it, how it grew, and what happened to it."""
    found = _there(record_id)
    today = datetime.now(UTC).date()
    grown = open_by_day(since=today - timedelta(days=DAYS_OF_GROWTH), until=today, record_id=record_id)
    context = {
        "found": found, "row": found.record, "grown": [day.open for day in grown], "days": DAYS_OF_GROWTH,
        "history": list(reversed(found.history)), "may": actor.access.may_somewhere("mapper"),
        "may_sync": actor.access.may_somewhere("operator"),
    }  # fmt: skip
    return show(request, "record/page.html", context)


@page
def edit(request: HttpRequest, actor: Actor, /, *, record_id: int) -> HttpResponse:
    """The decision about one Record: where it flows, and what becomes of what was imported."""
    found = _there(record_id)
    context = {"row": found.record, "next": request.GET.get("next", reverse("record", args=[record_id]))}
    return show(request, "record/edit.html", context)


@page
def options(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """Products whose name has these words, as the choices of a combobox; and a new one of that name, last."""
    words = request.GET.get("search", "").strip()[:200]
    found = products.products(search=words, limit=OPTIONS).products
    there = any(one.name.casefold() == words.casefold() for one in found)
    context = {"found": found, "words": words, "make": bool(words) and not there}
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
