"""Operations: the list, one of them, its log, and what a person can do with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from tidegate.actions import operation as actions
from tidegate.actions import undo as undoing
from tidegate.actions.errors import NotThere
from tidegate.reads import operation as reads
from tidegate.reads import preview
from tidegate.reads.page import number
from tidegate.reads.place import held_for_operation
from tidegate.reads.progress import UNDER_WAY, progress, progress_of
from tidegate.rules.actor import Actor
from tidegate.rules.operation import NOT_READ_TO_THE_END
from tidegate.rules.preview import COUNTED_AS
from tidegate.ui.download import as_csv
from tidegate.ui.page import act, back, page, saying, show, tell
from tidegate.ui.table import Table

TYPES = ("discover", "sync", "change", "deliver")
STATUSES = ("pending", "running", "success", "partial", "failed", "cancelled")
SEARCHED_LOG_LINES = 500
SHOWN_RESULTS = 200
COLUMNS: Final = {
    "status": "Status", "result": "Result", "by": "Started by", "asked": "Asked for", "took": "Took", "ended": "Ended",
    "cause": "Cause", "worker": "Worker",
}  # fmt: skip
USUAL: Final = ("status", "result", "by", "asked", "took")
LOOKS: Final = "You may look at this. To run, undo or approve here takes the role of an operator."


def table_of(request: HttpRequest, prefix: str = "", connection_id: int | None = None) -> Table:
    """The list of Operations as the address says it; those of one Connection on its own page."""
    filters: dict[str, Any] = {"type": TYPES, "status": STATUSES, "held": ("yes",), "preview": ("yes", "no")}
    filters["connection_id"] = None
    fixed = {} if connection_id is None else {"connection_id": connection_id}
    return Table(request, "operations", prefix, filters=filters, columns=COLUMNS, usual=USUAL, fixed=fixed)


def listed(request: HttpRequest, actor: Actor, table: Table, context: Mapping[str, Any], template: str) -> HttpResponse:
    """The list as a page or a part of one, or as a file; what runs tells how far it is."""
    previews = table.filter("preview")
    wanted: dict[str, Any] = {
        "connection_id": table.filter("connection_id"), "type": table.filter("type"), "status": table.filter("status"),
        "held": table.filter("held") == "yes", "preview": None if previews is None else previews == "yes",
    }  # fmt: skip

    def rows(cursor: str | None, limit: int) -> tuple[Sequence[reads.OperationRow], str | None]:
        found = reads.operations(**wanted, cursor=cursor, limit=limit)
        return found.operations, found.next

    if table.as_csv:
        return as_csv(actor, "operations", reads.OperationRow, rows)
    found = reads.operations(**wanted, cursor=table.cursor, limit=table.limit)
    live = progress_of([row.id for row in found.operations if row.status in UNDER_WAY])
    given = {**context, "table": table, "found": found, "types": TYPES, "statuses": STATUSES, "progress": live}
    return show(request, template, given, parts={"operations": "operation/table.html"})


@page
def operations(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """Every Operation, the newest first."""
    return listed(request, actor, table_of(request), {"within": False}, "operation/list.html")


@page
def operation(request: HttpRequest, actor: Actor, /, *, operation_id: int) -> HttpResponse:
    """One Operation: its verdict, what became of each Record, what is held, and its log; of a preview, what would
    differ, field by field."""
    level = request.GET.get("level", "info")
    asked = reads.LogAsked(
        request.GET.get("search", "")[:200], level if level in reads.LEVELS else "info",
        number(request.GET.get("after", "0")) or 0, SEARCHED_LOG_LINES + 1,
    )  # fmt: skip
    found = reads.operation(operation_id, lines=asked)
    if found is None:
        raise _not_there(operation_id)
    row, lines = found.operation, found.log[:SEARCHED_LOG_LINES]
    results = _without_what_is_said_twice(found.results)
    kinds = tuple(dict.fromkeys(COUNTED_AS.get(row.type, {}).values()))
    live, table = row.status in UNDER_WAY, Table(request, "differences", "d.", filters={"kind": kinds})
    differences = None
    if row.preview and not live:
        kind = table.filter("kind")
        differences = preview.differences(operation_id, kind=kind, cursor=table.cursor, limit=table.limit)
    context = {
        "found": found, "row": row, "results": results[:SHOWN_RESULTS], "lines": lines,
        "more_results": len(results) - SHOWN_RESULTS,
        "next_line": lines[-1].n if len(found.log) > len(lines) else 0,
        "live": live, "progress": progress(operation_id) if live else None, "differences": differences,
        "table": table, "kinds": kinds, "search": asked.search, "level": asked.level, "levels": reads.LEVELS,
        "some_failed": any(one.outcome in NOT_READ_TO_THE_END for one in found.results),
        "may": held_for_operation(operation_id, row.connection_id, "operator", of_some=bool(row.records)),
    }  # fmt: skip
    context["only_looks"] = "" if context["may"] else LOOKS
    parts = {
        "live": "operation/live.html", "log": "operation/log.html", "differences": "operation/differences.html",
    }  # fmt: skip
    return show(request, "operation/page.html", context, parts=parts)


def _without_what_is_said_twice(results: Sequence[reads.ResultRow]) -> list[reads.ResultRow]:
    """A Record with one part went as this part did: its own row says no more, but where it was undone."""
    parts = Counter(one.record_id for one in results if one.family)
    return [one for one in results if one.family or parts[one.record_id] != 1 or one.undone_by is not None]


@page
def download_log(request: HttpRequest, actor: Actor, /, *, operation_id: int) -> HttpResponse:
    """The whole log as text."""
    if progress(operation_id) is None:
        raise _not_there(operation_id)
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


def _not_there(operation_id: int) -> NotThere:
    return NotThere(f"There is no Operation {operation_id}, or you may not see it.", "Look at all Operations.")


def _all_lines(operation_id: int) -> list[reads.Line]:
    lines: list[reads.Line] = []
    after: int | None = 0
    while after is not None:
        found = reads.log(operation_id, after=after, limit=1000)
        lines += found.lines
        after = found.next
    return lines
