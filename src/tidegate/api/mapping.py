"""Routes: mappings as CSV, out and in."""

from __future__ import annotations

from io import StringIO
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from django.http.response import HttpResponseBase
from msgspec import Meta
from pydantic import Field

from tidegate.actions import mapping as actions
from tidegate.api.answer import streamed
from tidegate.api.route import Routes
from tidegate.api.words import Id
from tidegate.reads import mapping as reads
from tidegate.rules.actor import Actor

routes = Routes("mapping")

LARGEST = 8 * 1024 * 1024
"""Characters of a file; the body's own limit comes first where they are long."""


class ImportedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one line that differs from what is stored."""

    number: Annotated[int, Meta(description="The line of the file on which it begins.")]
    record_id: Annotated[int | None, Meta(description="The Record's number; null where the line names none.")]
    ok: Annotated[bool, Meta(description="It was done; in a preview: it would be.")]
    sentence: Annotated[str, Meta(description="What was done, or what is wrong with the line.")]


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """How an import went."""

    preview: Annotated[bool, Meta(description="Nothing was changed: it says what would be.")]
    step: Annotated[UUID | None, Meta(description="Undoes all of it; null where nothing was done.")]
    lines: Annotated[list[ImportedLine], Meta(description="Lines that change something, and lines that are wrong.")]
    unchanged: Annotated[int, Meta(description="Lines that say what is stored already.")]


@routes.read(
    "/mappings",
    reads.mappings_csv,
    kinds={"text/csv": "A line for each Record.", "application/x-ndjson": "The same as objects."},
)
def mappings_csv(
    actor: Actor,
    connection_id: Id | None = None,
    format: Annotated[Literal["csv", "ndjson"], Field(description="As which of the two.")] = "csv",
) -> HttpResponseBase:
    if format == "ndjson":
        rows = (msgspec.json.encode(row) + b"\n" for row in reads.mappings(connection_id))
        return streamed(rows, "application/x-ndjson", "mappings.ndjson", actor.access)
    pieces = (line.encode() for line in reads.mappings_csv(connection_id))
    return streamed(pieces, "text/csv", "mappings.csv", actor.access)


@routes.act("POST", "/mappings/import", actions.import_mappings, answers=Imported)
def import_mappings(
    actor: Actor,
    file: Annotated[str, Field(max_length=LARGEST, description="The CSV, as /mappings gives it.")],
    preview: bool = False,
) -> Imported:
    done = actions.import_mappings(actor, StringIO(file, newline=""), preview=preview)
    lines = [
        ImportedLine(number=one.number, record_id=one.record_id, ok=one.ok, sentence=one.sentence) for one in done.lines
    ]
    return Imported(preview=done.preview, step=done.step, lines=lines, unchanged=done.unchanged)
