"""That a thing is still as it was when somebody looked at it: checked by its actions, under the lock of its row.

A face says `with expecting("connection", 7, {version}): edit_connection(…)`; the action calls `demand_expected` once it
holds the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from tidegate.actions.errors import Refused
from tidegate.reads.version import version_of

_expected: ContextVar[tuple[str, int, frozenset[str] | None]] = ContextVar("expected version", default=("", 0, None))


_CALLED: Final = {
    "finding": "decision about the Finding",
    "route": "route",
    "rule": "rule",
    "rules": "order or content of the mapping rules of Connection",
    "schedules": "schedule of Connection",
}


class Changed(Refused):
    """Somebody changed the thing since it was looked at; nothing was done."""


@contextmanager
def expecting(kind: str, id: int, versions: frozenset[str] | None) -> Iterator[None]:
    """Inside, the thing has to have one of these versions to be changed; None is any."""
    token = _expected.set((kind, id, versions))
    try:
        yield
    finally:
        _expected.reset(token)


def demand_expected(kind: str, id: int) -> None:
    """Raises Changed where another version of it was looked at. To be called with its row locked."""
    expected, number, versions = _expected.get()
    if versions is None or (expected, number) != (kind, id):
        return
    if version_of(kind, id) not in versions:
        raise Changed(
            f"The {_CALLED.get(kind, kind.title())} {id} was changed since you looked at it; nothing was done.",
            "Look at it again, and say again what you want.",
        )
