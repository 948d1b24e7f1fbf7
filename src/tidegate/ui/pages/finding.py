"""Findings: the list, one of them with its story, and what people decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any, Final, cast

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from tidegate.actions import finding as actions
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.step import BulkDone
from tidegate.reads import finding as reads
from tidegate.reads import product as products
from tidegate.reads.page import number
from tidegate.reads.place import among
from tidegate.reads.tool import tools
from tidegate.rules.actor import Actor
from tidegate.rules.bulk import FindingFilter
from tidegate.ui.allowed import only_looks
from tidegate.ui.download import as_csv
from tidegate.ui.page import act, back, page, saying, show, tell
from tidegate.ui.table import Table
from tidegate.ui.words import several

SEVERITIES: Final = ("Critical", "High", "Medium", "Low", "Info", "Unknown")
STATUSES: Final = ("active", "open", "unwatched", "held", "kept open", "closed", "inactive")
SORTS: Final = ("severity", "newest", "oldest", "changed")
TEXTS: Final = ("description", "impact", "mitigation", "evidence")
DAYS: Final = ("since", "until")
COLUMNS: Final = {
    "product": "Product", "status": "Status", "stored": "Stored", "seen": "Last seen", "record": "Record",
    "family": "Kind", "key": "The tool's id",
}  # fmt: skip
USUAL: Final = ("product", "status", "stored")
"""The columns that are shown until somebody chooses."""
NUMBERS: Final = ("product_id", "connection_id", "record_id", "cwe")
TAKEN_BACK: Final = ("verdict", "severity", "verified", "note", "tags")
"""What a person decided and may take back, field by field."""
VERDICTS: Final = {
    "false positive": "False positive", "accepted": "Accepted", "out of scope": "Out of scope",
    "none": "What the tool says",
}  # fmt: skip


@page
def findings(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """Findings, the worst first; by words, severity, status, tool, Product, age and more."""
    installed = [(one.slug, one.name) for one in tools()]
    filters: dict[str, Any] = dict.fromkeys(NUMBERS)
    filters |= {"severity": SEVERITIES, "status": STATUSES, "tool": [slug for slug, _ in installed]}
    filters |= dict.fromkeys(("component", *DAYS), str)
    table = Table(request, "findings", filters=filters, sorts=SORTS, columns=COLUMNS, usual=USUAL)
    wanted = filter_of(table)
    sort = cast("Any", table.sort) if table.given("sort") else None

    def rows(cursor: str | None, limit: int) -> tuple[Sequence[reads.FindingRow], str | None]:
        found = reads.findings(**wanted, sort=sort, cursor=cursor, limit=limit)
        return found.findings, found.next

    if table.as_csv:
        return as_csv(actor, "findings", reads.FindingRow, rows)
    found = reads.findings(**wanted, sort=sort, cursor=table.cursor, limit=table.limit)
    mine = among("finding", [row.id for row in found.findings], "mapper")
    context = {
        "table": table, "found": found, "severities": SEVERITIES, "statuses": STATUSES, "tools": installed,
        "sorts": SORTS, "wanted": {name: _said_of(value) for name, value in wanted.items()}, "mine": mine,
        "may": bool(mine), "verdicts": VERDICTS, "of": _of(table),
        "only_looks": only_looks(actor.access.may_somewhere("mapper")),
    }  # fmt: skip
    return show(request, "finding/list.html", context, parts={"findings": "finding/table.html"})


def filter_of(table: Table) -> FindingFilter:
    """What the list shows, as reads and actions take it. A day that is none is left out, as if it had not been said."""
    wanted: dict[str, Any] = dict(table.chosen)
    for name in DAYS:
        if name in wanted and (moment := _day(wanted.pop(name))):
            wanted[name] = moment
    if table.search:
        wanted["search"] = table.search[:200]
    return cast("FindingFilter", wanted)


def _of(table: Table) -> str:
    """The Product that the list is narrowed to, by its name; empty for all."""
    chosen = table.filter("product_id")
    return "" if chosen is None else next((one.name for one in products.with_numbers([chosen])), f"Product {chosen}")


def _day(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time.min, UTC)
    except ValueError:
        return None


def _said_of(value: Any) -> Any:
    return value.date().isoformat() if isinstance(value, datetime) else value


@page
def finding(request: HttpRequest, actor: Actor, /, *, finding_id: int) -> HttpResponse:
    """One finding: where it is, what the tool says, what we say, and everything that happened to it."""
    found = reads.finding(finding_id)
    if found is None:
        raise NotThere(f"There is no finding {finding_id}, or you may not see it.", "Look at all findings.")
    fields: Mapping[str, Any] = found.fields
    context: dict[str, Any] = {
        "found": found, "row": found.finding, "texts": [(name, fields[name]) for name in TEXTS if fields.get(name)],
        "facts": [(name, value) for name, value in fields.items() if name not in (*TEXTS, "url", "references")],
        "references": fields.get("references", []), "vendor_url": fields.get("url"), "verdicts": VERDICTS,
        "severities": SEVERITIES, "may": bool(among("finding", [finding_id], "mapper")),
        "story": list(reversed(found.story)),
    }  # fmt: skip
    context["only_looks"] = only_looks(context["may"])
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
        step = None if done.step is None else str(done.step)
        tell(request, told(done), "warning" if done.refused else "success", step=step)
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
    if back := given.get("take_back"):
        said = {} if back not in TAKEN_BACK else {back: None}
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
    for name in DAYS:
        if moment := _day(given.get(f"of.{name}", "")):
            wanted[name] = moment
    if wanted.get("status") not in (None, *STATUSES):
        del wanted["status"]
    return cast("FindingFilter", wanted)
