"""Connectors: what is connected, what could be, and the form that connects or changes one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from pydantic import SecretStr

from tidegate.actions import connection as actions
from tidegate.actions import operation as operations
from tidegate.actions import schedule as scheduling
from tidegate.actions.errors import NotThere, Refused
from tidegate.reads import connection as reads
from tidegate.reads import operation as read_operations
from tidegate.reads.place import among
from tidegate.reads.preview import differences
from tidegate.reads.progress import UNDER_WAY, progress
from tidegate.reads.schedule import schedules_of
from tidegate.reads.tool import ToolRow, tool, tools
from tidegate.reads.viewer import demand_everywhere
from tidegate.rules.actor import Actor
from tidegate.rules.branch import MOST_DAYS
from tidegate.ui.download import as_csv
from tidegate.ui.entered import field_shown, value_of
from tidegate.ui.page import act, form_page, page, show, tell
from tidegate.ui.table import Table
from tidegate.ui.words import several
from tidegate_sdk import Severity

HEALTHS: Final = ("needs you", "overdue", "recovering", "late", "on time")
SEVERITIES: Final = ("Info", "Low", "Unknown", "Medium", "High", "Critical")
KINDS: Final = ("off", "daily", "weekly", "hours", "cron")
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DIFFERENCES: Final = 200


TIERS: Final = {
    "live": "Ran against the real product; ", "replayed": "Reads what vendors publish without loss; ",
    "by the book": "Written from the vendor's documentation; ",
}  # fmt: skip
"""How a Tool was tried, in a sentence that its cases of the conformance suite end."""


@page
def connectors(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """The Connections that are there, and the tools that could be connected."""
    table = Table(request, "connections", filters={"health": HEALTHS})

    def rows(cursor: str | None, limit: int) -> tuple[Sequence[reads.ConnectionRow], str | None]:
        page = reads.connections(health=table.filter("health"), search=table.search, cursor=cursor, limit=limit)
        return page.connections, page.next

    if table.as_csv:
        return as_csv(actor, "connections", reads.ConnectionRow, rows)
    found = reads.connections(
        health=table.filter("health"), search=table.search, cursor=table.cursor, limit=table.limit
    )
    context = {
        "table": table, "found": found, "healths": HEALTHS, "tools": tools(request.GET.get("tool", "").strip()[:100]),
        "wanted": request.GET.get("tool", ""), "may_add": actor.access.may("administrator"),
        "mine": among("connection", [row.id for row in found.connections], "administrator"), "tiers": TIERS,
    }  # fmt: skip
    return show(request, "connector/list.html", context, parts={"connections": "connector/table.html"})


# The form


@dataclass
class Entered:
    """What a person entered for a Connection, and what is wrong with it. Secrets never go back to the page."""

    tool: ToolRow
    label: str = ""
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    secrets: dict[str, SecretStr] = field(default_factory=dict[str, SecretStr])
    minimum_severity: str = "Info"
    close_branches_after: str = ""
    """Days, as they were entered; empty to keep what a vanished branch had."""
    auto_map: bool = False
    join_by_name: bool = False
    product_type: str = ""
    stored: frozenset[str] = frozenset()
    """The secrets that are stored already, so that they need not be entered again."""
    problems: dict[str, str] = field(default_factory=dict[str, str])
    refused: str = ""

    @property
    def fields(self) -> list[dict[str, Any]]:
        """The tool's own fields, each with what was entered and what is wrong with it."""
        return [
            field_shown(
                one,
                self.settings.get(one.name, one.default),
                stored=one.name in self.stored,
                problem=self.problems.get(one.name, ""),
            )
            for one in self.tool.fields
        ]

    def common(self) -> dict[str, Any]:
        """What every action that keeps a Connection takes."""
        return {
            "auto_map": self.auto_map, "join_by_name": self.join_by_name,
            "minimum_severity": Severity(self.minimum_severity).rank, "product_type": self.product_type or None,
            **({"close_branches_after": days_of(self.close_branches_after)} if self.tool.has_branches else {}),
        }  # fmt: skip

    def blame(self, refused: Refused) -> None:
        """Keeps what was refused, beside its field where it is one's."""
        self.problems = dict(refused.fields)
        if not self.problems:
            self.refused = f"{refused.sentence} {refused.next_step}"


