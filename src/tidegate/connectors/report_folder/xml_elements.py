"""Elements out of an XML document that is larger than memory; document types and entities are refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, cast
from xml.etree.ElementTree import Element, ParseError
from xml.parsers.expat import errors

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from tidegate_sdk import Incomplete, VendorChanged

_DEPTH = 200
_VALUE_BYTES = 16 * 2**20
_LARGE_PIECE = 2**21
_CUT = {
    errors.codes[text]
    for text in (
        errors.XML_ERROR_NO_ELEMENTS,
        errors.XML_ERROR_UNCLOSED_TOKEN,
        errors.XML_ERROR_PARTIAL_CHAR,
        errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}
_NEXT = "Have the tool write the report again; nothing of it was closed."


Place = tuple[str, ...]


def elements(
    file: BinaryIO, wanted: frozenset[Place], noted: frozenset[Place] = frozenset()
) -> Iterator[tuple[Place, Element]]:
    """Each element at a wanted place (local names from below the root), whole, then forgotten; () is the root's start.

    An element at a noted place comes without what was in it.

    Raises Incomplete where the document ends too early, VendorChanged where it is not XML or declares a type.
    """
    file.seek(0)
    source = _Source(file)
    stack: list[Element] = []
    path: list[str] = []
    try:
        for event, element in iterparse(cast("BinaryIO", source), events=("start", "end"), forbid_dtd=True):
            if event == "start":
                stack.append(element)
                path.append(local(element))
                if len(stack) > _DEPTH:
                    raise VendorChanged(f"It is nested more than {_DEPTH} levels deep.", _NEXT)
                if len(stack) == 1:
                    yield (), element
                continue
            place = tuple(path[1:])
            if place in wanted or place in noted:
                yield place, element
            stack.pop()
            path.pop()
            if stack and not any(place[:length] in wanted for length in range(1, len(place))):
                stack[-1].remove(element)
                source.since = 0
    except DefusedXmlException:
        raise VendorChanged("It declares a document type or entities, which are never read.", _NEXT) from None
    except ParseError as error:
        if error.code in _CUT:
            raise Incomplete(
                "It is cut or still being written.", "Nothing was closed. The next run reads it again."
            ) from None
        raise VendorChanged(f"It is not valid XML ({error}).", _NEXT) from None
    except (LookupError, ValueError) as error:  # what expat says to an encoding it does not know
        raise VendorChanged(f"It is XML in an encoding that cannot be read ({error}).", _NEXT) from None


class _Source:
    """The file as the parser takes it, bounded per element: a text has no events before its end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.since = 0  # bytes since an element was last forgotten

    def read(self, size: int) -> bytes:
        # Larger pieces inside a large element: expat begins such a token anew with each piece.
        data = self._file.read(min(max(size, self.since), _LARGE_PIECE))
        self.since += len(data)
        if self.since > _VALUE_BYTES:
            raise VendorChanged("It holds a single element of more than 16 MB.", _NEXT)
        return data


def local(element: Element) -> str:
    """The name without its namespace."""
    return str(element.tag).rpartition("}")[2]
