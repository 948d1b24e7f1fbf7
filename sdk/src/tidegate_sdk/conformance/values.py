"""What goes wrong inside a row or around the rows: one value at a time becomes a word, a text or a thing never seen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .body import ABSENT, Way

WORD = "tidegate-never-saw-this"
"""A word that no vendor's table holds."""

Kind = Literal["word", "text", "date", "type"]
KINDS: tuple[Kind, ...] = ("word", "text", "date", "type")

_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d|$)")


@dataclass(frozen=True, slots=True)
class Raw:
    """JSON that json.dumps would not write."""

    text: str


@dataclass(frozen=True, slots=True)
class Odd:
    """One odd value for a place. `kind` says what may become of the finding: see judgement.py."""

    name: str
    kind: Kind
    value: Any


def odd_values(value: Any, *, often: bool = False) -> Iterator[Odd]:
    """The odd values for a healthy one. `often` leaves out the large ones, where many places are tried."""
    if isinstance(value, list | dict):
        yield Odd("null", "type", None)
        yield Odd("missing", "type", ABSENT)
        yield Odd("a text", "type", WORD)
        yield Odd("a number", "type", 7)
        return
    if isinstance(value, bool):
        yield Odd("a word", "type", WORD)
    elif isinstance(value, str):
        yield from _for_text(value, often)
    elif isinstance(value, int | float):
        yield Odd("a text", "type", WORD)
        yield Odd("negative", "type", -1)
        yield Odd("huge", "type", 10**30)
        yield Odd("beyond floats", "type", Raw("1e999"))
    for name, other in _ANYWHERE.items():
        if other != value or other is ABSENT:
            yield Odd(name, "type", other)


def takes_away(way: Way, odd: Odd) -> bool:
    """Whether the odd value shortens a list: a shorter list is another truth, no fault."""
    return odd.value is ABSENT and isinstance(way[-1], int)


def _for_text(value: str, often: bool) -> Iterator[Odd]:
    yield Odd("a word never seen", "word", WORD)
    yield Odd("empty", "type", "")
    yield Odd("a number for text", "type", 7)
    yield Odd("true for text", "type", True)
    if _ISO.match(value):
        for name, date in _DATES.items():
            yield Odd(name, "date", date)
        return
    if value.lower().startswith(("http://", "https://")):
        yield Odd("a script for a link", "text", f"javascript:alert(1)//{value}")
    for name, poison in _POISON.items():
        yield Odd(name, "text", value + poison)
    yield Odd("raw NUL", "text", Raw(json.dumps(value)[:-1] + '\0 after"'))
    if not often:
        yield Odd("1 MB", "text", value + " " + "x" * 1_000_000)


_ANYWHERE: Mapping[str, Any] = {
    "null": None,
    "missing": ABSENT,
    "a list": [],
    "an object": {},
    "nested 300 deep": Raw("[" * 300 + "]" * 300),
}

_POISON: Mapping[str, str] = {
    "NUL": "\0 after",
    "lone surrogate": "\ud800 after",
    "markup": "<script>alert(1)</script><!--]]>&'\"",
}

_DATES: Mapping[str, Any] = {
    "date in words": "last Tuesday",
    "date without time": "2024-02-29",
    "date without zone": "2024-02-29T12:00:00",
    "date that is none": "2023-02-30T25:61:61Z",
    "date in year zero": "0000-00-00T00:00:00Z",
    "date at the end of time": "9999-12-31T23:59:59-14:00",
    "date in the future": "2199-01-01T00:00:00Z",
    "date as seconds": 1_714_000_000,
    "date as huge number": 10**20,
    "date with nanoseconds": "2024-02-29T12:00:00.123456789Z",
    "empty date": "",
}


def encoded(tree: Any) -> bytes:
    """JSON, with Raw values written as they are."""
    raw: list[str] = []

    def stand_in(value: object) -> str:
        if not isinstance(value, Raw):
            raise TypeError(f"{value!r} is no JSON.")
        raw.append(value.text)
        return f"tidegate-raw-{len(raw) - 1}"

    text = json.dumps(tree, default=stand_in)
    for number, instead in enumerate(raw):
        text = text.replace(f'"tidegate-raw-{number}"', instead)
    return text.encode()
