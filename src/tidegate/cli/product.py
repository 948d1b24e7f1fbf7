"""`tidegate product`: what you build, and what was found in it."""

from __future__ import annotations

from typing import Annotated

import typer

from tidegate.cli.answer import Deleted, DeletedThing
from tidegate.cli.failure import DONE, usage
from tidegate.cli.house import actions, reads
from tidegate.cli.managed import managed, note_managed
from tidegate.cli.naming import confirmed, not_there, the_connection, the_product, the_product_type
from tidegate.cli.operation import code_of, detail_of, said_result, seen_through
from tidegate.cli.option import After, Confirm, ConnectionFilter, Json, Later, Limit, Search, group
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import facts, heading, moment, note, print_json, say, table

app = group("Look after your Products and see what was found in them.")

Named = Annotated[str, typer.Argument(metavar="PRODUCT", help="Its name or its number.")]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="TAG", help="A tag. Say it again for more; these are all it has.")
]


@app.command("list")
def list_products(
    connection: ConnectionFilter = None,
    product_type: Annotated[
        str, typer.Option("--product-type", metavar="NAME", help="Only of this Product Type.")
    ] = "",
    search: Search = "",
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
) -> None:
    """List the Products, with what was found in each."""
    with ready(quiet=json):
        connection_id = None if connection is None else the_connection(connection).id
        page = reads.product.products(
            search=search, product_type=product_type, connection_id=connection_id, cursor=after, limit=limit
        )
    if json:
        return print_json(page)
    rows = [
        (
            str(row.id),
            row.name,
            row.product_type,
            str(row.records),
            f"{row.findings.active:,}",
            f"{row.findings.inactive:,}",
        )
        for row in page.products
    ]
    empty = "There is no such Product yet. Map a Record to one: tidegate record map RECORD --new NAME"
    table(("#", "NAME", "TYPE", "RECORDS#", "ACTIVE#", "INACTIVE#"), rows, empty=empty)
    if page.next:
        note(f"There are more: --after {page.next}")
    return None


@app.command("show")
def show_product(name: Named, json: Json = False) -> None:
    """Show one Product: where its findings come from, and how bad they are."""
    with ready(quiet=json):
        found = reads.product.product(the_product(name).id)
    if found is None:
        raise not_there("Product", name)
    if json:
        return print_json(found)
    row = found.product
    by_severity = ", ".join(f"{number:,} {word}" for word, number in row.findings.by_severity.items())
    say(f"{row.name} ({row.id})")
    facts(
        [
            ("product type", row.product_type),
            ("made", f"{moment(row.created_at)} by {row.origin}"),
            ("tags", ", ".join(row.tags)),
            managed(row.managed_by),
            ("records", f"{row.records:,} mapped to it"),
            ("active", f"{row.findings.active:,}" + (f": {by_severity}" if by_severity else "")),
            ("inactive", f"{row.findings.inactive:,}"),
            (
                "unwatched",
                f"{row.findings.unwatched:,}: no Sync looks at them any more" if row.findings.unwatched else "",
            ),
        ]
    )
    heading("Where they come from")
    rows = [
        (
            f"{one.engagement} › {one.name}",
            f"{one.connection or 'others'}{' (deleted)' if one.connection_deleted else ''}",
            f"{one.findings.active:,}",
            f"{one.findings.inactive:,}",
        )
        for one in found.tests
    ]
    return table(("ENGAGEMENT › TEST", "CONNECTION", "ACTIVE#", "INACTIVE#"), rows, empty="Nothing flows into it.")


@app.command("add")
def add_product(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call it.")],
    product_type: Annotated[
        str | None, typer.Option("--product-type", metavar="NAME", help="Its Product Type. Without it: Imported.")
    ] = None,
    tag: Tags = None,
    json: Json = False,
) -> None:
    """Add a Product, before anything flows into it."""
    with ready(quiet=json):
        within = None if product_type is None else the_product_type(product_type).id
        number = actions.product.add_product(me(), name, product_type_id=within, tags=tag or [])
        found = reads.product.product(number)
    if found is None:
        raise not_there("Product", name)
    if json:
        return print_json(found)
    say(f"{found.product.name} ({number}) is there, in {found.product.product_type}.")
    return _warn(found.near_twins)


@app.command("edit")
def edit_product(
    name: Named,
    rename: Annotated[str | None, typer.Option("--name", "-n", metavar="NAME", help="Another name.")] = None,
    product_type: Annotated[
        str | None, typer.Option("--product-type", metavar="NAME", help="Move it to this Product Type.")
    ] = None,
    tag: Tags = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Take all tags away.")] = False,
    json: Json = False,
) -> None:
    """Rename a Product, move it to another Product Type, or tag it. What flows into it flows on."""
    if tag and no_tags:
        raise usage("--tag and --no-tags contradict each other.", "Give one of the two.")
    if rename is None and product_type is None and not tag and not no_tags:
        raise usage("Nothing was said.", "See what can be changed: tidegate product edit --help")
    with ready(quiet=json):
        row = the_product(name)
        actions.product.edit_product(
            me(),
            row.id,
            name=rename,
            product_type_id=None if product_type is None else the_product_type(product_type).id,
            tags=[] if no_tags else tag or None,
        )
        found = reads.product.product(row.id)
    if found is None:
        raise not_there("Product", name)
    if json:
        return print_json(found)
    tags = f", tagged {', '.join(found.product.tags)}" if found.product.tags else ""
    say(f"{found.product.name} ({row.id}) is in {found.product.product_type}{tags}.")
    note_managed("It", row.managed_by)
    return _warn(found.near_twins if rename is not None else [])


@app.command("sync")
def sync_product(name: Named, later: Later = False, json: Json = False) -> int:
    """Bring the findings of every Record that flows into a Product."""
    with ready(quiet=json):
        numbers = actions.operation.request_sync_of_product(me(), the_product(name).id)
        if not later:
            found = [seen_through(number, quiet=json) for number in numbers]
        else:
            found = [detail_of(number) for number in numbers]
    if json:
        print_json(reads.operation.SyncedProduct(operations=found))
    elif later:
        asked = ", ".join(str(number) for number in numbers)
        say(f"Asked for: Operation {asked}. Watch them: tidegate operation list --status running")
    else:
        for one in found:
            said_result(one, json=False)
    return DONE if later else max(map(code_of, found))


@app.command("delete")
def delete_product(name: Named, confirm: Confirm = None, json: Json = False) -> None:
    """Delete a Product with everything in it. Records mapped to it become Stale. Asks for the name."""
    with ready(quiet=json):
        row = the_product(name)
        typed = confirmed(confirm, row.name, f"the Product {row.name}")
        stale = actions.product.delete_product(me(), row.id, typed)
    if json:
        return print_json(Deleted(deleted=DeletedThing(id=row.id, name=row.name)))
    say(f"{row.name} is deleted, and its findings with it. {len(stale):,} Records that wrote to it are Stale now.")
    return note_managed("It", row.managed_by)


def _warn(near_twins: list[str]) -> None:
    if near_twins:
        note(f"Mind that there is also «{near_twins[0]}».")