def days_of(text: str) -> int:
    """How many days; 0 where nothing was entered. Raises Refused for what is no number of days."""
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_DAYS))):
        why = f"«{text[:20]}» is no number of days from 1 to {MOST_DAYS:,}."
        raise Refused(why, "Leave it empty to keep the findings.", {"close_branches_after": why})
    return int(text)


def entered(request: HttpRequest, kind: ToolRow, stored: frozenset[str] = frozenset()) -> Entered:
    """What the form says; an empty field is one that was not given."""
    given = request.POST
    form = Entered(
        tool=kind, label=given.get("label", "").strip(), auto_map="auto_map" in given, stored=stored,
        join_by_name="join_by_name" in given, product_type=given.get("product_type", "").strip(),
    )  # fmt: skip
    severity = given.get("minimum_severity", "Info")
    form.minimum_severity = severity if severity in SEVERITIES else "Info"
    form.close_branches_after = given.get("close_branches_after", "").strip()
    for one in kind.fields:
        value = value_of(given, one)
        if value is None:
            continue
        if one.secret:
            form.secrets[one.name] = SecretStr(str(value))
        else:
            form.settings[one.name] = value
    return form


@form_page
def add(request: HttpRequest, actor: Actor, /, *, slug: str) -> HttpResponse:
    """The form of a new Connection: create it, or look first at what a Discover would find. Nothing exists before."""
    demand_everywhere("administrator", "Connecting a tool")
    kind = _tool(slug)
    if request.method != "POST":
        return _form(request, Entered(kind, label=kind.name))
    form = entered(request, kind)
    keep = actions.draft_connection if request.POST.get("do") == "preview" else actions.add_connection
    try:
        number = keep(actor, slug, form.label, form.settings, form.secrets, **form.common())
        if keep is actions.draft_connection:
            asked = operations.request_discover_preview(actor, number)
            return redirect("draft", connection_id=number, operation_id=asked)
    except NotThere:
        raise
    except Refused as refused:
        form.blame(refused)
        return _form(request, form, status=422)
    tell(request, f"{form.label} is connected. It is being asked what it watches.")
    return redirect("connection", connection_id=number)


@act
def test(request: HttpRequest, actor: Actor, /, *, slug: str) -> HttpResponse:
    """The first real calls with what is entered, step by step; nothing is stored."""
    form = entered(request, _tool(slug))
    try:
        steps = actions.try_settings(actor, slug, form.settings, form.secrets).steps
    except NotThere:
        raise
    except Refused as refused:
        return render(request, "connector/steps.html", {"refused": refused})
    return render(request, "connector/steps.html", {"steps": steps})


@page
def draft(request: HttpRequest, actor: Actor, /, *, connection_id: int, operation_id: int) -> HttpResponse:
    """What a Discover of a Connection that does not exist yet would find, and how that would be mapped."""
    found = read_operations.operation(operation_id)
    if found is None or found.operation.connection_id != connection_id:
        raise NotThere("There is no such draft: it was kept or let go, or a day has passed.", "Enter it again.")
    live = found.operation.status in UNDER_WAY
    context = {
        "row": found.operation, "found": found, "live": live, "connection_id": connection_id,
        "progress": progress(operation_id) if live else None,
        "differences": None if live else differences(operation_id, limit=DIFFERENCES),
    }  # fmt: skip
    return show(request, "connector/draft.html", context, parts={"draft": "connector/found.html"})


@act
def keep_draft(request: HttpRequest, actor: Actor, /, *, connection_id: int) -> HttpResponse:
    """Makes the draft a Connection, or lets it go."""
    try:
        if request.POST.get("do") == "drop":
            actions.drop_draft(actor, connection_id)
            tell(request, "It was let go, with its secrets. Nothing of it is kept.")
            return redirect("connections")
        kept = actions.save_draft(actor, connection_id, label=request.POST.get("label") or None)
    except NotThere:
        raise
    except Refused as refused:
        tell(request, f"{refused.sentence} {refused.next_step}", "error")
        return redirect("draft", connection_id=connection_id, operation_id=int(request.POST.get("operation") or 0))
    tell(request, "It is connected. It is being asked what it watches.")
    return redirect("connection", connection_id=kept)


