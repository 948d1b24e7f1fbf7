"""`tidegate finding`: read findings and decide about them."""

from __future__ import annotations

import codecs
import os
import sys
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from tidegate.cli.answer import ExportedFile
from tidegate.cli.bulk import check_which, code_of_many, foretold, looked_at, told
from tidegate.cli.failure import DONE, usage
from tidegate.cli.house import actions, reads
from tidegate.cli.naming import not_there, the_connection, the_number, the_product, the_record
from tidegate.cli.option import (
    After,
    ConnectionFilter,
    ExportWord,
    FindingSort,
    Json,
    Limit,
    Preview,
    ProductFilter,
    SeverityWord,
    StatusWord,
    group,
)
from tidegate.cli.prose import prose
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import clean, facts, heading, moment, note, print_json, say, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tidegate.reads.finding import FindingDetail
    from tidegate.reads.story import Event

app = group("Read findings and decide about them.")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The finding's number.")]


OfProductType = Annotated[
    str | None, typer.Option("--product-type", metavar="NAME", help="Only in Products of this Product Type.")
]
OfTool = Annotated[str | None, typer.Option("--tool", metavar="TOOL", help="Only by this Tool: its short name.")]
OfRecord = Annotated[
    str | None, typer.Option("--record", "-r", metavar="NAME", help="Only of this Record: its name or number.")
]
OfSeverity = Annotated[
    SeverityWord | None, typer.Option("--severity", case_sensitive=False, help="Only of this severity.")
]
Active = Annotated[bool | None, typer.Option("--active/--inactive", help="Only those that are, or are not, active.")]
OfStatus = Annotated[StatusWord | None, typer.Option("--status", case_sensitive=False, help="Only these.")]
Since = Annotated[
    str | None, typer.Option("--since", metavar="YYYY-MM-DD", help="Only those stored on this day or later.")
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="YYYY-MM-DD", help="Only those stored on this day or before.")
]
Numbers = Annotated[list[str] | None, typer.Argument(metavar="[NUMBER]", help="Their numbers; none with --all.")]
All = Annotated[bool, typer.Option("--all", help="All that is found by the options beside it (all, without any).")]
Cwe = Annotated[int | None, typer.Option("--cwe", min=1, metavar="N", help="Only of this weakness: 79.")]
Component = Annotated[
    str | None, typer.Option("--component", metavar="NAME", help="Only of this component: its whole name.")
]
Words = Annotated[
    str, typer.Option("--search", metavar="WORDS", help="Only those with these words; refused beyond 1,000 hits.")
]
Expected = Annotated[
    str | None,
    typer.Option(
        "--expected",
        metavar="TOKEN",
        help="With --all: what you expect, as --preview says it, or how many. Where there are others nothing is done.",
    ),
]


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
    product_type: OfProductType = None,
    connection: ConnectionFilter = None,
    tool: OfTool = None,
    record: OfRecord = None,
    severity: OfSeverity = None,
    active: Active = None,
    status: OfStatus = None,
    since: Since = None,
    until: Until = None,
    cwe: Cwe = None,
    component: Component = None,
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

    with ready(quiet=json):
        page = reads.finding.findings(
            **asked_for(product, product_type, connection, tool, record, severity, active, status, since, until),
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


def asked_for(
    product: str | None,
    product_type: str | None,
    connection: str | None,
    tool: str | None,
    record: str | None,
    severity: SeverityWord | None,
    active: bool | None,
    status: StatusWord | None,
    since: str | None,
    until: str | None,
) -> dict[str, Any]:
    """What these options ask for, in the words of the reads; what none of them says is not in it."""
    if active is not None and status is not None:
        raise usage("--status and --active both say which findings.", "Give one of the two.")
    wanted = {
        "product_id": None if product is None else the_product(product).id,
        "product_type": product_type,
        "connection_id": None if connection is None else the_connection(connection).id,
        "tool": tool,
        "record_id": None if record is None else the_record(record).id,
        "severity": severity and severity.value.capitalize(),
        "status": status.value if status else {True: "active", False: "inactive", None: None}[active],
        "since": None if since is None else _day(since),
        "until": None if until is None else _day(until) + timedelta(days=1),
    }
    return {name: value for name, value in wanted.items() if value is not None}


@app.command("export")
def export_findings(
    form: Annotated[
        ExportWord, typer.Option("--form", case_sensitive=False, help="A finding a line as JSON or CSV, or SARIF.")
    ] = ExportWord.ndjson,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there instead of to stdout.")
    ] = None,
    product: ProductFilter = None,
    product_type: OfProductType = None,
    connection: ConnectionFilter = None,
    tool: OfTool = None,
    record: OfRecord = None,
    severity: OfSeverity = None,
    active: Active = None,
    status: OfStatus = None,
    since: Since = None,
    until: Until = None,
    cwe: Cwe = None,
    component: Component = None,
    search: Annotated[
        str,
        typer.Option("--search", metavar="WORDS", help="Only those with these words: all of them, the oldest first."),
    ] = "",
    json: Json = False,
) -> None:
    """Write all findings out, however many there are. No cell of the CSV is a formula.

    SARIF has the open ones unless you say a status. --json says how writing a file went.
    """
    if json and output is None:
        raise usage(
            "--json says how writing a file went.", "Add --output FILE, or leave --json out: the export is text."
        )
    with ready(quiet=True):
        wanted = asked_for(product, product_type, connection, tool, record, severity, active, status, since, until)
        pieces = reads.export.exported_findings(
            format=form.value, **wanted, cwe=cwe, component=component, search=search
        )
        if output is None:
            return _to_stdout(pieces)
        written = _to_file(output, pieces)
    if json:
        return print_json(ExportedFile(file=str(output), format=form.value, bytes=written))
    return say(f"{output} is written: {written:,} bytes.")


