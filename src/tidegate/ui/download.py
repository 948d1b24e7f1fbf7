"""A list as a CSV file, of whatever length: read a page at a time, and sent as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import cast

import msgspec
from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpResponse, StreamingHttpResponse

from tidegate.reads.viewer import viewing
from tidegate.rules.actor import Actor
from tidegate.rules.list_file import Ask, lines


def as_csv(actor: Actor, name: str, row: type[msgspec.Struct], ask: Ask) -> HttpResponse:
    """Every row of the list with all its fields, to be saved under this name. Each page is asked for anew, so a slow
    reader holds no transaction open."""
    answer = StreamingHttpResponse(_sent(actor, lines(row, ask)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer["Cache-Control"] = "no-store"
    return cast("HttpResponse", answer)


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