@form_page
def edit(request: HttpRequest, actor: Actor, /, *, connection_id: int) -> HttpResponse:
    """The form of a Connection that is there. What is left empty of its secrets stays as it is."""
    detail = _detail(connection_id)
    kind = _tool(detail.connection.tool)
    stored = frozenset(detail.secrets)
    if request.method != "POST":
        form = Entered(
            kind, label=detail.connection.label, settings=dict(detail.settings), auto_map=detail.auto_map,
            minimum_severity=detail.minimum_severity, join_by_name=detail.join_by_name,
            close_branches_after=str(detail.close_branches_after or ""),
            product_type=detail.product_type or "", stored=stored,
        )  # fmt: skip
        return _form(request, form, detail)
    form = entered(request, kind, stored)
    try:
        settings = {one.name: form.settings.get(one.name) for one in kind.fields if not one.secret}
        changed = actions.edit_connection(
            actor, connection_id, label=form.label, settings=settings, secrets=form.secrets or None,
            records_continue="records_continue" in request.POST,
            **{**form.common(), "product_type": form.product_type},
        )  # fmt: skip
        _set_schedules(actor, connection_id, request.POST)
    except NotThere:
        raise
    except Refused as refused:
        form.blame(refused)
        return _form(request, form, detail, status=422)
    said = ["Saved."]
    if changed.closed:
        said.append(f"Closed, since below the new threshold: {several(changed.closed, 'finding')}.")
    if changed.sync_wanted:
        said.append("A Sync brings back what the threshold kept away.")
    if changed.resumed:
        said.append("It is resumed.")
    tell(request, " ".join(said))
    return redirect("connection", connection_id=connection_id)


@form_page
def delete(request: HttpRequest, actor: Actor, /, *, connection_id: int) -> HttpResponse:
    """Lets a Connection go, once its label was typed: this cannot be undone."""
    detail = _detail(connection_id)
    refused = ""
    if request.method == "POST":
        try:
            actions.delete_connection(actor, connection_id, request.POST.get("label", ""))
        except NotThere:
            raise
        except Refused as why:
            refused = f"{why.sentence} {why.next_step}"
        else:
            tell(request, f"{detail.connection.label} is gone. What it brought stays.")
            return redirect("connections")
    context = {"connection": detail.connection, "refused": refused}
    return show(request, "connector/delete.html", context, status=422 if refused else 200)


@page
def threshold(request: HttpRequest, actor: Actor, /, *, connection_id: int) -> HttpResponse:
    """What another minimum severity would do, before it is saved."""
    word = request.GET.get("minimum_severity", "")
    if word not in SEVERITIES:
        raise NotThere("There is no such severity.", "Choose one of the list.")
    effect = actions.threshold_effect(connection_id, Severity(word).rank)
    return render(request, "connector/threshold.html", {"effect": effect})


def _set_schedules(actor: Actor, connection_id: int, given: Mapping[str, Any]) -> None:
    """Only what differs is said, so that nothing is noted that nobody changed."""
    there = schedules_of(connection_id)
    for row in there.schedules if there else ():
        wanted: dict[str, Any] = {
            "kind": given.get(f"{row.type}.kind", row.kind), "at": given.get(f"{row.type}.at", row.at),
            "zone": given.get(f"{row.type}.zone", row.zone), "cron": given.get(f"{row.type}.cron", row.cron),
            "weekday": _whole(given.get(f"{row.type}.weekday"), row.weekday),
            "hours": _whole(given.get(f"{row.type}.hours"), row.hours),
        }  # fmt: skip
        changed = {name: value for name, value in wanted.items() if value != getattr(row, name)}
        if changed:
            scheduling.set_schedule(actor, connection_id, cast("Any", row.type), **changed)


def _whole(text: Any, otherwise: int) -> int:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else otherwise


def _form(
    request: HttpRequest, form: Entered, detail: reads.ConnectionDetail | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "form": form, "detail": detail, "severities": SEVERITIES, "kinds": KINDS, "weekdays": WEEKDAYS,
        "schedules": schedules_of(detail.connection.id).schedules if detail else [],  # pyright: ignore[reportOptionalMemberAccess]
    }  # fmt: skip
    return show(request, "connector/form.html", context, status=status)


def _tool(slug: str) -> ToolRow:
    found = tool(slug)
    if found is None:
        raise NotThere(f"There is no tool «{slug}».", "Choose one of the list.")
    return found


def _detail(connection_id: int) -> reads.ConnectionDetail:
    found = reads.connection(connection_id)
    if found is None:
        raise NotThere(f"There is no Connection {connection_id}, or you may not see it.", "Look at all Connections.")
    return found
