"""Listening to what other processes say through the database, on a connection of its own."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from django.db import connections
from psycopg import sql
from psycopg.conninfo import make_conninfo

PROGRESS: Final = "tidegate_progress"
"""Where beats and ends of Operations are told: {"operation": 12, "status": "running", "progress": {…}}."""


def conninfo() -> str:
    """The database that Django uses, as libpq is told."""
    settings = connections["default"].settings_dict
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    parts = {libpq: settings[django] for libpq, django in names.items() if settings[django]}
    return make_conninfo(**parts, **{name: value for name, value in settings["OPTIONS"].items() if name != "pool"})


class Listener:
    """What is told on one channel, as it comes."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def heard(self, seconds: float) -> Iterator[dict[str, Any]]:
        """What comes within so many seconds. Raises psycopg.OperationalError where the database goes away."""
        for notify in self._connection.notifies(timeout=seconds):
            yield json.loads(notify.payload)


@contextmanager
def listening(channel: str) -> Generator[Listener]:
    """Listens while open; nothing that is told after the beginning is missed."""
    with psycopg.connect(conninfo(), autocommit=True) as connection:
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        yield Listener(connection)
