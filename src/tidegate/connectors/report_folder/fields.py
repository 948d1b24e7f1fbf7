"""Single fields of a report, as any tool may write them: texts, numbers, times, CWE numbers, vulnerability ids."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cvss import CVSS2, CVSS3, CVSS4, CVSSError
from packageurl import PackageURL

from tidegate_sdk import Severity, VendorChanged

_LONGEST = 20_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_DISTRIBUTIONS = frozenset({"deb", "rpm", "apk", "alpm"})
_CWE = re.compile(r"(?i)\bcwe[-_:/ ]{0,2}0*([1-9]\d{0,5})\b")
_IDS = re.compile(r"(?i)\b(?:CVE-\d{4}-\d{4,19}|GHSA(?:-[0-9a-z]{4}){3})\b")


def text(value: Any, longest: int = _LONGEST) -> str:
    """A text, shortened and without NUL; "" for anything else."""
    if not isinstance(value, str):
        return ""
    value = value.replace("\0", "\N{REPLACEMENT CHARACTER}").strip()
    return value if len(value) <= longest else value[: longest - 1] + "…"


def shown(name: str) -> str:
    """A name of the file system as a sentence may hold it: a line that moves no cursor, and not without end."""
    return text(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", name), 300)


def member(value: Any, *names: str) -> Any:
    """The value under these names, one below the other; None where there is none."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def each(value: Any) -> Iterable[Any]:
    """The items of a list; nothing for anything else."""
    return value if isinstance(value, list) else ()


def every(value: Any) -> Iterable[Any]:
    """The items of a list, or the value alone, as tools write one or many."""
    return value if isinstance(value, list) else (value,)


def optional(value: Any, kind: type, name: str) -> Any:
    """The value, which must be of this kind where it is there at all: an identity is not built on a guess."""
    if value is None or (isinstance(value, kind) and not isinstance(value, bool)):
        return value
    raise VendorChanged(f"{name} has a form that is not known.")


def number(value: Any) -> float | None:
    """A number, also one in quotes; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def line(value: Any) -> int | None:
    """A line number."""
    found = number(value)
    return int(found) if found is not None and 1 <= found < 2**31 else None


def moment(value: Any) -> datetime | None:
    """A time in ISO 8601; UTC where it names no zone. None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def cwes(*values: Any) -> tuple[int, ...]:
    """The CWE numbers in texts and plain numbers, in order, each once."""
    found: dict[int, None] = {}
    for value in values:
        if isinstance(value, str) and not value.isdecimal():
            found.update(dict.fromkeys(int(digits) for digits in _CWE.findall(value[:1000])))
        elif (plain := line(value)) is not None and plain < 10**6:
            found[plain] = None
    return tuple(found)


def ids(*values: Any) -> tuple[str, ...]:
    """The CVE and GHSA ids in texts, in order, each once."""
    found = (match for value in values if isinstance(value, str) for match in _IDS.findall(value[:1000]))
    return tuple(dict.fromkeys(match.upper() if match[:3].upper() == "CVE" else match for match in found))


def links(*values: Any) -> tuple[str, ...]:
    """The http(s) links among these, each once."""
    return tuple(dict.fromkeys(text(value, 2000) for value in values if is_link(value)))


def is_link(value: Any) -> bool:
    """Whether it is a link that a page may show."""
    if not isinstance(value, str) or len(value) > 2000 or any(char.isspace() for char in value):
        return False
    try:
        return urlsplit(value).scheme in ("http", "https") and bool(urlsplit(value).netloc)
    except ValueError:
        return False


def of_score(score: float, version: int = 3) -> Severity:
    """The severity of a CVSS score, by the table of its version: version 2 knows no Critical."""
    if score >= 9:
        return Severity.CRITICAL if version > 2 else Severity.HIGH
    if score >= 7:
        return Severity.HIGH
    if score >= 4:
        return Severity.MEDIUM
    return Severity.LOW if score > 0 else Severity.INFO


def score_of(vector: str) -> float | None:
    """The base score of a CVSS vector of any version; None for what is none."""
    try:
        if vector.startswith("CVSS:4"):
            found: Any = CVSS4(vector).base_score
        elif vector.startswith("CVSS:3"):
            found = CVSS3(vector).scores()[0]
        else:
            found = CVSS2(vector).scores()[0] if vector else None
    except CVSSError:
        return None
    return number(found if found is None else str(found))


def package_of(purl: str) -> tuple[str, str]:
    """What a package URL calls the package, with its group or scope, and the version; empty for what is none."""
    try:
        found = PackageURL.from_string(purl) if purl else None
    except ValueError:
        found = None
    if found is None:
        return "", ""
    group = "" if found.type in _DISTRIBUTIONS else found.namespace or ""  # there it is who distributes it
    return text("/".join(part for part in (group, found.name) if part), 500), text(found.version, 200)
