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
from tidegate.rules.access import Place
from tidegate.rules.actor import Actor
from tidegate.ui.allowed import allowed
from tidegate.ui.page import act, back, page, saying, show, tell
from tidegate.ui.pages import operation as operation_page
from tidegate.ui.pages import record as record_page

PARTS: Final = {"mapped": "record/mapped.html", "unmapped": "record/unmapped.html"}


@page
def connection(request: HttpRequest, actor: Actor, /, *, connection_id: int) -> HttpResponse:
    """Its health and its Records, mapped and unmapped. Its Operations, and what looks renamed, come by themselves once
    the page is there: nobody waits for them who came to map."""
    found = _there(connection_id)
    wanted = request.headers.get("HX-Target")
    context: dict[str, Any] = {
        "detail": found, "connection": found.connection, "within": True, "everywhere": False,
        **allowed(actor.access, Place(connection_id=connection_id)),
    }  # fmt: skip
    mapped = record_page.Listed.mapped(request, found.connection)
    unmapped = record_page.Listed.unmapped(request, "u.", found.connection)
    for one in (mapped, unmapped):
        if one.table.as_csv:
            return one.csv(actor)
    table = operation_page.table_of(request, "o.", connection_id)
    if wanted == "operations" or table.as_csv:
        return operation_page.listed(request, actor, table, context, "connection/page.html")
    lists = [one for one in (mapped, unmapped) if wanted not in PARTS or wanted == one.table.name]
    context |= record_page.shown(lists) | {"operations": table}
    return show(request, "connection/page.html", context, parts=PARTS)


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
