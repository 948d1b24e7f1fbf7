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
from typing import Any
from urllib.parse import quote

from .ask import Row, dig
from .errors import VendorChanged

_NUMBERS = (int, float, str)  # made once: `int | float` would be put together for every row
_LIST: Any = list  # a cast for the type checker would be called for every row
_SEVERAL: Any = (list, tuple)
_CWE = re.compile(r"(?i)CWE[-_: ]?0*([1-9]\d{0,5})\b")
_VULNERABILITY = re.compile(r"(?i)\b(?:CVE-\d{4}-\d{4,19}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3})\b")
_WEB = re.compile(r"[hH][tT][tT][pP][sS]?://\S*").fullmatch
_PLAIN, _QUOTED = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch, re.compile(r"[A-Za-z0-9_.~%-]*").fullmatch
_WRITTEN = (("%", "%25"), ("/", "%2F"), (":", "%3A"), (" ", "%20"), ("@", "%40"))  # the first one first
_LINK = re.compile(r"""href\s*=\s*["']([^"']+)["']|\]\((https?://[^\s)]+)\)""")


def text(value: Any) -> str:
    """A text that may be null."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    raise VendorChanged(f"A text is {shown(value)}.")


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts that may be null."""
    if value is None:
        return ()
    if not _holds(value, str):
        raise VendorChanged(f"A list of texts is {shown(value)}.")
    return tuple(value)


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
    if not _holds(found, dict):
        raise VendorChanged(f"{path} is not a list of objects.")
    return [Row(item) for item in found]


def objects(value: Any) -> list[Row]:
    """A list of objects that may be null or missing."""
    if value is None:
        return []
    if not _holds(value, dict):
        raise VendorChanged(f"A list of objects is {shown(value)}.")
    return [Row(item) for item in value]


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
            for number in _CWE.findall(value):
                found[int(number)] = None
        elif (number := line(value)) is not None and number < 10**6:
            found[number] = None
    return tuple(found)


def vulnerabilities(*values: Any) -> tuple[str, ...]:
    """The CVE and GHSA ids that texts name, each once, in order."""
    found: dict[str, None] = {}
    for value in _each(values):
        if isinstance(value, str) and _may_name_some(value):
            for name in _VULNERABILITY.findall(value):
                found[_spelled(name)] = None
    return tuple(found)


def links(*values: Any) -> tuple[str, ...]:
    """The web addresses among these, each once. Other schemes are left out: a page will offer them to be clicked."""
    return tuple(dict.fromkeys([value for value in _each(values) if isinstance(value, str) and _WEB(value)]))


def links_in(told: str) -> tuple[str, ...]:
    """The web addresses that a text in HTML or Markdown leads to, each once."""
    return links(*(html.unescape(in_html or in_markdown) for in_html, in_markdown in _LINK.findall(told)))


def quoted(told: str) -> str:
    """A text as one step of an address, or as a value in it: `a/b c` as `a%2Fb%20c`.

    As urllib's `quote(told, safe="")`, which looks at each letter; of what stands in ids little has to be written so.
    """
    if _PLAIN(told):
        return told
    written = told
    for odd, instead in _WRITTEN:
        written = written.replace(odd, instead)
    return written if _QUOTED(written) else quote(told, safe="")


def cut(told: str, longest: int) -> str:
    """As much of a text as is kept."""
    return told if len(told) <= longest else f"{told[:longest]} […]"


def shown(value: Any) -> str:
    """An odd value as a sentence may hold it."""
    return "null" if value is None else repr(value)[:60]


def _holds(value: Any, kind: type[Any]) -> bool:
    """Whether it is a list, and all that stands in it is of one kind."""
    if not isinstance(value, _LIST):
        return False
    for item in value:  # noqa: SIM110 - a generator for each of a dozen lists of a row
        if not isinstance(item, kind):
            return False
    return True


def _may_name_some(told: str) -> bool:
    """A look that costs a tenth of the search, for most texts name none."""
    loud = told.upper()
    return "CVE-" in loud or "GHSA-" in loud


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


def _each(values: Iterable[Any]) -> list[Any]:
    """The values, and for a list what stands in it."""
    found: list[Any] = []
    for value in values:
        if isinstance(value, _SEVERAL):
            found += value
        else:
            found.append(value)
    return found
