"""The one clock that all machines share, and the one scheduler that may look at it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import DatabaseError

from tidegate.store.statement import rows_of

_OURS: Final = max(path.stem for path in (Path(__file__).parent / "migrations").glob("[0-9]*.py"))


def database_now() -> datetime:
    """The time by the database's clock."""
    return rows_of("database_now")[0]["now"]


FROZEN_AFTER = "60s"
"""A scheduler that asks nothing for so long is frozen: the server ends its session, and another takes its place."""


@contextmanager
def being_the_scheduler() -> Generator[bool]:
    """Whether this process keeps the time now; another may, and then this one waits for its turn."""
    held: bool = rows_of("hold_time", frozen=FROZEN_AFTER)[0]["held"]
    try:
        yield held
    finally:
        if held:
            _release()


def _release() -> None:
    try:
        rows_of("release_time")
    except DatabaseError:
        return  # the session is gone, and its lock with it


def newer_migration() -> str:
    """The migration of a newer Tidegate that this one does not know; "" where there is none."""
    newest: str = rows_of("newest_migration")[0]["name"]
    return newest if newest > _OURS else ""
