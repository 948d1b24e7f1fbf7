"""`tidegate record`: say which Product each thing a tool watches belongs to."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID

import typer

from tidegate.cli.answer import Decided, Item
from tidegate.cli.bulk import check_which, code_of_many, foretold, looked_at, told
from tidegate.cli.failure import DONE, FAILED, PARTIAL, usage
from tidegate.cli.house import actions, reads
from tidegate.cli.managed import managed, note_managed
from tidegate.cli.naming import not_there, the_connection, the_product, the_record, the_records
from tidegate.cli.option import (
    After,
    ConnectionFilter,
    Json,
    Later,
    Limit,
    Preview,
    ProductFilter,
    Search,
    StateWord,
    group,
)
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import facts, heading, moment, note, plain, print_json, say, table

if TYPE_CHECKING:
    from tidegate.reads.record import RecordDetail, RecordRow

SYNC: Final = "sync"

app = group("Say which Product each thing a tool watches belongs to.")

Named = Annotated[list[str], typer.Argument(metavar="RECORD", help="Names or numbers.")]
Names = Annotated[list[str] | None, typer.Argument(metavar="[RECORD]", help="Names or numbers; none with --all.")]
Within = Annotated[
    str | None,
    typer.Option("--connection", "-c", metavar="LABEL", help="Look for the names in this Connection alone."),
]
All = Annotated[
    bool,
    typer.Option("--all", help="All that is found by the options beside it (all there are, without any), in one step."),
]
OfState = Annotated[StateWord | None, typer.Option("--state", case_sensitive=False, help="Only in this state.")]
InProduct = Annotated[
    str | None, typer.Option("--in-product", metavar="NAME", help="Only what flows into this Product: name or number.")
]
Gone = Annotated[
    bool | None, typer.Option("--gone/--there", help="Only those that are no longer, or still, in the tool.")
]
SeenSince = Annotated[
    datetime | None, typer.Option("--since", metavar="TIME", help="Only what was first found from then on, in UTC.")
]
SeenUntil = Annotated[
    datetime | None, typer.Option("--until", metavar="TIME", help="Only what was first found before then, in UTC.")
]
Expected = Annotated[
    str | None,
    typer.Option(
        "--expected",
        metavar="TOKEN",
        help="With --all: what you expect, as --preview says it, or how many. Where there are others nothing is done.",
    ),
]


class Imported(StrEnum):
    """What becomes of findings imported before a remap."""

    leave = "leave"
    move = "move"
    close = "close"


@app.command("list")
def list_records(
    connection: ConnectionFilter = None,
    state: OfState = None,
    product: ProductFilter = None,
    gone: Gone = None,
    search: Search = "",
    since: SeenSince = None,
    until: SeenUntil = None,
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
) -> None:
    """List the Records: what each tool watches, and where it flows."""
    with ready(quiet=json):
        page = reads.record.records(
            **_matching(connection, state, product, search, gone, since, until),
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
    names: Names = None,
    product: Annotated[
        str | None, typer.Option("--product", "-p", metavar="NAME", help="An existing Product: its name or number.")
    ] = None,
    new: Annotated[str | None, typer.Option("--new", "-n", metavar="NAME", help="A new Product of this name.")] = None,
    each: Annotated[
        bool, typer.Option("--each", help="Each to the Product of its own name, which is made where it is not there.")
    ] = False,
    join: Annotated[
        bool, typer.Option("--join/--no-join", help="With --each: into a Product that has the name already, or not.")
    ] = True,
    product_type: Annotated[
        str | None, typer.Option("--product-type", metavar="NAME", help="The Product Type of a new Product.")
    ] = None,
    already_imported: Annotated[
        Imported, typer.Option("--already-imported", help="On a remap, what becomes of the findings imported so far.")
    ] = Imported.leave,
    connection: Within = None,
    all: All = False,
    state: OfState = None,
    in_product: InProduct = None,
    search: Search = "",
    gone: Gone = None,
    since: SeenSince = None,
    until: SeenUntil = None,
    expected: Expected = None,
    preview: Preview = False,
    later: Later = False,
    json: Json = False,
) -> int:
    """Map Records to a Product, existing or new, or each to its own. From then on their findings flow into it.

    Many findings that move or close do so step by step, in an Operation that this waits for.
    """

    if (product is not None) + (new is not None) + each != 1:
        raise usage("To which Product?", "Say --product for one that is there, --new for a new one, or --each.")
    if product_type is not None and product is not None:
        raise usage(
            "Only a new Product gets a Product Type.", "Leave --product-type out, or say --new for a new Product."
        )
    filters = (connection, state, in_product, search, gone, since, until)
    check_which(names, all, filters[1:], expected, "Records")
    with ready(quiet=json):
        if all or each or preview:
            said = {
                "product_id": None if product is None else the_product(product).id,
                "new_product": new,
                "product_type": product_type,
                "join": join,
                "already_imported": already_imported.value,
            }
            which = _chosen(names, all, filters)
            deed = "map each" if each else "map"
            return _in_bulk(deed, which, said, expected, preview=preview, later=later, json=json)
        rows = the_records(names or [], connection)
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
    names: Names = None,
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why, for whoever wonders later.")] = "",
    connection: Within = None,
    all: All = False,
    state: OfState = None,
    in_product: InProduct = None,
    search: Search = "",
    gone: Gone = None,
    since: SeenSince = None,
    until: SeenUntil = None,
    expected: Expected = None,
    preview: Preview = False,
    json: Json = False,
) -> int:
    """Ignore Records: nothing flows from them. What was imported stays, and the earlier mapping is remembered."""
    filters = (connection, state, in_product, search, gone, since, until)
    check_which(names, all, filters[1:], expected, "Records")
    with ready(quiet=json):
        if all or preview:
            which = _chosen(names, all, filters)
            return _in_bulk("ignore", which, {"because": because}, expected, preview=preview, json=json)
        rows = the_records(names or [], connection)
        return _answer(
            actions.record.ignore_records(me(), [row.id for row in rows], because, epochs=_seen(rows)), rows, json=json
        )


@app.command("restore")
def restore_records(
    names: Names = None,
    to_earlier: Annotated[
        bool, typer.Option("--to-earlier", help="Straight back to the Product it was mapped to.")
    ] = False,
    connection: Within = None,
    all: All = False,
    state: OfState = None,
    in_product: InProduct = None,
    search: Search = "",
    gone: Gone = None,
    since: SeenSince = None,
    until: SeenUntil = None,
    expected: Expected = None,
    preview: Preview = False,
    json: Json = False,
) -> int:
    """Take Records back from Ignored: they are New again, or mapped as they were before."""
    filters = (connection, state, in_product, search, gone, since, until)
    check_which(names, all, filters[1:], expected, "Records")
    with ready(quiet=json):
        if all or preview:
            deed = "restore to earlier" if to_earlier else "restore"
            return _in_bulk(deed, _chosen(names, all, filters), {}, expected, preview=preview, json=json)
        rows = the_records(names or [], connection)
        return _answer(
            actions.record.restore_records(me(), [row.id for row in rows], to_earlier=to_earlier, epochs=_seen(rows)),
            rows,
            json=json,
        )


@app.command("delete")
def delete_records(
    names: Names = None,
    connection: Within = None,
    all: All = False,
    state: OfState = None,
    in_product: InProduct = None,
    search: Search = "",
    gone: Gone = None,
    since: SeenSince = None,
    until: SeenUntil = None,
    expected: Expected = None,
    preview: Preview = False,
    json: Json = False,
) -> int:
    """Delete Records. Imported findings stay; if the thing still exists, Discover brings it back as New."""
    filters = (connection, state, in_product, search, gone, since, until)
    check_which(names, all, filters[1:], expected, "Records")
    with ready(quiet=json):
        if all or preview:
            return _in_bulk("delete", _chosen(names, all, filters), {}, expected, preview=preview, json=json)
        rows = the_records(names or [], connection)
        return _answer(
            actions.record.delete_records(me(), [row.id for row in rows], epochs=_seen(rows)), rows, json=json
        )


@app.command("sync")
def sync_records(
    names: Names = None,
    connection: Within = None,
    all: All = False,
    state: OfState = None,
    in_product: InProduct = None,
    search: Search = "",
    gone: Gone = None,
    since: SeenSince = None,
    until: SeenUntil = None,
    expected: Expected = None,
    preview: Preview = False,
    later: Later = False,
    json: Json = False,
) -> int:
    """Bring the findings of Records of any Connections, one Operation a Connection; what is not Good is left alone.

    The preview says which would be synced. What a Sync would do to findings: tidegate sync --preview
    """
    filters = (connection, state, in_product, search, gone, since, until)
    check_which(names, all, filters[1:], expected, "Records")
    with ready(quiet=json):
        return _in_bulk(SYNC, _chosen(names, all, filters), {}, expected, preview=preview, later=later, json=json)


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


def _matching(
    connection: str | None,
    state: StateWord | None,
    product: str | None,
    search: str,
    gone: bool | None,
    since: datetime | None,
    until: datetime | None,
) -> dict[str, Any]:
    """What these options ask for, in the words of the reads; what none of them says is not in it."""
    wanted = {
        "connection_id": None if connection is None else the_connection(connection).id,
        "state": state and state.value,
        "product_id": None if product is None else the_product(product).id,
        "search": search or None,
        "gone": gone,
        "seen_since": _utc(since),
        "seen_until": _utc(until),
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=at.tzinfo or UTC)


def _chosen(names: list[str] | None, all: bool, filters: Any) -> dict[str, Any]:
    """The Records that are meant, as the actions take them."""
    if all:
        return {"matching": _matching(*filters)}
    return {"record_ids": [row.id for row in the_records(names or [], filters[0])]}


def _in_bulk(
    deed: Any,
    which: dict[str, Any],
    said: dict[str, Any],
    expected: str | None,
    *,
    preview: bool,
    later: bool = False,
    json: bool,
) -> int:
    """Looks at a preview, or does it: what a filter finds only as it was expected, or as somebody looked at it."""
    asked = {name: value for name, value in said.items() if name != "already_imported"}
    if preview or ("matching" in which and expected is None):
        found = actions.bulk.preview_records(me(), deed, **which, **asked)
        if preview and json:
            print_json(found)
            return DONE
        if preview:
            foretold(found, "Records")
            say(f"Nothing was changed. Do it with: --expected {found.expected}")
            return DONE
        expected = looked_at(found, "Records", json=json)
    if deed == SYNC:
        done = actions.bulk.sync_records(me(), **which, expected=expected or "")
    else:
        done = actions.bulk.decide_records(me(), deed, **which, expected=expected or "", **said)
    if not json:
        told(done)
    ends = [_followed(number, later=later, json=json) for number in done.operations]
    if json:
        print_json(done)
    elif done.step:
        say(f"Undo this with: tidegate record undo --step {done.step}")
    failed = [end for end in ends if end != DONE]
    return failed[0] if failed else code_of_many(done)


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
