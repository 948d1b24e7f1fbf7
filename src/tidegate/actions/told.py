"""What the audit log says of an action: its arguments and its answer, without secrets and never long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from math import isfinite
from typing import Any, Final
from uuid import UUID

import msgspec
from pydantic import SecretStr

from tidegate.log import MASK, redact, redacted

LONGEST_TEXT: Final = 500
MOST_ITEMS: Final = 20
_NAMED_BY_HAND: Final = ("settings", "secrets")
_NEVER = ("actor", "document", "settings_of_the_service", "progress", "told")


def arguments_of(given: Mapping[str, Any], *, checked: bool = True) -> dict[str, Any]:
    """What was given, but for who acts, what only watches, and what was left out. Where nobody has `checked` it yet, of
    fields that somebody named only how many: a secret may have been given in the place of a name."""
    said = {
        name: _said(value) if checked or name not in _NAMED_BY_HAND else _how_many(value)
        for name, value in given.items()
        if name not in _NEVER and not callable(value)
    }
    return {name: value for name, value in said.items() if value is not None}


def answer_of(answer: Any) -> Any:
    """What came back, in short."""
    return _said(answer)


def _how_many(value: Any) -> str | None:
    return f"{len(value)} fields" if isinstance(value, Mapping) and value else None


def _said(value: Any) -> Any:
    match value:
        case float():
            return value if isfinite(value) else str(value)
        case None | bool() | int():
            return value
        case SecretStr():
            return MASK
        case Enum():
            return None if value.name == "UNSET" else value.value
        case str():
            return redacted(value[:LONGEST_TEXT]).replace("\0", "\ufffd").encode("utf-8", "replace").decode()
        case UUID():
            return str(value)
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            told = {_said(str(name)): _said(one) for name, one in list(value.items())[:MOST_ITEMS]}
            return dict(redact(None, "", told))  # a secret may have been given as a setting, by mistake
        case msgspec.Struct():
            return {name: _said(getattr(value, name)) for name in value.__struct_fields__}
        case list() | tuple() | set() | frozenset():
            items = list(value)
            told = [_said(one) for one in items[:MOST_ITEMS]]
            return told if len(items) <= MOST_ITEMS else [*told, f"… {len(items)} in all"]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {one.name: _said(getattr(value, one.name)) for one in fields(value)}
        case _:
            return f"({type(value).__name__})"
