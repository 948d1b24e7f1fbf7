"""Who changes Records in this transaction; the history trigger writes it beside each change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection, transaction


@contextmanager
def acting(actor: str, *, operation: int | None = None, step: UUID | None = None) -> Iterator[None]:
    """One transaction in which every change of a Record is the actor's, in this Operation or this undoable step."""
    with transaction.atomic():
        say_who_acts(actor, operation=operation, step=step)
        yield


def say_who_acts(actor: str, *, operation: int | None = None, step: UUID | None = None) -> None:
    """The same, for a transaction that is open already; ends with it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('tidegate.actor', %s, true), set_config('tidegate.operation', %s, true),"
            " set_config('tidegate.step', %s, true)",
            [actor, "" if operation is None else str(operation), "" if step is None else str(step)],
        )
