"""The words of SonarQube for how far a finding is, each read as open, fixed, or a person's verdict; all are listed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate_sdk import Row, Verdict


@dataclass(frozen=True, slots=True)
class State:
    """How far a finding is: the vendor's word, and what it means. A word that nobody knows is open and reported."""

    word: str
    fixed: bool = False
    verdict: Verdict | None = None
    unknown: tuple[str, ...] = ()


_OPEN: Mapping[str, Any] = {}
_FIXED: Mapping[str, Any] = {"fixed": True}
_FALSE: Mapping[str, Any] = {"verdict": Verdict.FALSE_POSITIVE}
_ACCEPTED: Mapping[str, Any] = {"verdict": Verdict.ACCEPTED}

ISSUE: Mapping[str, Mapping[str, Any]] = {
    "open": _OPEN,
    "confirmed": _OPEN,
    "in_sandbox": _OPEN,
    "false_positive": _FALSE,
    "accepted": _ACCEPTED,
    "fixed": _FIXED,
}
"""`issueStatus`, since 10.4."""
OLD_STATUS: Mapping[str, Mapping[str, Any]] = {
    "open": _OPEN,
    "confirmed": _OPEN,
    "reopened": _OPEN,
    "in_sandbox": _OPEN,
    "closed": _FIXED,
}
"""`status`, where there is no resolution."""
OLD_RESOLUTION: Mapping[str, Mapping[str, Any]] = {
    "false-positive": _FALSE,
    "wontfix": _ACCEPTED,
    "fixed": _FIXED,
    "removed": _FIXED,
}
"""`resolution`, of issues that are RESOLVED or CLOSED."""
HOTSPOT: Mapping[str, Mapping[str, Any]] = {
    "safe": _FALSE,
    "acknowledged": _ACCEPTED,
    "fixed": _FIXED,
}
"""`resolution`, of hotspots that are REVIEWED; the others are TO_REVIEW."""
RISK: Mapping[str, Mapping[str, Any]] = {
    "open": _OPEN,
    "confirm": _OPEN,
    "confirmed": _OPEN,
    "accept": _ACCEPTED,
    "accepted": _ACCEPTED,
    "safe": _FALSE,
    "fixed": _FIXED,
}
"""Both spellings: the screens say CONFIRM and ACCEPT, the documentation Confirmed and Accepted."""


def of_issue(row: Row) -> State:
    """By `issueStatus`; on servers before 10.4, which have none, by `resolution` and `status`."""
    if (status := row.get("issueStatus")) is not None:
        return _read("issueStatus", status, ISSUE)
    if (resolution := row.get("resolution")) is not None:
        return _read("resolution", resolution, OLD_RESOLUTION)
    return _read("status", row["status"], OLD_STATUS)


def of_hotspot(row: Row) -> State:
    """By `status`, and by `resolution` once it is reviewed."""
    if row["status"] == "REVIEWED":
        return _read("resolution", row["resolution"], HOTSPOT)
    return _read("status", row["status"], {"to_review": _OPEN})


def of_risk(row: Row) -> State:
    return _read("status", row["status"], RISK)


def _read(field: str, told: Any, table: Mapping[str, Mapping[str, Any]]) -> State:
    word = told if isinstance(told, str) else str(told)
    known = table.get(word.strip().lower())
    if known is None:
        return State(word[:100], unknown=(f"{field}: {word.lower()[:100]}",))
    return State(word, **known)
