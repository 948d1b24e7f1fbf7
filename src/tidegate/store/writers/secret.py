"""What is sealed, sealed anew with another key: in batches, each a transaction of the caller's.

Whoever stores a secret locks its row, or makes it, and only then reads the key and seals; so while the tables are held
nobody has a key in hand that may be taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import connection

from tidegate.guard.second_factor import owner_of_factors, written_factor
from tidegate.store.models import Connection, Destination, Route
from tidegate.store.sql import sql
from tidegate.store.statement import rows_of, run

TRIGGER, SIGNATURE, DESTINATION = "connection {id} trigger", "route {id} signature", "destination {id}"
"""The owners that secrets of triggers, webhooks and Destinations are sealed to: none opens where another belongs."""

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
    """Kind and id of what has a secret, its name, the owner that it is sealed to, and what is sealed."""
    return rows_of("secrets_sealed")


def reseal_connections(newest: bytes, reseal: Reseal, *, after: int, most: int) -> tuple[int, int] | None:
    """The next Connections; how many were sealed anew, and the number of the last. None where there are no more."""
    rows = rows_of("secrets_of_connections", newest=newest, after=after, most=most)
    return _resealed(rows, Connection, "secrets", "connection {id}", reseal)


def reseal_triggers(newest: bytes, reseal: Reseal, *, after: int, most: int) -> tuple[int, int] | None:
    """The same for what signs the calls that trigger a Sync."""
    rows = rows_of("secrets_of_triggers", newest=newest, after=after, most=most)
    return _resealed(rows, Connection, "trigger_secret", TRIGGER, reseal)


def reseal_routes(newest: bytes, reseal: Reseal, *, after: int, most: int) -> tuple[int, int] | None:
    """The same for the addresses of routes."""
    rows = rows_of("secrets_of_routes", newest=newest, after=after, most=most)
    return _resealed(rows, Route, "address", "route {id}", reseal)


def reseal_webhooks(newest: bytes, reseal: Reseal, *, after: int, most: int) -> tuple[int, int] | None:
    """The same for what webhooks sign with."""
    rows = rows_of("secrets_of_webhooks", newest=newest, after=after, most=most)
    return _resealed(rows, Route, "signing_secret", SIGNATURE, reseal)


def reseal_destinations(newest: bytes, reseal: Reseal, *, after: int, most: int) -> tuple[int, int] | None:
    """The same for the logins of Destinations."""
    rows = rows_of("secrets_of_destinations", newest=newest, after=after, most=most)
    return _resealed(rows, Destination, "secrets", DESTINATION, reseal)


def reseal_second_factors(newest: bytes, reseal: Reseal, *, after: int, most: int) -> tuple[int, int] | None:
    """The same for authenticator apps and recovery codes."""
    rows = rows_of("secrets_of_second_factors", newest=newest, after=after, most=most)
    sealed = ((row, reseal(bytes(row["sealed"]), owner_of_factors(row["user_id"]))) for row in rows)
    anew = [(row, again) for row, again in sealed if again is not None]
    for row, again in anew:
        save_factor(row["id"], row["name"], written_factor(again))
    return (len(anew), rows[-1]["id"]) if rows else None


def unsealed_factors(most: int) -> list[dict[str, Any]]:
    """The next second factors that an earlier version stored in the clear: number, user, and the name of the text."""
    return rows_of("second_factors_unsealed", most=most)


def save_factor(id: int, name: str, text: str) -> None:
    """Stores this in the place of what the locked second factor has under that name."""
    factor = Authenticator.objects.get(pk=id)
    Authenticator.objects.filter(pk=id).update(data={**factor.data, name: text})


def hold_second_factors() -> None:
    """From here on this transaction may seal second factors: their keys stay until it ends."""
    run("second_factors_hold")


def hold_secrets(seconds: float) -> None:
    """Until the transaction ends nobody stores a secret. OperationalError where somebody is at it for longer."""
    with connection.cursor() as cursor:
        # Whoever comes after us waits behind us, so that we must not wait long ourselves.
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{seconds * 1000:.0f}ms"])
        cursor.execute(sql("secrets_hold"))


def _resealed(
    rows: list[dict[str, Any]], model: Any, column: str, owner: str, reseal: Reseal
) -> tuple[int, int] | None:
    sealed = ((row["id"], reseal(bytes(row["sealed"]), owner.format(id=row["id"]))) for row in rows)
    anew = {id: again for id, again in sealed if again is not None}
    for id, again in anew.items():
        model.objects.filter(pk=id).update(**{column: again})
    return (len(anew), rows[-1]["id"]) if rows else None
