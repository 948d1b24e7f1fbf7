"""`tidegate suggestion`: what went Missing and came back under another id is put together again."""

from __future__ import annotations

from typing import Annotated

import typer

from tidegate.cli.answer import Decided, DismissedSuggestion, Item
from tidegate.cli.house import actions, reads
from tidegate.cli.naming import the_connection, the_record
from tidegate.cli.option import Json, group
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import print_json, say, table

app = group("See what looks like the same thing under a new id.")

Gone = Annotated[str, typer.Argument(metavar="MISSING", help="The Record that is Missing: its name or number.")]
New = Annotated[str, typer.Argument(metavar="NEW", help="The Record that appeared: its name or number.")]


@app.command("list")
def list_suggestions(
    name: Annotated[
        str | None, typer.Argument(metavar="[CONNECTION]", help="Only of this one: its label or its number.")
    ] = None,
    json: Json = False,
) -> None:
    """List Records that went Missing while another appeared that looks like them, with what speaks for it."""
    with ready(quiet=json):
        found = reads.suggestion.suggestions(None if name is None else the_connection(name).id)
    if json:
        return print_json(found)
    rows = [
        (f"{one.missing} ({one.missing_id})", f"{one.new} ({one.new_id})", one.product, " ".join(one.evidence))
        for one in found.suggestions
    ]
    table(("MISSING", "NEW", "PRODUCT", "WHAT SPEAKS FOR IT"), rows, empty="Nothing Missing looks like anything new.")
    return None


@app.command("accept")
def accept_suggestion(missing: Gone, new: New, json: Json = False) -> None:
    """Say that both are the same: the Missing Record goes on under the new id, with mapping, findings and history."""
    with ready(quiet=json):
        gone = the_record(missing)
        outcome = actions.suggestion.accept_suggestion(me(), gone.id, the_record(new).id)
    items = [Item(record_id=one.id, ok=one.ok, sentence=one.sentence) for one in outcome.items]
    if json:
        return print_json(Decided(step=str(outcome.step), items=items))
    for item in items:
        say(f"{gone.name}: {item.sentence}")
    say(f"Undo this with: tidegate record undo --step {outcome.step}")
    return None


@app.command("dismiss")
def dismiss_suggestion(
    missing: Gone,
    new: New,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back: suggest them again.")] = False,
    json: Json = False,
) -> None:
    """Say that they are not the same: they are not suggested any more."""
    with ready(quiet=json):
        gone, there = the_record(missing), the_record(new)
        (actions.suggestion.suggest_again if undo else actions.suggestion.dismiss_suggestion)(me(), gone.id, there.id)
    if json:
        return print_json(DismissedSuggestion(missing_id=gone.id, new_id=there.id, dismissed=not undo))
    say(f"{gone.name} and {there.name} {'may be suggested again' if undo else 'are not suggested any more'}.")
    return None
