"""`tidegate retention`: what is kept how long and what for ever, how much there is, and what goes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.option import Json, alone
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import heading, note, print_json, progressing, table

if TYPE_CHECKING:
    from tidegate.config import Settings
    from tidegate.reads.retention import Retained

app = alone()


@app.command("retention")
def retention(
    now: Annotated[
        bool, typer.Option("--now", help="Let all that is older go at once; else the scheduler does it hour by hour.")
    ] = False,
    json: Json = False,
) -> None:
    """See what is kept how long, and let old things go.

    What says why a finding is closed is kept for ever, whatever the days say. The numbers are estimates.
    """
    with ready(quiet=json) as settings:
        from tidegate.reads.retention import retained

        went = _forget(settings, quiet=json) if now else None
        found = retained(settings=settings, went=went)
    if json:
        print_json(found)
    else:
        _show(found)


def _forget(settings: Settings, *, quiet: bool) -> dict[str, int]:
    from tidegate.actions.retention import forget_now
    from tidegate.rules.retention import KEPT

    with progressing(quiet=quiet) as progress:
        return forget_now(me(), settings, lambda name, number: progress(f"Forgetting {KEPT[name].what}", number, None))


def _show(found: Retained) -> None:
    rows = [
        (
            row.what,
            f"{row.days:,} {'day' if row.days == 1 else 'days'}",
            "" if row.rows is None else f"{row.rows:,}",
            "" if row.bytes is None else _size(row.bytes),
            f"{row.old:,}",
            row.setting,
        )
        for row in found.kept
    ]
    table(("WHAT", "KEPT", "ROWS#", "SIZE#", "OLDER#", "SET BY"), rows, empty="")
    heading("What stays for ever")
    table(("WHAT", "STAYS"), [(row.what, row.for_ever) for row in found.kept if row.for_ever], empty="")
    if found.went is not None:
        heading("What went just now")
        rows = [(row.what, f"{found.went[row.name]:,}") for row in found.kept if found.went[row.name]]
        table(("WHAT", "WENT#"), rows, empty="Nothing: all that is older is needed still.")
    elif any(row.old for row in found.kept):
        note("The scheduler lets go what is older, hour by hour. At once: tidegate retention --now")


def _size(number: float) -> str:
    for unit in ("B", "kB", "MB"):
        if number < 1024:
            return f"{number:,.0f} {unit}"
        number /= 1024
    return f"{number:,.1f} GB"
