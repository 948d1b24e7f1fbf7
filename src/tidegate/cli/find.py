"""`tidegate find`: whatever it is, by words of its name or its number."""

from __future__ import annotations

from typing import Annotated

import typer

from tidegate.cli.house import reads
from tidegate.cli.option import Json, alone
from tidegate.cli.start import ready
from tidegate.cli.terminal import note, print_json, table

app = alone()


@app.command("find")
def find(
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="Words of its name, or its number.")],
    json: Json = False,
) -> None:
    """Find anything by words of its name, or by its number.

    Looks among Products, Connections, Operations, Records and findings, and shows the first of each.
    """
    with ready(quiet=json):
        found = reads.find.anything(" ".join(words))
    if json:
        return print_json(found)
    rows = [(one.kind, str(one.id), one.name, one.beside) for one in found.hits]
    table(("WHAT", "#", "NAME", "WHERE"), rows, empty="Nothing has these words.")
    if found.not_searchable:
        note(f"{found.not_searchable:,} findings came just now and can be found in some seconds.")
    return None
