"""The service itself: which of its parts live, and what they would need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
from django.db import connection, transaction
from msgspec import Meta

from tidegate.store import models
from tidegate.store.statement import rows_of

# A worker beats every ten seconds; one that missed two is no life.
SECONDS_OF_LIFE = 30.0


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that live, on whichever machine."""

    scheduler: Annotated[bool, Meta(description="Somebody keeps the time: what is due is begun.")]
    workers: Annotated[int, Meta(description="How many workers live.")]


def service() -> Service:
    """Which parts live now."""
    (row,) = rows_of("service_life", seconds=SECONDS_OF_LIFE)
    return Service(scheduler=row["scheduler"], workers=row["workers"])


def secrets_are_stored() -> bool:
    """Whether there is anything that the key would have to open."""
    return models.Connection.objects.filter(deleted_at=None, secrets__isnull=False).exists()


@contextmanager
def answered_within(seconds: float) -> Iterator[None]:
    """One look at the database, the same for every question in it; a question that takes longer is given up."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{seconds * 1000:.0f}ms"])
        yield
