"""From the bytes of an answer to plain values, bounded and without trust; no I/O."""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, cast

import msgspec

from .errors import VendorChanged

_BOM = b"\xef\xbb\xbf"
_HTML = re.compile(
    # A comment ends at its first "-->": with ".*?" a row of comments could be divided in 2**n ways.
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # what no database and no UTF-8 takes
_PIECE = 2**20

_json = msgspec.json.Decoder()


def decode(data: bytes, where: str) -> Any:
    """The JSON value of a body. NUL and lone surrogates in its texts become U+FFFD.

    Raises VendorChanged where it is none; `where` names the question.
    """
    data = data.removeprefix(_BOM)
    if not data or data.isspace():
        raise VendorChanged(f"{where} answered with an empty body where data is due.")
    if is_web_page(data):
        raise web_page(where)
    try:
        value = _json.decode(data)
    except RecursionError:
        raise VendorChanged(f"{where} answered with data nested too deeply to be read.") from None
    except UnicodeDecodeError:
        raise VendorChanged(f"{where} answered with text that is not UTF-8.") from None
    except msgspec.DecodeError as error:
        value = _decode_leniently(data, where, str(error))
    else:
        if b"\\" not in data or b"\\u0000" not in data:  # one byte is found ten times as fast as six
            return value
    return with_texts(value, lambda text: _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text))


def is_web_page(start: bytes) -> bool:
    """Whether a body begins like HTML."""
    return _HTML.match(start.removeprefix(_BOM)[:2048]) is not None


def web_page(where: str) -> VendorChanged:
    """The error for HTML where data is due."""
    return VendorChanged(
        f"{where} answered with a web page where data is due; it looks like a login page.",
        "Check that the location points at the tool's own API and that no login page (SSO, a proxy) stands before it.",
    )


def with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """The value with every text in it changed, keys too. Walks without recursion: depth comes from outside."""
    holder: list[Any] = [value]
    todo: list[list[Any] | dict[Any, Any]] = [holder]
    while todo:
        container = todo.pop()
        places = enumerate(container) if isinstance(container, list) else list(container.items())
        for place, item in places:
            if isinstance(item, str):
                container[place] = change(item)
            elif isinstance(item, (list, dict)):
                todo.append(cast("list[Any] | dict[Any, Any]", item))
        if isinstance(container, dict):
            for name in [name for name in container if isinstance(name, str) and change(name) != name]:
                container[change(name)] = container.pop(name)
    return holder[0]


def _decode_leniently(data: bytes, where: str, problem: str) -> Any:
    """The standard library reads what msgspec refuses: lone surrogates and control characters in texts."""
    try:
        return json.loads(data.decode(), strict=False, parse_constant=_refuse_number, parse_float=_finite)
    except RecursionError:
        raise VendorChanged(f"{where} answered with data nested too deeply to be read.") from None
    except UnicodeDecodeError:
        raise VendorChanged(f"{where} answered with text that is not UTF-8.") from None
    except ValueError:
        raise VendorChanged(f"{where} answered with something that is not JSON ({problem}).") from None


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _refuse_number(digits)


def _refuse_number(digits: str) -> NoReturn:
    raise ValueError(digits)


class Decompressor:
    """Undoes a Content-Encoding piece by piece, so that a small body cannot become a large one in memory.

    httpx2's own decoder drops what follows the first member of a gzip body and takes a truncated one for whole.
    """

    def __init__(self, encoding: str, where: str) -> None:
        self._where = where
        try:
            self._window = {"": 0, "identity": 0, "gzip": 31, "x-gzip": 31, "deflate": 15}[encoding.strip().lower()]
        except KeyError:
            raise VendorChanged(f"{where} answered in an encoding that was not asked for: {encoding}.") from None
        self._member = zlib.decompressobj(self._window or 31)
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes of these, in pieces of at most 1 MB."""
        if not self._window:
            yield data
            return
        more = bool(data)
        while more:
            self._prepare(data)
            try:
                plain = self._member.decompress(data, _PIECE)
            except zlib.error as error:
                raise VendorChanged(f"{self._where} answered with damaged compression ({error}).") from None
            if plain:
                yield plain
            data = self._member.unused_data or self._member.unconsumed_tail
            more = bool(data) or len(plain) == _PIECE  # a full piece: zlib may hold more without more input

    def finish(self) -> None:
        """Raises VendorChanged if the compressed body ended too early."""
        if self._begun and not self._member.eof:
            raise VendorChanged(f"{self._where} answered with compressed data that is cut off.")

    def _prepare(self, data: bytes) -> None:
        """Begins the first member, or the next one after the end of one."""
        if not self._begun and self._window == 15 and data[0] & 0x0F != 8:
            self._member = zlib.decompressobj(-15)  # many servers send deflate without its zlib header
        elif self._member.eof and data:
            self._member = zlib.decompressobj(self._window)
        self._begun = True
