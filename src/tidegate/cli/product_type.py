"""`tidegate product-type`: what Products are sorted into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.answer import Deleted, DeletedThing
from tidegate.cli.house import actions, reads
from tidegate.cli.managed import note_managed
from tidegate.cli.naming import confirmed, not_there, the_product_type
from tidegate.cli.option import After, Confirm, Json, Limit, Search, group
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import moment, note, print_json, say, table

if TYPE_CHECKING:
    from tidegate.reads.product_type import ProductTypeDetail

app = group("Sort Products into Product Types.")

Named = Annotated[str, typer.Argument(metavar="TYPE", help="Its name or its number.")]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="What you call it.")]


@app.command("list")
def list_product_types(search: Search = "", limit: Limit = 50, after: After = None, json: Json = False) -> None:
    """List the Product Types, with how many Products are in each."""
    with ready(quiet=json):
        page = reads.product_type.product_types(search=search, cursor=after, limit=limit)
    if json:
        return print_json(page)
    rows = [(str(row.id), row.name, f"{row.products:,}") for row in page.product_types]
    table(("#", "NAME", "PRODUCTS#"), rows, empty="There is none yet. Add one: tidegate product-type add NAME")
    if page.next:
        note(f"There are more: --after {page.next}")
    return None


@app.command("show")
def show_product_type(name: Named, json: Json = False) -> None:
    """Show one Product Type."""
    with ready(quiet=json):
        found = reads.product_type.product_type(the_product_type(name).id)
    if found is None:
        raise not_there("Product Type", name)
    if json:
        return print_json(found)
    row = found.product_type
    by = f" It is managed by {row.managed_by}; change it there." if row.managed_by else ""
    return say(f"{row.name} ({row.id}) holds {row.products:,} Products; made {moment(row.created_at)}.{by}")


@app.command("add")
def add_product_type(name: NewName, json: Json = False) -> None:
    """Add a Product Type."""
    with ready(quiet=json):
        number = actions.product_type.add_product_type(me(), name)
        found = reads.product_type.product_type(number)
    _told(found, name, json=json)


@app.command("rename")
def rename_product_type(name: Named, to: NewName, json: Json = False) -> None:
    """Give a Product Type another name; mapping rules that say the old one follow."""
    with ready(quiet=json):
        row = the_product_type(name)
        actions.product_type.rename_product_type(me(), row.id, to)
        found = reads.product_type.product_type(row.id)
    _told(found, name, json=json)
    if not json:
        note_managed("It", row.managed_by)


@app.command("delete")
def delete_product_type(name: Named, confirm: Confirm = None, json: Json = False) -> None:
    """Delete an empty Product Type, with the roles that were given for it. Asks for the name."""
    with ready(quiet=json):
        row = the_product_type(name)
        typed = confirmed(confirm, row.name, f"the Product Type {row.name}")
        actions.product_type.delete_product_type(me(), row.id, typed)
    if json:
        return print_json(Deleted(deleted=DeletedThing(id=row.id, name=row.name)))
    say(f"{row.name} is deleted.")
    return note_managed("It", row.managed_by)


def _told(found: ProductTypeDetail | None, name: str, *, json: bool) -> None:
    if found is None:
        raise not_there("Product Type", name)
    if json:
        return print_json(found)
    say(f"{found.product_type.name} ({found.product_type.id}) is there.")
    if found.near_twins:
        note(f"Mind that there is also «{found.near_twins[0]}».")
    return None
