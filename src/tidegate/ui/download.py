"""A list as a CSV file, of whatever length: read a page at a time, sent as it comes, and no cell is a formula."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, cast

import msgspec
from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpResponse, StreamingHttpResponse

from tidegate.reads.viewer import viewing
from tidegate.rules.actor import Actor
from tidegate.rules.mapping_file import written

BATCH: Final = 500
"""So many rows are read at once."""

Ask = Callable[[str | None, int], tuple[Sequence[Any], str | None]]
"""A page of the list behind a cursor: its rows, and the cursor of the next."""


def as_csv(actor: Actor, name: str, row: type[msgspec.Struct], ask: Ask) -> HttpResponse:
    """Every row of the list with all its fields, to be saved under this name. Each page is asked for anew, so a slow
    reader holds no transaction open."""
    answer = StreamingHttpResponse(_sent(actor, _lines(row, ask)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer["Cache-Control"] = "no-store"
    return cast("HttpResponse", answer)


def _lines(row: type[msgspec.Struct], ask: Ask) -> Iterator[bytes]:
    """A page of lines at a time, the head first."""
    columns, cursor, first = list(_columns(row)), None, True
    while first or cursor is not None:
        found, cursor = ask(cursor, BATCH)
        lines = list(written(([_cell(one, path) for path in columns] for one in found), columns))
        yield "".join(lines if first else lines[1:]).encode()
        first = False


def _columns(row: type[msgspec.Struct], before: str = "") -> Iterator[str]:
    """The fields by name; of a Struct within, its own."""
    for one in msgspec.structs.fields(row):
        kind = getattr(one.type, "__origin__", one.type)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from _columns(kind, f"{before}{one.name}.")
        else:
            yield f"{before}{one.name}"


def _cell(row: Any, path: str) -> str:
    for name in path.split("."):
        row = getattr(row, name)
    return _text(row)


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime() | date():
            return value.isoformat()
        case msgspec.Struct():
            return _text(msgspec.structs.asdict(value))
        case Mapping():
            said = cast("Mapping[str, Any]", value)
            return "; ".join(f"{name} {_text(one)}" for name, one in said.items())
        case list() | tuple():
            return " ".join(map(_text, cast("Sequence[Any]", value)))
        case _:
            return str(value)


async def _sent(actor: Actor, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each made with a connection of the database that is given back before it is sent."""

    def following() -> bytes | None:
        with viewing(actor.access):
            try:
                return next(pieces, None)
            finally:
                connections.close_all()

    while (piece := await sync_to_async(following)()) is not None:
        yield piece
