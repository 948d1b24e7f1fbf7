"""Findings: the list, one of them with its story, and what people decide."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final, cast

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from tidegate.actions import finding as actions
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.step import BulkDone
from tidegate.reads import finding as reads
from tidegate.reads.page import number
from tidegate.reads.tool import tools
from tidegate.rules.actor import Actor
from tidegate.rules.bulk import FindingFilter
from tidegate.ui.page import act, back, page, saying, show, tell
from tidegate.ui.table import Table
from tidegate.ui.words import several

SEVERITIES: Final = ("Critical", "High", "Medium", "Low", "Info", "Unknown")
STATUSES: Final = ("active", "open", "unwatched", "held", "kept open", "closed", "inactive")
SORTS: Final = ("severity", "newest", "oldest", "changed")
TEXTS: Final = ("description", "impact", "mitigation", "evidence")
NUMBERS: Final = ("product_id", "connection_id", "record_id", "cwe")
VERDICTS: Final = {
    "false positive": "False positive", "accepted": "Accepted", "out of scope": "Out of scope",
    "none": "What the tool says",
}  # fmt: skip


@page
def findings(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """Findings, the worst first; by words, severity, status, tool, Product and more."""
    installed = [(one.slug, one.name) for one in tools()]
    filters: dict[str, Any] = dict.fromkeys(NUMBERS)
    filters |= {"severity": SEVERITIES, "status": STATUSES, "tool": [slug for slug, _ in installed]}
    table = Table(request, "findings", filters=filters, sorts=SORTS)
    component = request.GET.get("component", "").strip()[:200]
    wanted = filter_of(table, component)
    sort = cast("Any", table.sort) if table.given("sort") else None
    found = reads.findings(**wanted, sort=sort, cursor=table.cursor, limit=table.limit)
    context = {
        "table": table, "found": found, "severities": SEVERITIES, "statuses": STATUSES, "tools": installed,
        "sorts": SORTS, "wanted": wanted, "may": actor.access.may_somewhere("mapper"), "component": component,
        "verdicts": VERDICTS,
    }  # fmt: skip
    return show(request, "finding/list.html", context, parts={"findings": "finding/table.html"})


def filter_of(table: Table, component: str = "") -> FindingFilter:
    """What the list shows, as reads and actions take it."""
    wanted: dict[str, Any] = dict(table.chosen)
    if table.search:
        wanted["search"] = table.search[:200]
    if component:
        wanted["component"] = component
    return cast("FindingFilter", wanted)


@page
def finding(request: HttpRequest, actor: Actor, /, *, finding_id: int) -> HttpResponse:
    """One finding: where it is, what the tool says, what we say, and everything that happened to it."""
    found = reads.finding(finding_id)
    if found is None:
        raise NotThere(f"There is no finding {finding_id}, or you may not see it.", "Look at all findings.")
    fields: Mapping[str, Any] = found.fields
    context = {
        "found": found, "row": found.finding, "texts": [(name, fields[name]) for name in TEXTS if fields.get(name)],
        "facts": [(name, value) for name, value in fields.items() if name not in (*TEXTS, "url", "references")],
        "references": fields.get("references", []), "url": fields.get("url"), "verdicts": VERDICTS,
        "severities": SEVERITIES, "may": actor.access.may_somewhere("mapper"), "story": list(reversed(found.story)),
    }  # fmt: skip
    return show(request, "finding/page.html", context)


@act
def decide(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """A decision about the findings that were picked, or about all that the list shows; these are looked at first."""
    given = request.POST
    ids = [n for n in map(number, given.getlist("ids")) if n is not None]
    wanted = _filter_given(given) if given.get("all") else None
    closing = given.get("do") == "close"
    with saying(request):
        said = {} if closing else _said(given)
        if wanted is not None and not given.get("expected"):
            shown = actions.preview_findings(actor, "close" if closing else "decide", matching=wanted)
            kept = [
                (name, value) for name, values in given.lists() if name != "csrfmiddlewaretoken" for value in values
            ]
            context = {"shown": shown, "given": kept, "closing": closing, "next": given.get("next", "/findings/")}
            return show(request, "finding/preview.html", context)
        chosen: dict[str, Any] = {"matching": wanted, "expected": given.get("expected", "")}
        if wanted is None:
            chosen = {"finding_ids": ids}
        done = (actions.close_findings if closing else actions.decide_findings)(actor, **chosen, **said)
        tell(request, told(done), "warning" if done.refused else "success")
    return back(request, reverse("findings"))


def told(done: BulkDone) -> str:
    """What became of them, in sentences."""
    return " ".join(f"{several(share.number, 'finding')}: {share.sentence}" for share in done.shares)


def _said(given: QueryDict) -> dict[str, Any]:
    """What the form decides: only what was filled in. Raises Refused for an end that is no day."""
    said: dict[str, Any] = {}
    if verdict := given.get("verdict"):
        said["verdict"] = verdict
        if until := given.get("until"):
            try:
                day = date.fromisoformat(until)
            except ValueError:
                raise Refused(f"«{until}» is no day.", "Write it as 2027-01-31.") from None
            said["until"] = datetime.combine(day, time.min, UTC)
    if severity := given.get("severity"):
        said["severity"] = severity
    if note := given.get("note", "").strip():
        said["note"] = note
    return said


def _filter_given(given: QueryDict) -> FindingFilter:
    wanted: dict[str, Any] = {}
    for name in NUMBERS:
        if (value := number(given.get(f"of.{name}", ""))) is not None:
            wanted[name] = value
    for name in ("severity", "status", "tool", "search", "component"):
        if value := given.get(f"of.{name}"):
            wanted[name] = value
    if wanted.get("status") not in (None, *STATUSES):
        del wanted["status"]
    return cast("FindingFilter", wanted)
