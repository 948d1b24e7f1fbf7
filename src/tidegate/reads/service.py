"""The service itself: which of its parts live, and what they would need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Annotated

import msgspec
from allauth.mfa.models import Authenticator
from django.db import connection, transaction
from django.db.models import Q
from msgspec import Meta

from tidegate.guard.second_factor import BEGINNING
from tidegate.store import models
from tidegate.store.statement import rows_of

# A worker beats every ten seconds; one that missed two is no life.
SECONDS_OF_LIFE = 30.0


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that live, on whichever machine."""

    scheduler: Annotated[bool, Meta(description="Somebody keeps the time: what is due is begun.")]
    workers: Annotated[int, Meta(description="How many workers live.")]
    version: Annotated[str, Meta(description="Which version of Tidegate this is.")]


def service() -> Service:
    """Which parts live now."""
    (row,) = rows_of("service_life", seconds=SECONDS_OF_LIFE)
    return Service(scheduler=row["scheduler"], workers=row["workers"], version=version("tidegate"))


def secrets_are_stored() -> bool:
    """Whether there is anything that the key would have to open, of all that secrets_sealed.sql finds."""
    connections = models.Connection.objects.exclude(secrets=None, trigger_secret=None)
    factors = Authenticator.objects.filter(Q(data__secret__startswith=BEGINNING) | Q(data__seed__startswith=BEGINNING))
    return any(found.exists() for found in (connections, models.Route.objects.all(), factors))


@contextmanager
def answered_within(seconds: float) -> Iterator[None]:
    """One look at the database, the same for every question in it; a question that takes longer is given up."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;"
                f" SET LOCAL statement_timeout = {round(seconds * 1000)}"
            )
        yield
