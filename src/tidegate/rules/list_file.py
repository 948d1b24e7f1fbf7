"""A list as CSV: every row with all its fields, a page at a time, whatever its length; no cell is a formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, cast, get_args, get_origin

import msgspec

from tidegate.rules.mapping_file import written

BATCH: Final = 500
"""So many rows are read at once."""

Ask = Callable[[Any, int], tuple[Sequence[Any], Any]]
"""A page of the list behind a cursor: its rows, and the cursor of the next."""


def lines(row: type[msgspec.Struct], ask: Ask, only: Sequence[str] = (), cursor: Any = None) -> Iterator[bytes]:
    """A page of lines at a time, the head first; of `only` these fields, where some are named: `name`, `findings.open`,
    or `findings` for all of it."""
    columns, first = [name for name in columns_of(row) if not only or _named(name, only)], True
    while first or cursor is not None:
        found, cursor = ask(cursor, BATCH)
        told = list(written(([_cell(one, path) for path in columns] for one in found), columns))
        yield "".join(told if first else told[1:]).encode()
        first = False


def columns_of(row: type[msgspec.Struct], before: str = "") -> Iterator[str]:
    """The fields by name; of a Struct within, its own."""
    for one in msgspec.structs.fields(row):
        kind = getattr(one.type, "__origin__", one.type)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from columns_of(kind, f"{before}{one.name}.")
        else:
            yield f"{before}{one.name}"


def rows_within(answer: Any) -> tuple[str, type[msgspec.Struct]] | None:
    """Of the Struct of a list the field that holds its rows, and what a row is; None for one that is no list."""
    if not isinstance(answer, type) or not answer.__name__.endswith(("Page", "List")):
        return None
    found = [
        (one.name, kind)
        for one in msgspec.structs.fields(cast("type[msgspec.Struct]", answer))
        if (kind := _of_a_list(one.type)) is not None
    ]
    return found[0] if len(found) == 1 else None


def _of_a_list(kind: Any) -> type[msgspec.Struct] | None:
    while hasattr(kind, "__metadata__"):
        kind = kind.__origin__
    within = get_args(kind)[0] if get_origin(kind) is list else None
    return within if isinstance(within, type) and issubclass(within, msgspec.Struct) else None


def _named(column: str, only: Sequence[str]) -> bool:
    return any(column == name or column.startswith(f"{name}.") for name in only)


def _cell(row: Any, path: str) -> str:
    for name in path.split("."):
        row = getattr(row, name)
    return _text(row)


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime() | date():
            return value.isoformat()
        case msgspec.Struct():
            return _text(msgspec.structs.asdict(value))
        case Mapping():
            said = cast("Mapping[str, Any]", value)
            return "; ".join(f"{name} {_text(one)}" for name, one in said.items())
        case list() | tuple():
            return " ".join(map(_text, cast("Sequence[Any]", value)))
        case _:
            return str(value)
