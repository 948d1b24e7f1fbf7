"""The shapes of a far Tidegate's answers, built from routes.json: the fields of the Structs of reads without these,
since they would bring Django along."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Any, Final, Literal, Union
from uuid import UUID

import msgspec

PLAIN: Final[dict[str, Any]] = {
    "any": Any,
    "none": None,
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "datetime": datetime,
    "date": date,
    "uuid": UUID,
}

Said = str | list[Any]
"""A type as routes.json says it: a word, a shape after #, or a list that begins with how it holds others."""


def type_of(said: Said, shapes: dict[str, Any]) -> Any:
    """The Python type that is said."""
    if isinstance(said, str):
        return _shape(said[1:], shapes) if said.startswith("#") else PLAIN[said]
    how, *parts = said
    if how == "words":
        return Literal[tuple(parts)]
    inner = tuple(type_of(part, shapes) for part in parts)
    if how == "union":
        return Union[inner]  # noqa: UP007 - made of what is said
    return {"list": list, "dict": dict, "tuple": tuple}[how][inner[0] if how == "list" else inner]


_MADE: Final[dict[str, Any]] = {}


def _shape(name: str, shapes: dict[str, Any]) -> Any:
    if name not in _MADE:
        fields = [(field, type_of(said, shapes)) for field, said in shapes[name].items()]
        _MADE[name] = msgspec.defstruct(name.rpartition(".")[2], fields, frozen=True, kw_only=True)
    return _MADE[name]


@cache
def table() -> dict[str, Any]:
    """What routes.json says: the operations of the API, and the shapes of their answers."""
    from importlib.resources import files

    return msgspec.json.decode((files("tidegate.cli") / "routes.json").read_bytes())
