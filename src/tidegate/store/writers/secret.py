"""What is sealed, sealed anew with another key: in batches, each a transaction of the caller's.

Whoever stores a secret locks its row, or makes it, and only then reads the key and seals; so while the tables are held
nobody has a key in hand that may be taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection

from tidegate.store.models import Connection, Route
from tidegate.store.sql import sql
from tidegate.store.statement import rows_of

Reseal = Callable[[bytes, str], bytes | None]
"""Given what is sealed and its owner's name, the same sealed with the newest key; None where nothing opens it."""


@contextmanager
def being_the_one_who_rotates() -> Iterator[bool]:
    """Whether nobody else does at this moment."""
    held: bool = rows_of("secrets_rotate")[0]["held"]
    try:
        yield held
    finally:
        if held:
            rows_of("secrets_rotated")


def everything_sealed() -> list[dict[str, Any]]:
    """Kind and id of each owner, its name, and what is sealed."""
    return rows_of("secrets_sealed")


def reseal_connections(newest: bytes, reseal: Reseal, *, after: int, most: int) -> tuple[int, int] | None:
    """The next Connections; how many were sealed anew, and the number of the last. None where there are no more."""
    rows = rows_of("secrets_of_connections", newest=newest, after=after, most=most)
    anew = _anew("connection", rows, reseal)
    for id, sealed in anew.items():
        Connection.objects.filter(pk=id).update(secrets=sealed)
    return (len(anew), rows[-1]["id"]) if rows else None


def reseal_routes(newest: bytes, reseal: Reseal, *, after: int, most: int) -> tuple[int, int] | None:
    """The same for routes."""
    rows = rows_of("secrets_of_routes", newest=newest, after=after, most=most)
    anew = _anew("route", rows, reseal)
    for id, sealed in anew.items():
        Route.objects.filter(pk=id).update(address=sealed)
    return (len(anew), rows[-1]["id"]) if rows else None


def hold_secrets(seconds: float) -> None:
    """Until the transaction ends nobody stores a secret. OperationalError where somebody is at it for longer."""
    with connection.cursor() as cursor:
        # Whoever comes after us waits behind us, so that we must not wait long ourselves.
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{seconds * 1000:.0f}ms"])
        cursor.execute(sql("secrets_hold"))


def _anew(kind: str, rows: list[dict[str, Any]], reseal: Reseal) -> Mapping[int, bytes]:
    sealed = ((row["id"], reseal(bytes(row["sealed"]), f"{kind} {row['id']}")) for row in rows)
    return {id: anew for id, anew in sealed if anew is not None}
