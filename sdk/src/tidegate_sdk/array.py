"""A list in JSON that is larger than memory, row by row: a reader for `Ask(reader=rows_of_array)`.

What is larger still, or no list at its top, needs a reader of its own (Tidegate's report folder has one).
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from .body import finite, refuse_number, storable
from .errors import Incomplete, VendorChanged

_PIECE = 2**20
_ROW = 16 * 2**20
"""Characters of one row; as much as a whole page may have elsewhere."""
_BLANKS = 2**16
"""Between two rows; a small body may be megabytes of them once it is decompressed."""
_MARK = re.compile(r"[^ \t\r\n]")
_AFTER = frozenset(" \t\r\n,]")
"""What may stand behind a value."""
_UNSTORABLE = re.compile(r"\x00|\\u0000|\\u[dD][89a-fA-F]")
_decoder = json.JSONDecoder(strict=False, parse_constant=refuse_number, parse_float=finite)


def rows_of_array(file: BinaryIO) -> Iterator[Any]:
    """The items of the list that the file holds. NUL and lone surrogates in their texts become U+FFFD.

    Raises VendorChanged where it is no list, Incomplete where it ends too early or goes on as no JSON.
    """
    text = _Text(file)
    if text.next_mark() != "[":
        raise VendorChanged("The answer is no list.")
    if text.next_mark() == "]":
        mark = "]"
    else:
        text.back()
        mark = ","
    while mark == ",":
        yield text.value()
        mark = text.next_mark()
    if mark != "]":
        raise VendorChanged("The list of the answer is broken off by something else.")
    if text.next_mark(last=True):
        raise VendorChanged("Something follows the list of the answer.")


class _Text:
    """The text of a file, of which only a few rows are held at once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._decode = file, codecs.getincrementaldecoder("utf-8-sig")()
        self._held, self._at, self._ended = "", 0, False

    def next_mark(self, *, last: bool = False) -> str:
        """The next character that is not blank, passed; "" at the end of the file, if that may come."""
        while (at := self._next()) == len(self._held) and self._more():
            if at - self._at > _BLANKS:
                raise VendorChanged(f"The answer has more than {_BLANKS:,} blanks between two rows.")
        mark = self._held[at : at + 1]
        if not mark and not last:
            raise Incomplete("The answer ends within its list.")
        self._at = at + len(mark)
        return mark

    def back(self) -> None:
        """One character back."""
        self._at -= 1

    def value(self) -> Any:
        """The next value. What is held may end within it: 12 is the beginning of 123 and of 12e3."""
        while True:
            begins = self._next()
            try:
                value, ends = _decoder.raw_decode(self._held, begins)
            except RecursionError:
                raise VendorChanged("A row is nested too deeply to be read.") from None
            except ValueError as error:
                if self._more():
                    continue
                raise Incomplete(f"A row of the answer is cut off, or is no JSON ({error}).") from None
            if self._held[ends : ends + 1] not in _AFTER and self._more():
                continue
            self._at = ends
            return storable(value) if _UNSTORABLE.search(self._held, begins, ends) else value

    def _next(self) -> int:
        """Where the next character stands that is not blank; the end of what is held where there is none."""
        found = _MARK.search(self._held, self._at)
        return found.start() if found else len(self._held)

    def _more(self) -> bool:
        """Reads on, and lets go of what was passed; False at the end of the file."""
        if self._ended:
            return False
        if len(self._held) - self._at > _ROW:
            raise VendorChanged(f"A row of the answer has more than {_ROW:,} characters, or is no JSON.")
        data = self._file.read(max(_PIECE, len(self._held) - self._at))
        self._ended = not data
        try:
            self._held = self._held[self._at :] + self._decode.decode(data, final=self._ended)
        except UnicodeDecodeError:
            raise VendorChanged("The answer has text that is not UTF-8.") from None
        self._at = 0
        return not self._ended
