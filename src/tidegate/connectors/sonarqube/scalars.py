"""SonarQube's scalars, checked on the way in: a text, a count, a time, a list of objects."""

from datetime import datetime
from typing import Any, cast

from tidegate_sdk import Row, VendorChanged, dig


def text(value: Any) -> str:
    """A text that may be null."""
    if value is None or isinstance(value, str):
        return value or ""
    raise VendorChanged(f"A text is {_shown(value)}.")


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts that may be null."""
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(item, str) for item in cast("list[Any]", value)):
        return tuple(cast("list[str]", value))
    raise VendorChanged(f"A list of texts is {_shown(value)}.")


def whole_number(value: Any) -> int:
    """A count."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise VendorChanged(f"A count is {_shown(value)}.")


def moment(value: Any) -> datetime | None:
    """A time such as `2013-05-13T17:55:39+0200`; None for one that cannot be read or has no zone."""
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return parsed if parsed.tzinfo is not None else None


def rows(body: Any, path: str) -> list[Row]:
    """The objects at a path."""
    found = dig(body, path)
    if isinstance(found, list) and all(isinstance(item, dict) for item in cast("list[Any]", found)):
        return [Row(item) for item in cast("list[dict[str, Any]]", found)]
    raise VendorChanged(f"{path} is not a list of objects.")


def objects(value: Any) -> list[Row]:
    """A list of objects that may be null or missing."""
    return [] if value is None else rows({"it": value}, "it")


def _shown(value: Any) -> str:
    return "null" if value is None else repr(value)[:60]