def _to_stdout(pieces: Iterable[bytes]) -> None:
    """Where somebody looks at it, nothing in it may steer their terminal."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    on_terminal = sys.stdout.isatty()
    for piece in pieces:
        text = decode(piece)
        sys.stdout.write(clean(text, lines=True) if on_terminal else text)


def _to_file(path: Path, pieces: Iterable[bytes]) -> int:
    """Whole or not at all: it gets its name once all is written. Only its owner may read it."""
    part = path.with_name(f"{path.name}.part")
    written = 0
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:  # noqa: PTH123
        try:
            for piece in pieces:
                written += file.write(piece)
            file.flush()
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    return written


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
    numbers: Numbers = None,
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
    all: All = False,
    product: ProductFilter = None,
    product_type: OfProductType = None,
    connection: ConnectionFilter = None,
    tool: OfTool = None,
    record: OfRecord = None,
    of_severity: Annotated[
        SeverityWord | None, typer.Option("--of-severity", case_sensitive=False, help="Only of this severity.")
    ] = None,
    active: Active = None,
    status: OfStatus = None,
    since: Since = None,
    before: Annotated[
        str | None, typer.Option("--stored-until", metavar="YYYY-MM-DD", help="Only stored on this day or before.")
    ] = None,
    cwe: Cwe = None,
    component: Component = None,
    search: Words = "",
    expected: Expected = None,
    preview: Preview = False,
    json: Json = False,
) -> int:
    """Decide about a finding, or the same about many. What you say survives every Sync and beats what the tool says."""

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
    filters = (product, product_type, connection, tool, record, of_severity, active, status, since, before)
    check_which(numbers, all, (*filters, cwe, component, search), expected, "findings")
    if all or preview or len(numbers or ()) > 1:
        with ready(quiet=json):
            which = _chosen(numbers, filters, cwe, component, search)
            return _in_bulk("decide", which, said, expected, preview=preview, json=json)
    number = numbers[0] if numbers else ""
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
        say(f"Undo this with: tidegate finding undo {number}")
    return DONE


@app.command("close")
def close_findings(
    numbers: Numbers = None,
    all: All = False,
    product: ProductFilter = None,
    product_type: OfProductType = None,
    connection: ConnectionFilter = None,
    tool: OfTool = None,
    record: OfRecord = None,
    severity: OfSeverity = None,
    active: Active = None,
    status: OfStatus = None,
    since: Since = None,
    until: Until = None,
    cwe: Cwe = None,
    component: Component = None,
    search: Words = "",
    expected: Expected = None,
    preview: Preview = False,
    json: Json = False,
) -> int:
    """Close open findings that nothing watches any more. A Sync closes what is watched, once it is gone.

    Nothing watches what a remap left behind, and what belongs to Records that are ignored, deleted or Missing.
    """
    filters = (product, product_type, connection, tool, record, severity, active, status, since, until)
    check_which(numbers, all, (*filters, cwe, component, search), expected, "findings")
    with ready(quiet=json):
        which = _chosen(numbers, filters, cwe, component, search)
        return _in_bulk("close", which, {}, expected, preview=preview, json=json)


@app.command("undo")
def undo(
    number: Annotated[
        str | None, typer.Argument(metavar="NUMBER", help="The finding whose last decision is undone.")
    ] = None,
    step: Annotated[
        UUID | None, typer.Option("--step", metavar="STEP", help="A whole step: what a command printed as its step.")
    ] = None,
    json: Json = False,
) -> int:
    """Undo a decision, or a closing of what nothing watches: of one finding, or of a step, until it was decided again.

    A Sync in between changes nothing of it. The story of each finding keeps both: what was decided, and its undo.
    """
    if (number is None) == (step is None):
        raise usage("Undo what?", "Name a finding, or a whole step with --step; not both.")
    with ready(quiet=json):
        finding_id = None if number is None else the_number(number, "a finding")
        done = actions.finding.undo(me(), step=step, finding_id=finding_id)
    if json:
        print_json(done)
    else:
        told(done)
    return code_of_many(done)


def _chosen(
    numbers: list[str] | None, filters: Any, cwe: int | None, component: str | None, search: str
) -> dict[str, Any]:
    """The findings that are meant, as the actions take them."""
    if numbers:
        return {"finding_ids": [the_number(number, "a finding") for number in numbers]}
    more = {"cwe": cwe, "component": component, "search": search or None}
    return {"matching": asked_for(*filters) | {name: value for name, value in more.items() if value is not None}}


def _in_bulk(
    deed: Any, which: dict[str, Any], said: dict[str, Any], expected: str | None, *, preview: bool, json: bool
) -> int:
    """Looks at a preview, or does it: what a filter finds only as it was expected, or as somebody looked at it."""
    if preview or ("matching" in which and expected is None):
        found = actions.finding.preview_findings(me(), deed, **which)
        if preview and json:
            print_json(found)
            return DONE
        if preview:
            foretold(found, "findings")
            say(f"Nothing was changed. Do it with: --expected {found.expected}")
            return DONE
        expected = looked_at(found, "findings", json=json)
    if deed == "close":
        done = actions.finding.close_findings(me(), **which, expected=expected or "")
    else:
        done = actions.finding.decide_findings(me(), **which, expected=expected or "", **said)
    if json:
        print_json(done)
    else:
        told(done)
        if done.step:
            say(f"Undo this with: tidegate finding undo --step {done.step}")
    return code_of_many(done)


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
