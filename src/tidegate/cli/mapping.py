"""`tidegate mapping`: take mappings out into a spreadsheet, and bring what was decided there back."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from tidegate.cli.answer import ImportedMappings, ImportLine
from tidegate.cli.failure import DONE, FAILED, PARTIAL, Failure
from tidegate.cli.house import actions, reads
from tidegate.cli.naming import the_connection
from tidegate.cli.option import Json, Preview, group
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import clean, note, print_json, say

app = group("Decide in a spreadsheet: mappings out and in.")


@app.command("export")
def export_mappings(
    name: Annotated[
        str | None, typer.Argument(metavar="[CONNECTION]", help="Only of this one: its label or its number.")
    ] = None,
    json: Json = False,
) -> None:
    """Write all Records with what is decided of each, as CSV.

    A cell that a spreadsheet could take for a formula begins with an apostrophe; `mapping import` takes it off again.
    """
    with ready(quiet=json):
        connection = None if name is None else the_connection(name).id
        if json:
            return print_json(reads.mapping.MappingList(mappings=list(reads.mapping.mappings(connection))))
        on_terminal = sys.stdout.isatty()
        for line in reads.mapping.mappings_csv(connection):
            sys.stdout.write(f"{clean(line.rstrip())}\n" if on_terminal else line)
    return None


@app.command("import")
def import_mappings(
    file: Annotated[str, typer.Argument(metavar="FILE", help="What `mapping export` wrote, edited; - reads stdin.")],
    preview: Preview = False,
    json: Json = False,
) -> int:
    """Decide what a file says, as one step. Lines that say what is stored change nothing.

    Of a line only decision, product, product_type and reason are decided; a column may be left out.
    """
    with ready(quiet=json), _opened(file) as text:
        done = actions.mapping.import_mappings(me(), text, preview=preview)
    step = None if done.step is None else str(done.step)
    lines = [
        ImportLine(line=one.number, record_id=one.record_id, ok=one.ok, sentence=one.sentence) for one in done.lines
    ]
    if json:
        print_json(ImportedMappings(preview=preview, step=step, lines=lines, unchanged=done.unchanged))
    else:
        for line in lines:
            (say if line.ok else note)(f"Line {line.line}: {line.sentence}")
        say(_summary(lines, done.unchanged, preview=preview))
        if step:
            say(f"Undo this with: tidegate record undo --step {step}")
    right = [line.ok for line in lines]
    return DONE if all(right) else PARTIAL if any(right) or done.unchanged else FAILED


def _summary(lines: list[ImportLine], unchanged: int, *, preview: bool) -> str:
    right = sum(line.ok for line in lines)
    decided = "would be decided" if preview else "decided"
    return f"{right:,} {decided}, {unchanged:,} unchanged, {len(lines) - right:,} wrong."


@contextmanager
def _opened(file: str) -> Iterator[TextIO]:
    """The file with its line ends as they are: they may stand in a cell."""
    if file == "-":
        buffer = getattr(sys.stdin, "buffer", None)
        yield sys.stdin if buffer is None else io.TextIOWrapper(buffer, encoding="utf-8-sig", newline="")
        return
    try:
        opened = Path(file).open(encoding="utf-8-sig", newline="")  # noqa: SIM115 - closed below
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}.", "Name what `mapping export` wrote.") from error
    with opened:
        yield opened
