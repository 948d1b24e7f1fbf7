"""Burp's scalars, checked on the way in: an id, a text, a number, a time, a list of objects."""

from datetime import UTC, datetime
from typing import Any, cast

from tidegate_sdk import Row, VendorChanged, dig


def identifier(value: Any) -> str:
    """A non-empty text, as GraphQL writes an ID; a number could be another thing's name."""
    if not isinstance(value, str) or not value.strip():
        raise VendorChanged(f"An id is {_shown(value)} where Burp documents text.")
    return value


def text(value: Any) -> str:
    """A text that may be null."""
    if value is None or isinstance(value, str):
        return value or ""
    raise VendorChanged(f"A text is {_shown(value)}.")


def whole_number(value: Any) -> int:
    """A count."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise VendorChanged(f"A count is {_shown(value)}.")


def moment(value: Any) -> str:
    """A time with its zone, in a form that sorts as text."""
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise VendorChanged(f"A time is {_shown(value)}.") from None
    if parsed.tzinfo is None:
        raise VendorChanged(f"A time has no zone: {_shown(value)}.")
    return parsed.astimezone(UTC).isoformat(timespec="microseconds")


def rows(body: Any, path: str) -> list[Row]:
    """The objects at a path."""
    found = dig(body, path)
    if isinstance(found, list) and all(isinstance(item, dict) for item in cast("list[Any]", found)):
        return [Row(item) for item in cast("list[dict[str, Any]]", found)]
    raise VendorChanged(f"{path} is not a list of objects.")


def _shown(value: Any) -> str:
    return "null" if value is None else repr(value)[:60]
