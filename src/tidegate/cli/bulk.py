"""What commands about many things at once say: before, where somebody has to look at it, and afterwards."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from tidegate.cli.failure import DONE, FAILED, PARTIAL, usage
from tidegate.cli.terminal import note, say, table

if TYPE_CHECKING:
    from tidegate.actions.step import BulkDone, BulkPreview, Share

REFUSALS = 20
"""So many that were left alone are named."""


def check_which(
    given: Sequence[str] | None, all: bool, filters: Sequence[object], expected: str | None, what: str
) -> None:
    """Raises Failure where it is not clear which are meant: some that are named, or all that a filter finds."""
    if bool(given) == all:
        raise usage(f"Which {what}?", "Say which, or --all; not both.")
    if not all and (expected is not None or any(value not in (None, "") for value in filters)):
        raise usage(f"Options that find {what} need --all.", "Add --all, or leave these options out.")


def foretold(found: BulkPreview, what: str) -> None:
    """What would happen, group by group."""
    say(f"{found.number:,} {what} are meant; {found.changes:,} of them would change.")
    _table_of(found.shares)
    if found.new_products:
        say(f"{found.new_products:,} new Products would be made.")
    if found.imported:
        say(f"{found.imported:,} findings were imported where some flow now: see --already-imported.")
    if found.managed:
        say(
            f"{found.managed:,} of those that would change are managed by a configuration file:"
            " its next apply sets back what differs from it."
        )


def looked_at(found: BulkPreview, what: str, *, json: bool) -> str:
    """What is expected from now on, as somebody saw it and said yes to. Raises Failure where nobody is there."""
    if json or not sys.stdin.isatty():
        raise usage(
            f"These are {found.number:,} {what}, and nobody is there to say that they are meant.",
            f"Look with --preview, then add: --expected {found.expected}",
        )
    foretold(found, what)
    typer.confirm("Do it?", abort=True, err=True)
    return found.expected


def told(done: BulkDone) -> None:
    """What happened, group by group, and the first that were left alone."""
    say(f"{done.changed:,} of {done.number:,} are changed.")
    _table_of(done.shares)
    for one in done.refusals[:REFUSALS]:
        note(f"{one.name} ({one.id}): {one.sentence}")
    if done.refused > REFUSALS:
        note(f"And {done.refused - REFUSALS:,} more were left alone.")


def code_of_many(done: BulkDone) -> int:
    """0 where nothing was left alone, 3 where some were, 1 where all were."""
    return DONE if not done.refused else FAILED if done.refused == done.number else PARTIAL


def _table_of(shares: Sequence[Share]) -> None:
    rows = [(f"{one.number:,}", one.sentence, ", ".join(one.examples)) for one in shares]
    table(("NUMBER#", "WHAT BECOMES OF THEM", "FOR EXAMPLE"), rows, empty="")
