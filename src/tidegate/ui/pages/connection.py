"""Connections: one with its Records and Operations, and what its buttons do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from tidegate.actions import connection as actions
from tidegate.actions import operation as operations
from tidegate.actions.errors import NotThere
from tidegate.reads import connection as reads
from tidegate.reads.progress import UNDER_WAY, progress
from tidegate.rules.actor import Actor
from tidegate.ui.page import act, back, page, saying, show, tell
from tidegate.ui.pages import operation as operation_page
from tidegate.ui.pages import record as record_page

PARTS: Final = {
    "mapped": "record/mapped.html", "unmapped": "record/unmapped.html", "operations": "operation/table.html",
}  # fmt: skip


@page
def connection(request: HttpRequest, actor: Actor, /, *, connection_id: int) -> HttpResponse:
    """Its health, its Records mapped and unmapped, and its Operations."""
    found = _there(connection_id)
    wanted = request.headers.get("HX-Target")
    table = operation_page.table_of(request, "o.")
    asked: dict[str, Callable[[], Any]] = {
        "mapped": lambda: mapped(request, connection_id, found.connection.records),
        "unmapped": lambda: record_page.unmapped(request, connection_id, "u."),
        "found": lambda: operation_page.rows_of(table, connection_id),
    }
    if wanted in PARTS:  # a part of the page asks for its own rows only
        asked = {name: rows for name, rows in asked.items() if name == ("found" if wanted == "operations" else wanted)}
    context: dict[str, Any] = {name: rows() for name, rows in asked.items()}
    if "found" in context:
        under_way = [row.id for row in context["found"].operations if row.status in UNDER_WAY]
        context["progress"] = {number: progress(number) for number in under_way}
    context |= {
        "detail": found, "connection": found.connection, "table": table, "types": operation_page.TYPES,
        "statuses": operation_page.STATUSES, "within": True,
        "may": actor.access.may_somewhere("mapper"), "may_sync": actor.access.may_somewhere("operator"),
        "may_edit": actor.access.may_somewhere("administrator"),
    }  # fmt: skip
    return show(request, "connection/page.html", context, parts=PARTS)


def mapped(request: HttpRequest, connection_id: int, numbers: dict[str, int]) -> dict[str, Any]:
    """The list of those whose findings flow, or should."""
    table = record_page.table_of(request, "mapped", "m.", record_page.MAPPED)
    wanted = record_page.filter_of(table, "mapped", connection_id)
    found = record_page.rows_of(table, wanted)
    named = {state.lower(): number for state, number in numbers.items()}
    return {"table": table, "found": found, "wanted": wanted, "states": record_page.MAPPED, "numbers": named}


def _doing(do: Callable[[Actor, int], Any], said: str) -> Callable[..., HttpResponse]:
    """A button of one Connection."""

    @act
    def sent(request: HttpRequest, actor: Actor, /, *, connection_id: int) -> HttpResponse:
        with saying(request):
            do(actor, connection_id)
            tell(request, said)
        return back(request, reverse("connection", args=[connection_id]))

    return sent


discover = _doing(operations.request_discover, "Discover is asked for. It begins as soon as a worker is free.")
sync = _doing(operations.request_sync, "Sync is asked for. It begins as soon as a worker is free.")
preview_discover = _doing(operations.request_discover_preview, "A preview of Discover is asked for.")
pause = _doing(actions.pause_connection, "Paused. Nothing runs until it is resumed; what runs now ends first.")
resume = _doing(actions.resume_connection, "Resumed. What fell due meanwhile is made up for.")


def _there(connection_id: int) -> reads.ConnectionDetail:
    found = reads.connection(connection_id)
    if found is None:
        raise NotThere(f"There is no Connection {connection_id}, or you may not see it.", "Look at all Connections.")
    return found
