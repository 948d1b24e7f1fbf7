"""Decoded JSON as a tree: what stands at a path, and the same tree with one thing changed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, cast

Way = tuple[str | int, ...]
"""The names and positions that lead to one place in a tree."""

ABSENT: Any = object()
"""Put at a place, it takes the place away."""


def at(tree: Any, path: str | Way) -> Any:
    """What stands at a dotted path, or at a Way; None where nothing does."""
    found = tree
    for step in path if isinstance(path, tuple) else path.split(".") if path else ():
        if isinstance(found, dict):
            found = cast("dict[Any, Any]", found).get(step)
        elif isinstance(found, list) and isinstance(step, int) and step < len(cast("list[Any]", found)):
            found = cast("list[Any]", found)[step]
        else:
            return None
    return cast("Any", found)


def put(tree: Any, path: str | Way, value: Any) -> Any:
    """A copy of the tree with this value at the path; ABSENT takes the place away. The path must be there."""
    way: Way = path if isinstance(path, tuple) else tuple(path.split(".")) if path else ()
    if not way:
        return value
    changed = copy.deepcopy(tree)
    holder = at(changed, way[:-1])
    if value is ABSENT:
        del holder[way[-1]]
    else:
        holder[way[-1]] = value
    return changed


def places(tree: Any, way: Way = ()) -> Iterator[tuple[Way, Any]]:
    """Every place below the top with what stands there, from the top down."""
    if way:
        yield way, tree
    if isinstance(tree, dict):
        for name, value in cast("dict[str, Any]", tree).items():
            yield from places(value, (*way, name))
    elif isinstance(tree, list):
        for position, value in enumerate(cast("list[Any]", tree)):
            yield from places(value, (*way, position))


def field(way: Way) -> str:
    """The place's name, whatever the position in lists: `locations.*.path`."""
    return ".".join("*" if isinstance(step, int) else step for step in way)


def kind_of(value: object) -> str:
    """The name of the value's type."""
    return type(value).__name__


def contained(part: Any, whole: Any) -> bool:
    """Whether the whole says all that the part says; lists only as a whole."""
    if not isinstance(part, dict):
        return bool(part == whole)
    wanted = cast("dict[str, Any]", part)
    there = cast("dict[str, Any]", whole) if isinstance(whole, dict) else {}
    return all(name in there and contained(value, there[name]) for name, value in wanted.items())
