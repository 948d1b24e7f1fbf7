"""Operations: the list, one of them, its log, and what a person can do with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from tidegate.actions import operation as actions
from tidegate.actions import undo as undoing
from tidegate.actions.errors import NotThere
from tidegate.reads import operation as reads
from tidegate.reads.page import number
from tidegate.reads.progress import UNDER_WAY, progress
from tidegate.rules.actor import Actor
from tidegate.ui.page import act, back, page, saying, show, tell
from tidegate.ui.table import Table

TYPES = ("discover", "sync", "change")
STATUSES = ("pending", "running", "success", "partial", "failed", "cancelled")
SEARCHED_LOG_LINES = 500


def table_of(request: HttpRequest, prefix: str = "") -> Table:
    """The list of Operations as the address says it."""
    filters = {"type": TYPES, "status": STATUSES, "held": ("yes",), "preview": ("yes", "no"), "connection_id": None}
    return Table(request, "operations", prefix, filters=filters)


def rows_of(table: Table, connection_id: int | None = None) -> reads.OperationPage:
    """The page of the list that the address asks for."""
    preview = table.filter("preview")
    return reads.operations(
        connection_id=connection_id or table.filter("connection_id"), type=table.filter("type"),
        status=table.filter("status"), held=table.filter("held") == "yes",
        preview=None if preview is None else preview == "yes", cursor=table.cursor, limit=table.limit,
    )  # fmt: skip


@page
def operations(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """Every Operation, the newest first."""
    table = table_of(request)
    context = {"table": table, "found": rows_of(table), "types": TYPES, "statuses": STATUSES}
    return show(request, "operation/list.html", context, parts={"operations": "operation/table.html"})


@page
def operation(request: HttpRequest, actor: Actor, /, *, operation_id: int) -> HttpResponse:
    """One Operation: its verdict, what became of each Record, what is held, and its log."""
    found = _there(operation_id)
    context = {
        "found": found, "row": found.operation, "results": found.results, "log": _log(request, operation_id),
        "live": found.operation.status in UNDER_WAY, "progress": progress(operation_id),
        "search": request.GET.get("search", ""), "level": request.GET.get("level", "info"), "levels": reads.LEVELS,
        "may": actor.access.may_somewhere("operator"),
    }  # fmt: skip
    parts = {"live": "operation/live.html", "log": "operation/log.html"}
    return show(request, "operation/page.html", context, parts=parts)


@page
def download_log(request: HttpRequest, actor: Actor, /, *, operation_id: int) -> HttpResponse:
    """The whole log as text."""
    _there(operation_id)
    lines = _all_lines(operation_id)
    text = "".join(f"{one.at:%Y-%m-%dT%H:%M:%SZ} {one.level:7} {one.text}\n" for one in lines)
    name = f"operation-{operation_id}.log"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=headers)


def _doing(do: Callable[[Actor, int], Any], said: str) -> Callable[..., HttpResponse]:
    """A button of one Operation: what it began is shown, else where it stood."""

    @act
    def sent(request: HttpRequest, actor: Actor, /, *, operation_id: int) -> HttpResponse:
        with saying(request):
            begun = do(actor, operation_id)
            tell(request, said)
            if isinstance(begun, int) and begun != operation_id:
                return redirect("operation", operation_id=begun)
        return back(request, reverse("operation", args=[operation_id]))

    return sent


cancel = _doing(actions.cancel, "It ends as soon as what is half-way is safe.")
approve = _doing(actions.approve, "Approved. What was held closes now.")
keep_open = _doing(actions.keep_open, "Kept open. They are not asked about again until the tool shows them once more.")
again = _doing(actions.request_again, "It runs again.")
undo = _doing(undoing.undo_sync, "It is being undone.")


def _there(operation_id: int) -> reads.OperationDetail:
    found = reads.operation(operation_id)
    if found is None:
        raise NotThere(f"There is no Operation {operation_id}, or you may not see it.", "Look at all Operations.")
    return found


def _log(request: HttpRequest, operation_id: int) -> reads.LogPage:
    level = request.GET.get("level", "info")
    after = request.GET.get("after", "0")
    return reads.log(
        operation_id, search=request.GET.get("search", "")[:200], level=level if level in reads.LEVELS else "info",
        after=number(after) or 0,
        limit=SEARCHED_LOG_LINES,
    )  # fmt: skip


def _all_lines(operation_id: int) -> list[reads.Line]:
    lines: list[reads.Line] = []
    after: int | None = 0
    while after is not None:
        found = reads.log(operation_id, after=after, limit=1000)
        lines += found.lines
        after = found.next
    return lines
