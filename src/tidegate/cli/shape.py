"""The shapes of a far Tidegate's answers, built from routes.json: the fields of the Structs of reads without these,
since they would bring Django along."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Any, Final, Union
from uuid import UUID

import msgspec
from pydantic import SecretStr

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
    "secret": SecretStr,
}

Said = str | list[Any]
"""A type as routes.json says it: a word, a shape after #, or a list that begins with how it holds others."""


@cache
def table() -> dict[str, Any]:
    """What routes.json says: the operations of the API, and the shapes of their answers."""
    from importlib.resources import files

    return msgspec.json.decode((files("tidegate.cli") / "routes.json").read_bytes())


def decoded(content: bytes, said: Said) -> Any:
    """An answer as what it is. Raises msgspec.MsgspecError for what is something else."""
    return msgspec.json.decode(content, type=type_of(said), dec_hook=_hidden)


def _hidden(kind: type, value: Any) -> Any:
    return kind(value)


def type_of(said: Said) -> Any:
    """The Python type that is said."""
    if isinstance(said, str):
        return shape(said[1:]) if said.startswith("#") else PLAIN[said]
    how, *parts = said
    inner = tuple(type_of(part) for part in parts)
    if how == "union":
        return Union[inner]  # noqa: UP007 - made of what is said
    return {"list": list, "dict": dict, "tuple": tuple}[how][inner[0] if how == "list" else inner]


@cache
def shape(name: str) -> type[msgspec.Struct]:
    """The Struct of this name: `reads.connection.ConnectionDetail`."""
    fields = [(field, type_of(said)) for field, said in table()["shapes"][name]]
    return msgspec.defstruct(name.rpartition(".")[2], fields, frozen=True, kw_only=True)
