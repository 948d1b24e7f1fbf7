"""From the bytes of an answer to plain values, bounded and without trust; no I/O."""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, cast
from xml.parsers import expat

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
    return storable(value)


def storable(value: Any) -> Any:
    """The value with NUL and lone surrogates in its texts replaced."""
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


def xml_texts(data: bytes) -> dict[str, str]:
    """The texts of the elements of small XML that hold nothing else, by their names; of two of a name the first.

    What AWS says of errors and credentials is such a document. Raises VendorChanged for what is none, and for a
    document type, in which entities would be declared.
    """
    found: dict[str, str] = {}
    path: list[str] = []
    words: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        path.append(name.rpartition(":")[2])
        words.clear()

    def end(name: str) -> None:
        if words:
            found.setdefault(path[-1], "".join(words))
        path.pop()
        words.clear()

    def refuse(*_: object) -> None:
        raise VendorChanged("The answer is XML with a document type, which is not read.")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = words.append, refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise VendorChanged(f"The answer is not XML ({error}).") from None
    return found


def told_in(data: bytes, where: str) -> Any:
    """What an error's body says: its JSON, or the texts of its XML by their names; None where it is neither."""
    try:
        if data.removeprefix(_BOM).lstrip()[:1] == b"<" and not is_web_page(data):
            return xml_texts(data)
        return decode(data, where)
    except VendorChanged:
        return None


def _decode_leniently(data: bytes, where: str, problem: str) -> Any:
    """The standard library reads what msgspec refuses: lone surrogates and control characters in texts."""
    try:
        return json.loads(data.decode(), strict=False, parse_constant=refuse_number, parse_float=finite)
    except RecursionError:
        raise VendorChanged(f"{where} answered with data nested too deeply to be read.") from None
    except UnicodeDecodeError:
        raise VendorChanged(f"{where} answered with text that is not UTF-8.") from None
    except ValueError:
        raise VendorChanged(f"{where} answered with something that is not JSON ({problem}).") from None


def finite(digits: str) -> float:
    """A number of JSON; raises ValueError beyond what a float holds."""
    number = float(digits)
    return number if math.isfinite(number) else refuse_number(digits)


def refuse_number(digits: str) -> NoReturn:
    """NaN and infinity are no JSON."""
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
