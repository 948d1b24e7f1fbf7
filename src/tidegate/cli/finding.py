"""`tidegate finding`: read findings and decide about them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.failure import usage
from tidegate.cli.house import actions, reads
from tidegate.cli.naming import not_there, the_connection, the_number, the_product, the_record
from tidegate.cli.option import (
    After,
    ConnectionFilter,
    FindingSort,
    Json,
    Limit,
    ProductFilter,
    SeverityWord,
    StatusWord,
    group,
)
from tidegate.cli.prose import prose
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import facts, heading, moment, note, print_json, say, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidegate.reads.finding import FindingDetail
    from tidegate.reads.story import Event

app = group("Read findings and decide about them.")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The finding's number.")]


class VerdictWord(StrEnum):
    """What a person can say of a finding; `none` takes it back."""

    false_positive = "false positive"
    accepted = "accepted"
    out_of_scope = "out of scope"
    real = "real"
    none = "none"


SeverityDecision = StrEnum("SeverityDecision", {word.name: word.value for word in SeverityWord} | {"none": "none"})


@app.command("list")
def list_findings(
    product: ProductFilter = None,
    product_type: Annotated[
        str | None, typer.Option("--product-type", metavar="NAME", help="Only in Products of this Product Type.")
    ] = None,
    connection: ConnectionFilter = None,
    tool: Annotated[
        str | None, typer.Option("--tool", metavar="TOOL", help="Only by this Tool: its short name.")
    ] = None,
    record: Annotated[
        str | None, typer.Option("--record", "-r", metavar="NAME", help="Only of this Record: its name or number.")
    ] = None,
    severity: Annotated[
        SeverityWord | None, typer.Option("--severity", case_sensitive=False, help="Only of this severity.")
    ] = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Only those that are, or are not, active.")
    ] = None,
    status: Annotated[StatusWord | None, typer.Option("--status", case_sensitive=False, help="Only these.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="YYYY-MM-DD", help="Only those stored on this day or later.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="YYYY-MM-DD", help="Only those stored on this day or before.")
    ] = None,
    cwe: Annotated[int | None, typer.Option("--cwe", min=1, metavar="N", help="Only of this weakness: 79.")] = None,
    component: Annotated[
        str | None, typer.Option("--component", metavar="NAME", help="Only of this component: its whole name.")
    ] = None,
    search: Annotated[
        str,
        typer.Option(
            "--search",
            metavar="WORDS",
            help="Only those with these words in title, rule, component, path, id or CVE; of the last the beginning"
            " will do. The best of the first 1,000 come first.",
        ),
    ] = "",
    sort: Annotated[
        FindingSort | None,
        typer.Option("--sort", case_sensitive=False, help="What stands first. Without it: the worst."),
    ] = None,
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
) -> None:
    """List findings, the worst first."""

    if active is not None and status is not None:
        raise usage("--status and --active both say which findings.", "Give one of the two.")
    wanted: Any = status.value if status else {True: "active", False: "inactive", None: None}[active]
    with ready(quiet=json):
        page = reads.finding.findings(
            product_id=None if product is None else the_product(product).id,
            product_type=product_type,
            connection_id=None if connection is None else the_connection(connection).id,
            tool=tool,
            record_id=None if record is None else the_record(record).id,
            severity=severity and severity.value.capitalize(),
            status=wanted,
            since=None if since is None else _day(since),
            until=None if until is None else _day(until) + timedelta(days=1),
            cwe=cwe,
            component=component,
            search=search,
            sort=None if sort is None else sort.value,
            cursor=after,
            limit=limit,
        )
    if json:
        return print_json(page)
    rows = [
        (str(row.id), row.severity, "active" if row.active else "inactive", row.title, row.where, row.product)
        for row in page.findings
    ]
    empty = "There is no such finding. Bring findings in with: tidegate sync CONNECTION"
    table(("#", "SEVERITY", "STATUS", "TITLE", "WHERE", "PRODUCT"), rows, empty=empty)
    if page.next:
        total = "" if page.count is None else f" of {page.count:,}{'+' if page.more else ''}"
        note(f"These are {len(rows):,}{total}. There are more: --after {page.next}")
    if page.not_searchable:
        note(f"{page.not_searchable:,} findings are not searchable yet; they follow within a minute.")
    return None


@app.command("show")
def show_finding(number: Number, json: Json = False) -> None:
    """Show one finding: what it is, why it is open or closed, and its story so far."""
    with ready(quiet=json):
        found = reads.finding.finding(the_number(number, "a finding"))
    if found is None:
        raise not_there("Finding", number)
    if json:
        print_json(found)
    else:
        _show(found)


@app.command("story")
def tell_story(number: Number, limit: Limit = 100, after: After = None, json: Json = False) -> None:
    """Tell all that happened to one finding, in order, each with what proves it.

    `show` tells the latest of it; here every change stands with what was before and after, page by page.
    """
    with ready(quiet=json):
        page = reads.story.story(the_number(number, "a finding"), cursor=after, limit=limit)
    if page is None:
        raise not_there("Finding", number)
    if json:
        return print_json(page)
    _tell(page.events)
    if page.next:
        note(f"There is more: --after {page.next}")
    return None


@app.command("decide")
def decide(
    number: Number,
    verdict: Annotated[
        VerdictWord | None, typer.Option("--verdict", case_sensitive=False, help="What it is; `none` takes it back.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="YYYY-MM-DD", help="The last day on which it is accepted.")
    ] = None,
    severity: Annotated[
        SeverityDecision | None,
        typer.Option("--severity", case_sensitive=False, help="How bad you say it is; `none` takes it back."),
    ] = None,
    verified: Annotated[
        bool | None, typer.Option("--verified/--not-verified", help="Whether somebody has seen it with their own eyes.")
    ] = None,
    note_text: Annotated[
        str | None,
        typer.Option("--note", metavar="TEXT", help="What to remember about it; an empty one takes it back."),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="TAG", help="A tag. Say it again for more; these replace the tags before."),
    ] = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Take all tags back.")] = False,
    json: Json = False,
) -> None:
    """Decide about a finding. What you say survives every Sync and beats what the tool says."""

    if tag and no_tags:
        raise usage("--tag and --no-tags contradict each other.", "Give one of the two.")
    wanted = {
        "verdict": verdict and verdict.value,
        "until": None if until is None else _end_of(until),
        "severity": severity and (severity.value if severity.value == "none" else severity.value.capitalize()),
        "verified": verified,
        "note": note_text,
        "tags": [] if no_tags else tag,
    }
    said: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    if not said:
        raise usage("Nothing was decided.", "See what can be: tidegate finding decide --help")
    with ready(quiet=json):
        branches = actions.finding.decide_finding(me(), the_number(number, "a finding"), **said)
        found = reads.finding.finding(int(number))
    if found is None:
        raise not_there("Finding", number)
    if json:
        print_json(found)
    else:
        everywhere = f", on all its {branches} branches" if branches > 1 else ""
        say(f"Decided{everywhere}. Finding {number} is now: {found.finding.why}")


def _end_of(day: str) -> datetime:
    return datetime.combine(_day(day), time.max, UTC)


def _day(day: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day), time.min, UTC)
    except ValueError:
        raise usage(f"«{day}» is no day of the calendar.", "Write it as year, month, day: 2026-12-31") from None


def _show(found: FindingDetail) -> None:
    row, fields = found.finding, dict(found.fields)
    say(f"{row.title} ({row.id})")
    say(row.why)
    facts(
        [
            (
                "severity",
                row.severity
                + (f"; the tool says {found.severity_vendor}" if found.severity_vendor != row.severity else ""),
            ),
            ("where", row.where),
            ("product", row.product),
            ("from", f"{row.connection} › {row.record} › {' '.join(filter(None, (row.family, row.branch)))}"),
            ("the tool says", found.vendor_verdict or str(fields.get("vendor_status") or "")),
            ("last seen", moment(row.last_seen_at)),
            ("its id there", row.key),
            ("link", str(fields.get("url") or "")),
            ("rule", str(fields.get("rule") or "")),
            ("confidence", str(fields.get("confidence") or "")),
            ("weakness", ", ".join(f"CWE-{number}" for number in fields.get("cwe") or ())),
            ("also known as", ", ".join(fields.get("ids") or ())),
            ("CVSS", _cvss(fields)),
            ("EPSS", f"{fields['epss']:.1%}" if fields.get("epss") is not None else ""),
            ("exploited", "yes, in the wild" if fields.get("known_exploited") else ""),
            ("fixed in", str(fields.get("fixed_version") or "")),
            ("its tags there", ", ".join(fields.get("tags") or ())),
            ("read more", "\n".join(fields.get("references") or ())),
        ]
    )
    for name, title in (("description", "What it is"), ("impact", "What it can do"), ("mitigation", "What to do")):
        if fields.get(name):
            heading(title)
            say(prose(str(fields[name])), lines=True)
    if fields.get("evidence"):
        heading("Evidence")
        say(str(fields["evidence"]), lines=True)
    if found.decisions:
        heading("What people decided")
        rows = [(said.field, said.value, said.by, moment(said.at), moment(said.until)) for said in found.decisions]
        table(("", "", "BY", "ON", "UNTIL"), rows, empty="")
    heading("Its story so far")
    _tell(found.story)
    if not found.story_whole:
        note(f"Between the first and the next line something is left out: tidegate finding story {row.id}")


def _tell(events: Sequence[Event]) -> None:
    rows = [(moment(one.at), " ".join(filter(None, (one.what, one.proof))), one.actor) for one in events]
    table(("WHEN", "WHAT", "WHO"), rows, empty="")


def _cvss(fields: dict[str, Any]) -> str:
    score = fields.get("cvss_score")
    return " ".join([*([] if score is None else [f"{score:.1f}"]), *(fields.get("cvss") or ())])
