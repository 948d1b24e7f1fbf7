"""Values of a vendor's row, checked on the way in: a text, a count, a time, a list of objects, and what a text names.

A value of another kind than documented raises VendorChanged, so that its row is set aside and not read by luck; what
may be missing is "" or None. `identifier`, for ids, stands in ask.py.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast

from .ask import Row, dig
from .errors import VendorChanged

_NUMBERS, _SEVERAL = (int, float, str), (list, tuple)  # made once: `int | float` would be put together for every row
_CWE = re.compile(r"(?i)CWE[-_: ]?0*([1-9]\d{0,5})\b")
_VULNERABILITY = re.compile(r"(?i)\b(?:CVE-\d{4}-\d{4,19}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3})\b")
_LINK = re.compile(r"""href\s*=\s*["']([^"']+)["']|\]\((https?://[^\s)]+)\)""")


def text(value: Any) -> str:
    """A text that may be null."""
    if value is None or isinstance(value, str):
        return value or ""
    raise VendorChanged(f"A text is {shown(value)}.")


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts that may be null."""
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(item, str) for item in cast("list[Any]", value)):
        return tuple(cast("list[str]", value))
    raise VendorChanged(f"A list of texts is {shown(value)}.")


def whole_number(value: Any) -> int:
    """A count."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise VendorChanged(f"A count is {shown(value)}.")


def moment(value: Any) -> datetime | None:
    """A time such as `2013-05-13T17:55:39+0200`; None for one that cannot be read or has no zone."""
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return parsed if parsed.tzinfo is not None else None


def mark(value: Any) -> str:
    """A time as a Family's `mark`: in UTC, in a form that sorts as text. It must be there."""
    try:
        parsed = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise VendorChanged(f"A time is {shown(value)}.") from None
    if parsed.tzinfo is None:
        raise VendorChanged(f"A time has no zone: {shown(value)}.")
    return parsed.astimezone(UTC).isoformat(timespec="microseconds")


def rows(body: Any, path: str) -> list[Row]:
    """The objects at a path, which must be there."""
    found = dig(body, path)
    if isinstance(found, list) and all(isinstance(item, dict) for item in cast("list[Any]", found)):
        return [Row(item) for item in cast("list[dict[str, Any]]", found)]
    raise VendorChanged(f"{path} is not a list of objects.")


def objects(value: Any) -> list[Row]:
    """A list of objects that may be null or missing."""
    return [] if value is None else rows({"it": value}, "it")


def line(value: Any) -> int | None:
    """A line number; None for what is none, as vendors write 0 and -1 for a whole file."""
    found = _number(value)
    return int(found) if found is not None and 1 <= found < 2**31 else None


def score(value: Any) -> float | None:
    """A CVSS score, as a number or a text; None for what is none."""
    found = _number(value)
    return found if found is not None and 0 <= found <= 10 else None


def probability(value: Any) -> float | None:
    """A number from 0 to 1, as EPSS is, as a number or a text; None for what is none."""
    found = _number(value)
    return found if found is not None and 0 <= found <= 1 else None


def cwes(*values: Any) -> tuple[int, ...]:
    """The numbers of the weaknesses that texts name (`CWE-79`) or that stand alone (79, "79"), each once, in order."""
    found: dict[int, None] = {}
    for value in _each(values):
        if isinstance(value, str) and not value.isdecimal():
            found.update(dict.fromkeys(int(number) for number in _CWE.findall(value)))
        elif (number := line(value)) is not None and number < 10**6:
            found[number] = None
    return tuple(found)


def vulnerabilities(*values: Any) -> tuple[str, ...]:
    """The CVE and GHSA ids that texts name, each once, in order."""
    found = (name for value in _each(values) if isinstance(value, str) for name in _VULNERABILITY.findall(value))
    return tuple(dict.fromkeys(map(_spelled, found)))


def links(*values: Any) -> tuple[str, ...]:
    """The web addresses among these, each once. Other schemes are left out: a page will offer them to be clicked."""
    return tuple(dict.fromkeys(value for value in _each(values) if _is_web(value)))


def links_in(told: str) -> tuple[str, ...]:
    """The web addresses that a text in HTML or Markdown leads to, each once."""
    return links(*(html.unescape(in_html or in_markdown) for in_html, in_markdown in _LINK.findall(told)))


def cut(told: str, longest: int) -> str:
    """As much of a text as is kept."""
    return told if len(told) <= longest else f"{told[:longest]} […]"


def shown(value: Any) -> str:
    """An odd value as a sentence may hold it."""
    return "null" if value is None else repr(value)[:60]


def _spelled(name: str) -> str:
    """A CVE in capitals, a GHSA in small letters, as they are published."""
    return name.upper() if name[:3].upper() == "CVE" else f"GHSA{name[4:].lower()}"


def _number(value: Any) -> float | None:
    if not isinstance(value, _NUMBERS) or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _each(values: Iterable[Any]) -> Iterable[Any]:
    """The values, and for a list what stands in it."""
    for value in values:
        if isinstance(value, _SEVERAL):
            yield from cast("Iterable[Any]", value)
        else:
            yield value


def _is_web(value: Any) -> bool:
    return isinstance(value, str) and value.lower().startswith(("https://", "http://")) and not re.search(r"\s", value)
