"""One page of a list, and the cursor that leads to the next: the last row's sort values, so that no page is counted."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet

LIMIT = 50
LARGEST_LIMIT = 1000


class CursorRefused(ValueError):
    """The text given as a cursor is none of ours, or belongs to another list."""

    next_step = "Ask for the first page again, and go on with the cursor it gives."

    def __init__(self) -> None:
        super().__init__("The cursor does not belong to this list.")
        self.what = str(self)


def storable(text: str) -> str:
    """The text as it would have been stored: NUL and lone surrogates, which no column holds, became U+FFFD."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def number(text: str) -> int | None:
    """The id that the text may be."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def encoded(values: Sequence[Any]) -> str:
    """The cursor after a row with these sort values."""
    return urlsafe_b64encode(json.dumps(list(values)).encode()).decode().rstrip("=")


def decoded(cursor: str, types: Sequence[type]) -> list[Any]:
    """The sort values in a cursor. Raises CursorRefused unless they are of these types."""
    try:
        values = json.loads(urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        raise CursorRefused from None
    if not isinstance(values, list) or [type(value) for value in values] != list(types):
        raise CursorRefused
    if any(
        (isinstance(value, str) and storable(value) != value) or (type(value) is int and abs(value) > 2**62)
        for value in values
    ):
        raise CursorRefused
    return values


def cut(
    query: QuerySet[Any], by: Sequence[str], types: Sequence[type], cursor: str | None, limit: int
) -> tuple[list[Any], str | None]:
    """The rows of one page in the order of `by` (a leading "-" is descending; the last is unique), and its next."""
    limit = max(1, min(limit, LARGEST_LIMIT))
    rows = list(behind(query, by, types, cursor)[: limit + 1])
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], encoded([_value(last, field) for field in by])


def behind(query: QuerySet[Any], by: Sequence[str], types: Sequence[type], cursor: str | None) -> QuerySet[Any]:
    """All that follow the cursor, in the order of `by`. Raises CursorRefused."""
    query = query.order_by(*by)
    return query.filter(_after(by, decoded(cursor, types))) if cursor else query


def _after(by: Sequence[str], values: Sequence[Any]) -> Q:
    """Behind the row with these values: (a > 1) or (a = 1 and b > 2) or …; and a >= 1, where an index can begin."""
    beyond, same = Q(), Q()
    for field, value in zip(by, values, strict=True):
        name, comparison = (field[1:], "lt") if field.startswith("-") else (field, "gt")
        beyond |= same & Q(**{f"{name}__{comparison}": value})
        same &= Q(**{name: value})
    first, least = (by[0][1:], "lte") if by[0].startswith("-") else (by[0], "gte")
    return Q(**{f"{first}__{least}": values[0]}) & beyond


def _value(row: Any, field: str) -> Any:
    for part in field.lstrip("-").split("__"):
        row = row[part] if isinstance(row, dict) else getattr(row, part)
    return row
