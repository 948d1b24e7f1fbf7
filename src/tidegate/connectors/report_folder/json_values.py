"""Values out of a JSON document that is larger than memory: asked-for paths are built, all else is passed over."""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO, Final

import ijson
from ijson.common import JSONError

from tidegate_sdk import Incomplete, VendorChanged

EACH: Final = "*"
"""In a path: every item of a list, or every member of an object."""
BUILD: Final = "build"
COUNT: Final = "count"

_PARSER: Any = ijson.get_backend("yajl2_c")  # alone: the others word errors differently and are ten times slower

Path = tuple[str | int, ...]
Tree = dict[str, Any]

_ROOM = 64 * 2**20
_PIECE = 2**16
_LARGE_PIECE = 2**21
_VALUE_BYTES = 16 * 2**20
_DEPTH = 200
_OPENING = frozenset({"start_map", "start_array"})
_CLOSING = frozenset({"end_map", "end_array"})
_BOUNDS = _OPENING | _CLOSING
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def tree(*build: str, count: tuple[str, ...] = ()) -> Tree:
    """The paths to look at, as `values` takes them: `tree("runs.*.tool.driver.name", count=("runs.*.results",))`."""
    root: Tree = {}
    for paths, how in ((build, BUILD), (count, COUNT)):
        for path in paths:
            *way, last = path.split(".")
            node = root
            for part in way:
                node = node.setdefault(part, {})
            node[last] = how
    return root


class Room:
    """What may be kept of one document while it is read, so that one made of nothing but names is not held whole."""

    def __init__(self, size: int = _ROOM) -> None:
        self._left = size
        self.full = False
        """Whether something did not fit: what is missing then need not be missing in the document."""

    def takes(self, value: Any) -> bool:
        """Whether there is room for the value, which is then taken; of what is small beside it something may fit."""
        size = weight(value)
        if size > self._left:
            self.full = True
            return False
        self._left -= size
        return True

    def need(self, value: Any) -> None:
        """Takes the value. Raises VendorChanged where it does not fit."""
        if not self.takes(value):
            raise VendorChanged("It names more tools, runs and folders than fit into memory.", _NEXT)


def weight(value: Any) -> int:
    """About how many bytes a value takes in memory."""
    if isinstance(value, str):
        return 60 + len(value)
    if isinstance(value, dict):
        return 250 + sum(weight(name) + weight(item) for name, item in value.items())
    return 100 + sum(map(weight, value)) if isinstance(value, (list, tuple)) else 40


def values(file: BinaryIO, wanted: Tree, drop: frozenset[str] = frozenset()) -> Iterator[tuple[Path, Any]]:
    """Each wanted path with its value, in document order; members named in `drop` are left out of built values.

    A container on the way is announced by an empty one of its kind, a counted list by its length at its end. Raises
    Incomplete where the document ends too early, VendorChanged where it is not JSON.
    """
    file.seek(0)
    source = _Source(file)
    try:
        yield from _Walk(source, drop).value(wanted)
    except UnicodeDecodeError:
        raise VendorChanged("It holds text that is not UTF-8.", _NEXT) from None
    except JSONError as error:
        raise _problem(error) from None


_NEXT = "Have the tool write the report again, as UTF-8 JSON; nothing of it was closed."


def _problem(error: JSONError) -> Incomplete | VendorChanged:
    """What the parser's complaint means to whoever owns the report."""
    text = str(error.args[0] if error.args else error)
    if "premature EOF" in text:
        return Incomplete("It is cut or still being written.", "Nothing was closed. The next run reads it again.")
    if "UTF8" in text:
        return VendorChanged("It holds text that is not UTF-8.", _NEXT)
    return VendorChanged(f"It is not valid JSON ({text.splitlines()[0].strip()[:100]}).", _NEXT)


