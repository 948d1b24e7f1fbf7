"""`tidegate test`: Tests, where the findings of a Connection lie in a Product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.answer import Deleted, DeletedThing
from tidegate.cli.house import actions, reads
from tidegate.cli.naming import confirmed, not_there, the_connection, the_product, the_test
from tidegate.cli.option import After, Confirm, ConnectionFilter, Json, Limit, ProductFilter, Search, group
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import facts, moment, note, print_json, say, table

if TYPE_CHECKING:
    from tidegate.reads.test import TestRow

app = group("See, rename and delete Tests, where findings lie.")

Named = Annotated[str, typer.Argument(metavar="TEST", help="Its number, or its name where only one has it.")]


@app.command("list")
def list_tests(
    product: ProductFilter = None,
    connection: ConnectionFilter = None,
    search: Search = "",
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
) -> None:
    """List the Tests, with what lies in each."""
    with ready(quiet=json):
        page = reads.test.tests(
            product_id=None if product is None else the_product(product).id,
            connection_id=None if connection is None else the_connection(connection).id,
            search=search,
            cursor=after,
            limit=limit,
        )
    if json:
        return print_json(page)
    rows = [
        (str(row.id), row.name, f"{row.product} › {row.engagement}", _writer(row), f"{row.findings.active:,}")
        for row in page.tests
    ]
    empty = "There is none yet. It is made when a Record is mapped: tidegate record map RECORD --new NAME"
    table(("#", "NAME", "PRODUCT › ENGAGEMENT", "CONNECTION", "ACTIVE#"), rows, empty=empty)
    if page.next:
        note(f"There are more: --after {page.next}")
    return None


@app.command("show")
def show_test(name: Named, product: ProductFilter = None, json: Json = False) -> None:
    """Show one Test: who writes into it, and how many findings lie there."""
    with ready(quiet=json):
        found = reads.test.test(the_test(name, product).id)
    _told(found, name, json=json)


@app.command("rename")
def rename_test(
    name: Named,
    to: Annotated[str, typer.Argument(metavar="NAME", help="Another name.")],
    product: ProductFilter = None,
    json: Json = False,
) -> None:
    """Give a Test another name. What flows into it flows on."""
    with ready(quiet=json):
        row = the_test(name, product)
        actions.test.rename_test(me(), row.id, to)
        found = reads.test.test(row.id)
    _told(found, name, json=json)


@app.command("delete")
def delete_test(name: Named, product: ProductFilter = None, confirm: Confirm = None, json: Json = False) -> None:
    """Delete a Test with its findings. Records that write to it become Stale. Asks for the name."""
    with ready(quiet=json):
        row = the_test(name, product)
        typed = confirmed(confirm, row.name, f"the Test {row.name} of {row.product}")
        stale = actions.test.delete_test(me(), row.id, typed)
    if json:
        return print_json(Deleted(deleted=DeletedThing(id=row.id, name=row.name)))
    return say(
        f"{row.name} of {row.product} is deleted, and its findings with it. {len(stale):,} Records that wrote to it are"
        " Stale now."
    )


def _told(found: TestRow | None, name: str, *, json: bool) -> None:
    if found is None:
        raise not_there("Test", name)
    if json:
        return print_json(found)
    say(f"{found.name} ({found.id})")
    return facts(
        [
            ("product", f"{found.product} › {found.engagement}"),
            ("connection", _writer(found)),
            ("active", f"{found.findings.active:,}"),
            ("inactive", f"{found.findings.inactive:,}"),
            ("made", moment(found.created_at)),
        ]
    )


def _writer(row: TestRow) -> str:
    return f"{row.connection or 'others'}{' (deleted)' if row.connection_deleted else ''}"
