"""`tidegate record`: say which Product each thing a tool watches belongs to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from tidegate.cli.answer import Decided, Item
from tidegate.cli.failure import DONE, FAILED, PARTIAL, usage
from tidegate.cli.house import actions, reads
from tidegate.cli.managed import managed, note_managed
from tidegate.cli.naming import not_there, the_connection, the_product, the_record, the_records
from tidegate.cli.option import After, ConnectionFilter, Json, Later, Limit, ProductFilter, Search, StateWord, group
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import facts, heading, moment, note, plain, print_json, say, table

if TYPE_CHECKING:
    from tidegate.reads.record import RecordDetail, RecordRow

app = group("Say which Product each thing a tool watches belongs to.")

Named = Annotated[list[str], typer.Argument(metavar="RECORD", help="Names or numbers.")]
Within = Annotated[
    str | None,
    typer.Option("--connection", "-c", metavar="LABEL", help="Look for the names in this Connection alone."),
]


class Imported(StrEnum):
    """What becomes of findings imported before a remap."""

    leave = "leave"
    move = "move"
    close = "close"


@app.command("list")
def list_records(
    connection: ConnectionFilter = None,
    state: Annotated[
        StateWord | None, typer.Option("--state", case_sensitive=False, help="Only in this state.")
    ] = None,
    product: ProductFilter = None,
    gone: Annotated[
        bool | None, typer.Option("--gone/--there", help="Only those that are no longer, or still, in the tool.")
    ] = None,
    search: Search = "",
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
) -> None:
    """List the Records: what each tool watches, and where it flows."""
    with ready(quiet=json):
        page = reads.record.records(
            connection_id=None if connection is None else the_connection(connection).id,
            state=state.value if state else None,  # pyright: ignore[reportArgumentType] - the same words
            product_id=None if product is None else the_product(product).id,
            search=search,
            gone=gone,
            cursor=after,
            limit=limit,
        )
    if json:
        return print_json(page)
    rows = [
        (str(row.id), row.name, row.connection, _state(row), row.product or "", f"{row.findings.active:,}")
        for row in page.records
    ]
    empty = "There is no such Record yet. Ask a tool what it watches: tidegate discover CONNECTION"
    table(("#", "NAME", "CONNECTION", "STATE", "PRODUCT", "ACTIVE#"), rows, empty=empty)
    if page.next:
        note(f"There are more: --after {page.next}")
    return None


@app.command("show")
def show_record(
    name: Annotated[str, typer.Argument(metavar="RECORD", help="Its name or number.")],
    connection: Within = None,
    json: Json = False,
) -> None:
    """Show one Record: its state and why, what was read of it, and everything that happened to it."""
    with ready(quiet=json):
        within = None if connection is None else the_connection(connection).id
        found = reads.record.record(the_record(name, within).id)
    if found is None:
        raise not_there("Record", name)
    if json:
        print_json(found)
    else:
        _show(found)


@app.command("map")
def map_records(
    names: Named,
    product: Annotated[
        str | None, typer.Option("--product", "-p", metavar="NAME", help="An existing Product: its name or number.")
    ] = None,
    new: Annotated[str | None, typer.Option("--new", "-n", metavar="NAME", help="A new Product of this name.")] = None,
    product_type: Annotated[
        str | None, typer.Option("--product-type", metavar="NAME", help="The Product Type of a new Product.")
    ] = None,
    already_imported: Annotated[
        Imported, typer.Option("--already-imported", help="On a remap, what becomes of the findings imported so far.")
    ] = Imported.leave,
    connection: Within = None,
    later: Later = False,
    json: Json = False,
) -> int:
    """Map Records to a Product, existing or new. From then on their findings flow into it.

    Many findings that move or close do so step by step, in an Operation that this waits for.
    """

    if (product is None) == (new is None):
        raise usage("To which Product?", "Say --product for one that is there, or --new for a new one; not both.")
    if product_type is not None and new is None:
        raise usage(
            "Only a new Product gets a Product Type.", "Leave --product-type out, or say --new for a new Product."
        )
    with ready(quiet=json):
        rows = the_records(names, connection)
        outcome = actions.record.map_records(
            me(),
            [row.id for row in rows],
            product_id=None if product is None else the_product(product).id,
            new_product=new,
            product_type=product_type,
            already_imported=already_imported.value,
            epochs=_seen(rows),
        )
        return _answer(outcome, rows, later=later, json=json)


@app.command("ignore")
def ignore_records(
    names: Named,
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why, for whoever wonders later.")] = "",
    connection: Within = None,
    json: Json = False,
) -> int:
    """Ignore Records: nothing flows from them. What was imported stays, and the earlier mapping is remembered."""
    with ready(quiet=json):
        rows = the_records(names, connection)
        return _answer(
            actions.record.ignore_records(me(), [row.id for row in rows], because, epochs=_seen(rows)), rows, json=json
        )


@app.command("restore")
def restore_records(
    names: Named,
    to_earlier: Annotated[
        bool, typer.Option("--to-earlier", help="Straight back to the Product it was mapped to.")
    ] = False,
    connection: Within = None,
    json: Json = False,
) -> int:
    """Take Records back from Ignored: they are New again, or mapped as they were before."""
    with ready(quiet=json):
        rows = the_records(names, connection)
        return _answer(
            actions.record.restore_records(me(), [row.id for row in rows], to_earlier=to_earlier, epochs=_seen(rows)),
            rows,
            json=json,
        )


@app.command("delete")
def delete_records(names: Named, connection: Within = None, json: Json = False) -> int:
    """Delete Records. Imported findings stay; if the thing still exists, Discover brings it back as New."""
    with ready(quiet=json):
        rows = the_records(names, connection)
        return _answer(
            actions.record.delete_records(me(), [row.id for row in rows], epochs=_seen(rows)), rows, json=json
        )


@app.command("undo")
def undo(
    name: Annotated[
        str | None, typer.Argument(metavar="RECORD", help="The Record whose last decision is undone.")
    ] = None,
    step: Annotated[
        UUID | None, typer.Option("--step", metavar="STEP", help="A whole step: what a command printed as its step.")
    ] = None,
    connection: Within = None,
    later: Later = False,
    json: Json = False,
) -> int:
    """Undo a decision, for one Record or for all of a step, until a Sync wrote under it or it was decided again."""

    if (name is None) == (step is None):
        raise usage("Undo what?", "Name a Record, or a whole step with --step; not both.")
    with ready(quiet=json):
        rows = [] if name is None else the_records([name], connection)
        outcome = actions.record.undo(me(), step=step, record_id=rows[0].id if rows else None)
        return _answer(outcome, rows, later=later, json=json)


def _answer(outcome: Any, before: list[RecordRow], *, later: bool = False, json: bool) -> int:
    """What became of each Record, and the step by which all of it is undone. Partly done is 3, not at all is 1; what an
    Operation does is waited for, unless it may come later."""
    names = {row.id: row.name for row in before}
    items = [Item(record_id=one.id, ok=one.ok, sentence=one.sentence) for one in outcome.items]
    step = str(outcome.step) if outcome.step and any(item.ok for item in items) else None
    if not json:
        for item in items:
            name = names.get(item.record_id, f"Record {item.record_id}")
            (say if item.ok else note)(f"{name}: {item.sentence}")
        changed = {item.record_id for item in items if item.ok}
        for row in before:
            note_managed(f"The mapping of {row.name}", row.managed_by if row.id in changed else None)
    ends = [_followed(number, later=later, json=json) for number in outcome.operations]
    if json:
        print_json(Decided(step=step, items=items, operations=list(outcome.operations)))
    elif step:
        say(f"Undo this with: tidegate record undo --step {step}")
    done = [item.ok for item in items]
    ends = [end for end in ends if end != DONE]
    return ends[0] if ends else DONE if all(done) else PARTIAL if any(done) else FAILED


def _followed(number: int, *, later: bool, json: bool) -> int:
    """Waits for a change, with its bar; or says who will do it."""
    from tidegate.cli.operation import asked_for, code_of, said_result, seen_through

    if later:
        return DONE if json else asked_for(number, json=False)
    found = seen_through(number, quiet=json)
    return code_of(found) if json else said_result(found, json=False)


def _seen(rows: list[RecordRow]) -> dict[int, int]:
    """What was seen when the names were looked up: a Record that somebody else decides meanwhile is left to them."""
    return {row.id: row.epoch for row in rows}


def _state(row: RecordRow) -> str:
    return f"{row.state}, {row.badge}" if row.badge else row.state


def _show(found: RecordDetail) -> None:
    from tidegate.rules.record import in_words

    row = found.record
    say(f"{row.name} ({row.id}) in {row.connection}: {in_words(row.state, row.why)}")
    if row.badge:
        say(f"{row.badge}: {row.badge_why}")
    facts(
        [
            ("product", row.product or ""),
            ("earlier", row.earlier_product or ""),
            ("findings", f"{row.findings.active:,} active, {row.findings.inactive:,} inactive"),
            ("unwatched", f"{row.findings.unwatched:,}" if row.findings.unwatched else ""),
            ("in the tool", f"{row.parent} › {row.vendor_id}" if row.parent else row.vendor_id),
            ("link", row.url or ""),
            *((name, plain(value)) for name, value in found.attributes.items()),
            ("first seen", moment(found.first_seen_at)),
            ("decided", f"{moment(found.finalized_at)} by {found.finalized_by}" if found.finalized_at else ""),
            managed(row.managed_by),
        ]
    )
    if found.families:
        heading("What was read")
        rows = [
            (f"{one.family} {one.branch}".strip(), one.outcome, moment(one.proven_at), one.why or one.equation)
            for one in found.families
        ]
        table(("FAMILY", "LAST TRY", "PROVEN", "WHY, OR WHERE EACH ROW WENT"), rows, empty="")
    heading("What happened")
    rows = [
        (moment(one.at), one.what, f"{one.actor}, Operation {one.operation}" if one.operation else one.actor)
        for one in found.history
    ]
    table(("WHEN", "WHAT", "WHO"), rows, empty="Nothing since it was found.")