class _Source:
    """The file as the parser takes it: UTF-8 without mark, without halves of surrogate pairs, bounded per value."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder: codecs.IncrementalDecoder | None = None
        self._begun = False
        self.since = 0  # bytes since the walk last came to a rest

    def read(self, size: int) -> bytes:
        # Larger pieces inside a large value: the parser begins such a text anew with each piece.
        data = self._file.read(min(max(_PIECE, self.since), _LARGE_PIECE) if size else 0)
        while b"\\" in data[-24:] and len(data) < 2 * _LARGE_PIECE and (more := self._file.read(64)):
            data += more  # an escape is never cut in two
        if not self._begun and data:
            data = self._begin(data)
        if self._decoder is not None and size:
            data = self._decoder.decode(data, not data).encode("utf-8", "replace")
        if b"\\ud" in data or b"\\uD" in data:
            data = _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], data)
        self.since += len(data)
        if self.since > _VALUE_BYTES + _LARGE_PIECE:
            raise VendorChanged("It holds a single value of more than 16 MB.", _NEXT)
        return data

    def _begin(self, data: bytes) -> bytes:
        self._begun = True
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # what `>` writes in PowerShell 5
            self._decoder = codecs.getincrementaldecoder("utf-16")()
        return data.removeprefix(codecs.BOM_UTF8)


class _Walk:
    """One walk over the parser's events. `basic_parse`, because the others keep a path text of each open level."""

    def __init__(self, source: _Source, drop: frozenset[str]) -> None:
        self._source = source
        self._drop = drop
        self._events = _PARSER.basic_parse(source, buf_size=_PIECE)

    def value(self, wanted: Tree) -> Iterator[tuple[Path, Any]]:
        kind, value = next(self._events)
        yield from self._enter(kind, value, wanted, ())
        for _ in self._events:  # the parser raises where anything follows the end
            pass

    def _enter(self, kind: str, value: Any, node: Any, path: Path) -> Iterator[tuple[Path, Any]]:
        self._source.since = 0
        if node is None:
            self._pass(kind)
        elif node == BUILD:
            yield path, self._build(kind) if kind in _OPENING else _plain(value)
        elif node == COUNT:
            yield path, self._count(kind)
        elif kind == "start_map":
            yield path, {}
            for event, name in self._events:
                if event == "end_map":
                    return
                inner, item = next(self._events)
                yield from self._enter(inner, item, node.get(name, node.get(EACH)), (*path, name))
        elif kind == "start_array":
            yield path, []
            for index, (event, item) in enumerate(self._events):
                if event == "end_array":
                    return
                yield from self._enter(event, item, node.get(EACH), (*path, index))
        else:
            yield path, _plain(value)

    def _count(self, kind: str) -> int | None:
        """The number of items of a list; None where there is no list."""
        if kind != "start_array":
            self._pass(kind)
            return None
        count = 0
        for event, _ in self._events:
            if event == "end_array":
                break
            count += 1
            self._pass(event)
        return count

    def _pass(self, kind: str) -> None:
        """Goes to the end of a value without keeping anything of it."""
        if kind not in _OPENING:
            return
        depth, source = 1, self._source
        for event, _ in self._events:
            if event not in _BOUNDS:
                continue
            if event in _OPENING:
                depth += 1
                if depth > _DEPTH:
                    raise _too_deep()
            else:
                depth -= 1
                source.since = 0
                if not depth:
                    return

    def _build(self, kind: str) -> Any:
        """The object or list that has just begun, as Python has it, without the dropped members."""
        root: Any = {} if kind == "start_map" else []
        container: Any = root
        stack: list[Any] = []
        name, events, drop = "", self._events, self._drop
        for event, item in events:
            if event == "map_key":
                name = item
                if name in drop:
                    self._pass(next(events)[0])
                continue
            if event in _CLOSING:
                if not stack:
                    return root
                container = stack.pop()
                continue
            outer, found = container, item
            if event in _OPENING:
                container = found = {} if event == "start_map" else []
                stack.append(outer)
                if len(stack) > _DEPTH:
                    raise _too_deep()
            elif event == "number":
                found = _plain(item)
            if type(outer) is dict:
                outer[name] = found
            else:
                outer.append(found)
        return root


def _too_deep() -> VendorChanged:
    return VendorChanged(f"It is nested more than {_DEPTH} levels deep.", _NEXT)


def _plain(value: Any) -> Any:
    """A number as JSON has it; the parser's Decimal goes no further."""
    if isinstance(value, Decimal):
        number = float(value)
        return number if math.isfinite(number) else str(value)
    return value
