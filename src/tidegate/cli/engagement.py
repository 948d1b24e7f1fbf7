"""`tidegate engagement`: Engagements of Products, ours and those of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.answer import Deleted, DeletedThing
from tidegate.cli.house import actions, reads
from tidegate.cli.naming import confirmed, not_there, the_engagement, the_product
from tidegate.cli.option import After, Confirm, Json, Limit, ProductFilter, Search, group
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import heading, note, print_json, say, table

if TYPE_CHECKING:
    from tidegate.reads.engagement import EngagementDetail

app = group("See, rename and delete Engagements of Products.")

Named = Annotated[str, typer.Argument(metavar="ENGAGEMENT", help="Its number, or its name where only one has it.")]


@app.command("list")
def list_engagements(
    product: ProductFilter = None, search: Search = "", limit: Limit = 50, after: After = None, json: Json = False
) -> None:
    """List the Engagements; Tidegate writes into those that are marked."""
    with ready(quiet=json):
        product_id = None if product is None else the_product(product).id
        page = reads.engagement.engagements(product_id=product_id, search=search, cursor=after, limit=limit)
    if json:
        return print_json(page)
    rows = [
        (str(row.id), row.name, row.product, "Tidegate" if row.ours else "others", f"{row.tests:,}")
        for row in page.engagements
    ]
    empty = "There is none yet. It is made when a Record is mapped: tidegate record map RECORD --new NAME"
    table(("#", "NAME", "PRODUCT", "WRITTEN BY", "TESTS#"), rows, empty=empty)
    if page.next:
        note(f"There are more: --after {page.next}")
    return None


@app.command("show")
def show_engagement(name: Named, product: ProductFilter = None, json: Json = False) -> None:
    """Show one Engagement with its Tests."""
    with ready(quiet=json):
        found = reads.engagement.engagement(the_engagement(name, product).id)
    _told(found, name, json=json)


@app.command("rename")
def rename_engagement(
    name: Named,
    to: Annotated[str, typer.Argument(metavar="NAME", help="Another name.")],
    product: ProductFilter = None,
    json: Json = False,
) -> None:
    """Give an Engagement another name. Tidegate knows its own by a mark, so they may be renamed too."""
    with ready(quiet=json):
        row = the_engagement(name, product)
        actions.engagement.rename_engagement(me(), row.id, to)
        found = reads.engagement.engagement(row.id)
    _told(found, name, json=json)


@app.command("delete")
def delete_engagement(name: Named, product: ProductFilter = None, confirm: Confirm = None, json: Json = False) -> None:
    """Delete an Engagement with everything in it. Records that write to it become Stale. Asks for the name."""
    with ready(quiet=json):
        row = the_engagement(name, product)
        typed = confirmed(confirm, row.name, f"the Engagement {row.name} of {row.product}")
        stale = actions.engagement.delete_engagement(me(), row.id, typed)
    if json:
        return print_json(Deleted(deleted=DeletedThing(id=row.id, name=row.name)))
    return say(
        f"{row.name} of {row.product} is deleted, and its findings with it. {len(stale):,} Records that wrote to it are"
        " Stale now."
    )


def _told(found: EngagementDetail | None, name: str, *, json: bool) -> None:
    if found is None:
        raise not_there("Engagement", name)
    if json:
        return print_json(found)
    row = found.engagement
    say(f"{row.name} ({row.id}) of {row.product}; {'Tidegate writes' if row.ours else 'others write'} into it.")
    heading("Its Tests")
    rows = [
        (str(one.id), one.name, one.connection or "others", f"{one.findings.active:,}", f"{one.findings.inactive:,}")
        for one in found.tests
    ]
    return table(("#", "TEST", "CONNECTION", "ACTIVE#", "INACTIVE#"), rows, empty="There is none in it.")
