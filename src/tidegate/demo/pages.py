"""The ways in which fake vendors cut a list into pages: by number, by position, by a cursor that hides one."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class CursorUnknown(Exception):
    """A cursor that this vendor never gave, or that has expired."""


def numbered(rows: Sequence[T], number: int, size: int, first: int = 1) -> list[T]:
    """The page of that number."""
    return placed(rows, (number - first) * size, size)


def placed(rows: Sequence[T], start: int, size: int) -> list[T]:
    """So many rows from a position on."""
    return [*rows[max(start, 0) : max(start, 0) + max(size, 0)]]


def following(rows: Sequence[T], cursor: str | None, size: int) -> tuple[list[T], str | None]:
    """The page after a cursor (none is the first page), and the cursor of the next one. Raises CursorUnknown."""
    start = position(cursor) if cursor else 0
    end = start + size
    return placed(rows, start, size), cursor_at(end) if end < len(rows) else None


def cursor_at(start: int) -> str:
    """A cursor that leads to a position; nobody outside should read it."""
    return base64.urlsafe_b64encode(f"at:{start}".encode()).decode().rstrip("=")


def position(cursor: str) -> int:
    """Where a cursor leads. Raises CursorUnknown."""
    try:
        told = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        word, _, start = told.partition(":")
        if word != "at" or not start.isdecimal():
            raise CursorUnknown(cursor)
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise CursorUnknown(cursor) from error
    return int(start)
