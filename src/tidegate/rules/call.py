"""Calls from outside that trigger a Sync: what their body names. Pure; whether they may call is not asked here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

LONGEST_PATH: Final = 200
LONGEST_KEY: Final = 1_000
DEBOUNCE_SECONDS: Final = 60.0
"""How long a Sync that was called for waits for further calls: all of them are that one."""

_PATH = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")

VENDORS: Final = (
    ("x-sonarqube-project", "project.key"),
    ("x-sonar-webhook-hmac-sha256", "project.key"),
    ("x-github-event", "repository.full_name"),
    ("x-snyk-event", "project.id"),
)
"""By a header that a vendor sends, where in its payload the thing stands that was scanned."""

_TRIALS: Final = (("x-github-event", "ping"), ("x-snyk-event", "ping"))
"""What vendors send to see whether somebody is there."""


@dataclass(frozen=True)
class Wanted:
    """What is to be synced: a Record by its number, by the vendor's own key, or (neither) all of the Connection."""

    record_id: int | None = None
    key: str | None = None
    trial: bool = False
    """Nothing: somebody only looks whether we are there."""


class Unreadable(ValueError):
    """The body is nothing that is understood; the message is a sentence."""


def clean_path(path: str) -> str:
    """A path of names with dots between, as `project.key`; "" for none. Raises ValueError."""
    path = path.strip()
    if path and (len(path) > LONGEST_PATH or not _PATH.fullmatch(path)):
        raise ValueError("A path has names of letters, digits, _ and -, with dots between: project.key")
    return path


def wanted(body: object, headers: Mapping[str, str], path: str) -> Wanted:
    """What a call asks for. `body` is its JSON, None where there was none; `path` where its Connection says the key
    stands. Raises Unreadable."""
    if any(headers.get(name, "").split("/")[0] == word for name, word in _TRIALS):
        return Wanted(trial=True)
    if body is None:
        return Wanted()
    if not isinstance(body, dict):
        raise Unreadable("The body is no JSON object.")
    said = cast("dict[str, object]", body)
    number = said.get("record_id")
    if isinstance(number, int) and not isinstance(number, bool):
        return Wanted(record_id=number)
    for where in filter(None, (path, "vendor_id", _vendors_path(headers))):
        key = _at(said, where)
        if isinstance(key, str | int) and not isinstance(key, bool) and 0 < len(str(key)) <= LONGEST_KEY:
            return Wanted(key=str(key))
    if path:
        raise Unreadable(f"The body has nothing at {path}.")
    return Wanted()


def _vendors_path(headers: Mapping[str, str]) -> str:
    return next((path for name, path in VENDORS if name in headers), "")


def _at(body: Any, path: str) -> object:
    for name in path.split("."):
        if isinstance(body, list):
            found = cast("list[Any]", body)
            body = found[int(name)] if name.isdigit() and len(name) < 6 and int(name) < len(found) else None
        elif isinstance(body, dict):
            body = cast("dict[str, Any]", body).get(name)
        else:
            return None
    return body
