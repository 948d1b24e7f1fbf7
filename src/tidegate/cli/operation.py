"""`tidegate discover`, `tidegate sync`, `tidegate operation`: runs, what they did and why, and what they held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.answer import Settled
from tidegate.cli.failure import DONE, FAILED, PARTIAL, Failure, usage
from tidegate.cli.house import actions, reads
from tidegate.cli.naming import not_there, the_connection, the_number, the_record, the_records
from tidegate.cli.option import (
    After,
    ConnectionFilter,
    DifferenceKind,
    Json,
    Later,
    Limit,
    LogLevel,
    OperationStatus,
    OperationType,
    Preview,
    alone,
    group,
)
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import facts, heading, moment, note, print_json, progressing, say, table

if TYPE_CHECKING:
    from tidegate.reads.operation import HeldRow, Line, OperationDetail, OperationRow
    from tidegate.reads.preview import DifferenceRow

discovering = alone()
syncing = alone()
app = group("See what a run did and why, and decide what it held.")

SHOWN = 200
SHOWN_OF_A_KIND = 20

CODES = {"success": DONE, "partial": PARTIAL, "pending": PARTIAL, "running": PARTIAL}

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The Operation's number.")]


@discovering.command("discover")
def discover(
    name: Annotated[str, typer.Argument(metavar="CONNECTION", help="Its label or its number.")],
    preview: Preview = False,
    later: Later = False,
    json: Json = False,
) -> int:
    """Ask a tool what it watches.

    What is new becomes a New Record; what was renamed follows; what is gone becomes Missing, but only where the tool
    proves that it showed everything. A preview may also be asked of a draft, by its number.
    """
    with ready(quiet=json):
        if preview:
            number = actions.operation.request_discover_preview(me(), connection_or_draft(name))
        else:
            number = actions.operation.request_discover(me(), the_connection(name).id)
        return asked_for(number, json=json) if later else said_result(seen_through(number, quiet=json), json=json)


@syncing.command("sync")
def sync(
    name: Annotated[
        str | None, typer.Argument(metavar="CONNECTION", help="Its label or its number; not needed with --record.")
    ] = None,
    record: Annotated[
        list[str] | None,
        typer.Option(
            "--record", "-r", metavar="RECORD", help="Only this Record: its name or number. Say it again for more."
        ),
    ] = None,
    preview: Preview = False,
    later: Later = False,
    json: Json = False,
) -> int:
    """Bring the findings of mapped Records into their Products.

    New findings come in, changed ones change, and what the tool no longer reports is closed, but only where the tool
    proves that it showed everything. What you decided about a finding stays decided.
    """
    with ready(quiet=json):
        connection_id, record_ids = _scope(name, record)
        request = actions.operation.request_sync_preview if preview else actions.operation.request_sync
        number = request(me(), connection_id, record_ids)
        return asked_for(number, json=json) if later else said_result(seen_through(number, quiet=json), json=json)


@app.command("list")
def list_operations(
    connection: ConnectionFilter = None,
    type: Annotated[
        OperationType | None, typer.Option("--type", case_sensitive=False, help="Only of this type.")
    ] = None,
    status: Annotated[
        OperationStatus | None, typer.Option("--status", case_sensitive=False, help="Only in this status.")
    ] = None,
    held: Annotated[bool, typer.Option("--held", help="Only those that wait for a person.")] = False,
    preview: Annotated[
        bool | None, typer.Option("--preview/--no-preview", help="Only previews, or none of them.")
    ] = None,
    limit: Limit = 20,
    after: After = None,
    json: Json = False,
) -> None:
    """List what ran, the newest first."""
    with ready(quiet=json):
        connection_id = None if connection is None else the_connection(connection).id
        page = reads.operation.operations(
            connection_id=connection_id,
            type=type and type.value,
            status=status and status.value,
            held=held,
            preview=preview,
            cursor=after,
            limit=limit,
        )
    if json:
        return print_json(page)
    rows = [
        (str(row.id), _type(row), row.connection, _status(row), moment(row.requested_at), _counts(row))
        for row in page.operations
    ]
    empty = "Nothing waits for you." if held else "Nothing of that kind has run yet."
    table(("#", "TYPE", "CONNECTION", "STATUS", "WHEN", "WHAT IT DID"), rows, empty=empty)
    if page.next:
        note(f"There are more: --after {page.next}")
    return None


@app.command("show")
def show_operation(number: Number, json: Json = False) -> None:
    """Show one Operation: what it did and why, Record by Record, what it held, and its log.

    Of a preview: what it would do.
    """
    with ready(quiet=json):
        found = reads.operation.operation(the_number(number, "an Operation"))
    if found is None:
        raise not_there("Operation", number)
    if json:
        print_json(found)
    else:
        _show(found)


@app.command("differences")
def differences(
    number: Number,
    kind: Annotated[
        DifferenceKind | None, typer.Option("--kind", case_sensitive=False, help="Only of this kind.")
    ] = None,
    record: Annotated[
        str | None, typer.Option("--record", "-r", metavar="RECORD", help="Only of this Record: its name or number.")
    ] = None,
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
) -> None:
    """List what a preview would do, one by one. They are kept for a day."""
    with ready(quiet=json):
        page = reads.preview.differences(
            the_number(number, "an Operation"),
            kind=kind and kind.value,
            record_id=None if record is None else the_record(record).id,
            cursor=after,
            limit=limit,
        )
    if page is None:
        again = "A preview is kept for a day. Preview again: tidegate sync CONNECTION --preview"
        raise Failure(f"There is no Operation {number}.", again)
    if json:
        return print_json(page)
    if page.differences:
        _table_of(page.differences, kinds=True)
    else:
        say(page.why)
    if page.next:
        note(f"There are more: --after {page.next}")
    elif page.kept < page.counted:
        note(f"{page.counted:,} would differ, and {page.kept:,} of them are kept.")
    return None


@app.command("watch")
def watch(number: Number, json: Json = False) -> int:
    """Watch an Operation until it has ended, wherever it runs."""
    with ready(quiet=json):
        which = detail_of(the_number(number, "an Operation")).operation.id
        return said_result(seen_through(which, quiet=json), json=json)


@app.command("cancel")
def cancel(number: Number, json: Json = False) -> int:
    """End an Operation. What it applied stays, what it did not is not begun."""
    with ready(quiet=json):
        which = the_number(number, "an Operation")
        actions.operation.cancel(me(), which)
        found = detail_of(which)
    if json:
        print_json(found)
    elif found.operation.status == "cancelled":
        say(f"Operation {which} is cancelled.")
    else:
        say(f"Operation {which} is told to end; it does within seconds. What it applied stays.")
    return DONE


@app.command("again")
def again(number: Number, later: Later = False, json: Json = False) -> int:
    """Run again what failed: the Records that were not read to their end; all of it where nothing or all failed."""
    with ready(quiet=json):
        asked = actions.operation.request_again(me(), the_number(number, "an Operation"))
        return asked_for(asked, json=json) if later else said_result(seen_through(asked, quiet=json), json=json)


@app.command("undo")
def undo(
    number: Number,
    record: Annotated[
        list[str] | None,
        typer.Option(
            "--record", "-r", metavar="RECORD", help="Only this Record: its name or number. Say it again for more."
        ),
    ] = None,
    later: Later = False,
    json: Json = False,
) -> int:
    """Undo what a Sync did, while it is the latest of its Records.

    What it created becomes inactive; what it changed, closed or opened again is as it was. What people decided since
    stays. The next Sync brings what the tool says, but what it would close again is held until a person decides.
    """
    with ready(quiet=json):
        found = detail_of(the_number(number, "an Operation")).operation
        records = [the_record(text, found.connection_id).id for text in record] if record else None
        asked = actions.undo.undo_sync(me(), found.id, records)
        return asked_for(asked, json=json) if later else said_result(seen_through(asked, quiet=json), json=json)


@app.command("log")
def log(
    number: Number,
    search: Annotated[str, typer.Option("--search", "-s", metavar="WORDS", help="Only lines with these words.")] = "",
    level: Annotated[
        LogLevel, typer.Option("--level", case_sensitive=False, help="Only of this level or worse.")
    ] = LogLevel.info,
    after: Annotated[int, typer.Option("--after", metavar="LINE", min=0, help="Only what comes after this line.")] = 0,
    limit: Limit = 200,
    json: Json = False,
) -> None:
    """Read the log of an Operation; --level debug shows every question it asked."""
    with ready(quiet=json):
        which = detail_of(the_number(number, "an Operation")).operation.id
        page = reads.operation.log(which, search=search, level=level.value, after=after, limit=limit)
    if json:
        return print_json(page)
    rows = [(str(line.n), f"{line.at:%H:%M:%S}", line.level, _told(line)) for line in page.lines]
    table(("#", "AT", "LEVEL", "WHAT HAPPENED"), rows, empty="There is no such line.")
    if page.next:
        note(f"There are more: --after {page.next}")
    return None


@app.command("approve")
def approve(number: Number, json: Json = False) -> int:
    """Believe what an Operation held: close what is still gone, let absent Records go Missing."""
    with ready(quiet=json):
        settled = actions.operation.approve(me(), the_number(number, "an Operation"))
        return _settled(
            number, settled, f"Approved: {settled:,} of what Operation {number} held is closed or Missing.", json=json
        )


@app.command("keep")
def keep(number: Number, json: Json = False) -> int:
    """Keep open what an Operation held. It is not asked again until the tool has shown it once more."""
    with ready(quiet=json):
        settled = actions.operation.keep_open(me(), the_number(number, "an Operation"))
        return _settled(number, settled, f"Kept open: {settled:,} of what Operation {number} held.", json=json)


def saw_discover(connection_id: int, *, quiet: bool) -> OperationDetail:
    """Waits for the end of the Discover that a new Connection begins with."""
    (asked,) = reads.operation.operations(
        connection_id=connection_id, type="discover", preview=False, limit=1
    ).operations
    return seen_through(asked.id, quiet=quiet)


def previewed_discover(connection_id: int, *, quiet: bool) -> OperationDetail:
    """Has a Discover previewed, and waits for its end."""
    return seen_through(actions.operation.request_discover_preview(me(), connection_id), quiet=quiet)


def seen_through(number: int, *, quiet: bool) -> OperationDetail:
    """Waits for the end of an Operation with a bar, wherever it runs. Ctrl-C leaves one that a worker runs alone."""
    try:
        with progressing(quiet=quiet) as progress:
            actions.operation.see_through(number, progress)
    except KeyboardInterrupt:
        if reads.service.service().workers and detail_of(number).operation.status in ("pending", "running"):
            note(f"Operation {number} goes on without you. Watch it: tidegate operation watch {number}")
            note(f"End it with: tidegate operation cancel {number}")
        raise
    return detail_of(number)


def asked_for(number: int, *, json: bool) -> int:
    """Says what was asked for, and who will do it."""
    found = detail_of(number)
    row = found.operation
    if json:
        print_json(found)
        return DONE
    say(f"{_type(row).capitalize()} {row.id} of {row.connection} is asked for.")
    note(f"Watch it: tidegate operation watch {row.id}")
    if not reads.service.service().workers:
        note("No worker is alive to run it. Start everything with: tidegate up")
    return DONE


def said_result(found: OperationDetail, *, json: bool) -> int:
    """Says how an Operation went, and gives its exit code."""
    if json:
        print_json(found)
    else:
        _say_result(found)
    return code_of(found)


def code_of(found: OperationDetail) -> int:
    """The exit code of how an Operation went: what is held waits for a person, so it is not simply done."""
    code = CODES.get(found.operation.status, FAILED)
    return PARTIAL if found.operation.held and code == DONE else code


def _scope(name: str | None, records: list[str] | None) -> tuple[int, list[int] | None]:
    if not records:
        if name is None:
            raise usage("Which Connection?", "Name one: tidegate sync CONNECTION, or a Record with --record")
        return the_connection(name).id, None
    found = the_records(records, name)
    connections = {row.connection_id: row.connection for row in found}
    if len(connections) > 1:
        raise usage(
            f"These Records belong to {len(connections)} Connections: {', '.join(connections.values())}.",
            "Sync one Connection at a time.",
        )
    return found[0].connection_id, [row.id for row in found]


def connection_or_draft(name: str) -> int:
    """The number of the Connection, or of the draft of this number."""
    return int(name) if reads.connection.is_draft(name) else the_connection(name).id


def detail_of(number: int) -> OperationDetail:
    """The Operation of this number."""
    found = reads.operation.operation(number)
    if found is None:
        raise not_there("Operation", number)
    return found


def _say_result(found: OperationDetail) -> None:
    row = found.operation
    say(f"{_type(row).capitalize()} {row.id} of {row.connection}. {found.verdict}")
    for result in found.results:
        if result.outcome != "complete" and not result.family:
            say(f"  {result.record}: {result.outcome}. {result.why}")
    if row.preview:
        _show_differences(row)
    if row.status != "success" or row.held:
        note(f"Look closer with: tidegate operation show {row.id}")


def _show(found: OperationDetail) -> None:
    from tidegate.rules.operation import in_words

    row = found.operation
    say(f"{_type(row).capitalize()} {row.id} of {row.connection}: {row.status}.")
    say(found.verdict)
    facts(
        [
            ("asked for", f"{moment(row.requested_at)} by {row.actor} ({row.trigger})"),
            ("took", f"{row.seconds:.1f} s" if row.seconds is not None else ""),
            ("of that", _spent(found.spent)),
            ("asked", ", ".join(f"{count:,} × {status}" for status, count in found.calls.items())),
            ("taken up", f"{row.attempt} times; {row.deaths} workers died with it" if row.attempt > 1 else ""),
            ("proved", "that it saw everything" if row.type == "discover" and row.complete else ""),
        ]
    )
    if found.results:
        heading("Record by Record")
        rows = [
            (one.record, f"{one.family} {one.branch}".strip(), one.outcome, in_words(one.counts), one.why)
            for one in found.results[:SHOWN]
        ]
        table(("RECORD", "FAMILY", "OUTCOME", "WHAT IT DID", "WHY"), rows, empty="")
        if len(found.results) > SHOWN:
            note(f"And {len(found.results) - SHOWN:,} more, none of them worse: --json prints them all.")
    if row.preview:
        _show_differences(row)
    if found.held:
        _show_held(row, found.held)
    if found.odd:
        heading("Set aside, because it could not be read")
        table(
            ("RECORD", "FAMILY", "ID", "WHY"),
            [(o.record, o.family, o.key or "", o.reason) for o in found.odd],
            empty="",
        )
    lines = [(f"{line.at:%H:%M:%S}", line.level, line.text) for line in found.log if line.level != "debug"]
    if lines:
        heading("Log")
        table(("", "", ""), lines, empty="")


def _show_differences(row: OperationRow) -> None:
    """The first of each kind; why there is none only where that is not said by the counts already."""
    from tidegate.rules.preview import KINDS

    counted: dict[str, int] = dict.fromkeys(KINDS, 0)
    for one in reads.preview.preview_counts(row.id):
        counted[one.kind] += one.count
    for kind, number in counted.items():
        page = reads.preview.differences(row.id, kind=kind, limit=SHOWN_OF_A_KIND) if number else None
        if page is None:
            continue
        if not page.differences:
            say(page.why)
            return
        heading(f"Would be {kind}: {number:,}")
        _table_of(page.differences)
        if number > len(page.differences):
            note(f"See more of them: tidegate operation differences {row.id} --kind {kind}")


def _table_of(differences: list[DifferenceRow], *, kinds: bool = False) -> None:
    """Of findings what differs and why; of Records a sentence each. `kinds` says of each what would happen to it."""
    if any(one.severity for one in differences):
        heads = ("KIND", "RECORD", "SEVERITY", "TITLE", "WHAT AND WHY")
        rows = [(one.kind, one.record, one.severity, one.title, _changes(one) or one.because) for one in differences]
    else:
        heads = ("KIND", "RECORD", "WHAT WOULD HAPPEN")
        rows = [
            (one.kind, one.title, "; ".join(filter(None, [one.what.rstrip("."), _changes(one)]))) for one in differences
        ]
    first = 0 if kinds else 1
    table(heads[first:], [row[first:] for row in rows], empty="")


def _changes(one: DifferenceRow) -> str:
    if one.kind == "created":
        return ""  # all of it would be new
    return ", ".join(f"{change.field} {_short(change.before)} → {_short(change.after)}" for change in one.changes)


def _short(text: str) -> str:
    words = " ".join(text.split())
    return f"«{words}»" if len(words) <= 40 else f"«{words[:39]}…»"


def _spent(spent: dict[str, float]) -> str:
    words = {
        "queue": "in the queue before", "vendor": "waiting for the tool", "rate": "waiting for the rate it allows",
        "database": "in the database", "work": "working",
    }  # fmt: skip
    return ", ".join(f"{seconds:,.1f} s {words.get(word, word)}" for word, seconds in spent.items() if seconds >= 0.05)


def _show_held(row: OperationRow, held: list[HeldRow]) -> None:
    heading("Waits for you")
    rows = [(one.record, one.what, f"{one.count:,}", one.standing, f"Operation {one.since_operation}") for one in held]
    table(("RECORD", "WHAT", "HOW MANY#", "STANDING", "SINCE"), rows, empty="")
    if row.held:
        say(f"tidegate operation approve {row.id}   believes it: these are closed, or go Missing, if still gone.")
        say(f"tidegate operation keep {row.id}      does not: these stay open until the tool has shown them once more.")


def _told(line: Line) -> str:
    """A line with what else is known of it, where that is not what the text says already."""
    beside = " ".join(f"{name}={value}" for name, value in line.facts.items() if str(value) not in line.text)
    return f"{line.text} {beside}".rstrip() if line.level == "debug" else line.text


def _settled(number: str, settled: int, sentence: str, *, json: bool) -> int:
    if json:
        print_json(Settled(operation=int(number), settled=settled))
    else:
        say(sentence)
    return DONE


def _type(row: OperationRow) -> str:
    return f"preview of {row.type}" if row.preview else row.type


def _status(row: OperationRow) -> str:
    return f"{row.status}, {row.held:,} held" if row.held else row.status


def _counts(row: OperationRow) -> str:
    from tidegate.rules.operation import in_words
    from tidegate.rules.preview import would

    if row.preview and row.status in ("success", "partial"):
        return would(row.type, row.counts)
    return in_words(row.counts) or row.why
