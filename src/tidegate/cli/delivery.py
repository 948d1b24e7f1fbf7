"""`tidegate deliver`: what a Connection brought goes to a DefectDojo; compare, preview, repair."""

from __future__ import annotations

from typing import Annotated

import typer

from tidegate.cli.failure import usage
from tidegate.cli.house import actions, reads
from tidegate.cli.naming import the_connection, the_destination
from tidegate.cli.operation import asked_for, said_result, seen_through
from tidegate.cli.option import Json, Later, Preview, alone
from tidegate.cli.start import me, ready

app = alone()


@app.command("deliver")
def deliver(
    name: Annotated[str, typer.Argument(metavar="CONNECTION", help="Its label or its number.")],
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="DESTINATION", help="Its name or its number; not needed where there is one."),
    ] = None,
    preview: Preview = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Read all of it there, say what differs, and write nothing.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make equal what differs, and again what was deleted there.")
    ] = False,
    later: Later = False,
    json: Json = False,
) -> int:
    """Deliver what a Connection brought.

    What is new here is created there, what changed is changed, what closed is closed. What people there decided is read
    first, and decided here in their name. What was deleted there is not made again, unless you say --repair.
    """
    if sum((preview, compare, repair)) > 1:
        raise usage("Only one of these can be done.", "Say one of --preview, --compare and --repair.")
    with ready(quiet=json):
        connection, destination = the_connection(name).id, _destination(to)
        if preview:
            number = actions.delivery.request_delivery_preview(me(), connection, destination)
        elif repair:
            number = actions.delivery.request_repair(me(), connection, destination)
        else:
            mode = "reconcile" if compare else "deliver"
            number = actions.delivery.request_delivery(me(), connection, destination, mode=mode)
        return asked_for(number, json=json) if later else said_result(seen_through(number, quiet=json), json=json)


def _destination(to: str | None) -> int:
    if to is not None:
        return the_destination(to).id
    found = reads.destination.destinations().destinations
    if len(found) != 1:
        raise usage("There is not just one Destination.", "Say where to with --to: tidegate destination list")
    return found[0].id
