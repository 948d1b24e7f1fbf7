"""How lists of Checkmarx One are walked: results, whose positions may be pages, and branches, without a total."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

import msgspec

from tidegate_sdk import Ask, Incomplete, Offset, Page, PageNumber, Proof, VendorChanged, Walk

PER_PAGE = 500
LONGEST = 2**24
TOTAL = "totalCount"


@dataclass(frozen=True, slots=True)
class Results:
    """A position and a page size, with a declared total.

    The documentation calls `offset` the number of results that are left out; the vendor's own command line counts pages
    with it. So where the second page, asked for by position, is empty, it is asked for by number. What overlaps with
    the first one then is refused: it would hide as many rows as it repeats.
    """

    per: int = PER_PAGE
    total: str = TOTAL

    def walk(self, first: Ask) -> Walk:
        walk, pages = Offset(self.total, per=self.per).walk(first), list[Page]()
        step = next(walk)
        while True:
            page = yield step
            pages.append(page)
            if len(pages) == 2 and not page.count:
                return (yield from self._numbered(first, pages[0]))
            try:
                step = walk.send(page)
            except StopIteration as end:
                return end.value
            del pages[1:-1]

    def _numbered(self, first: Ask, begun: Page) -> Walk:
        """On from the first page, which is not asked for again."""
        walk = PageNumber(self.total, page="offset", size="limit", per=self.per, start=0).walk(first)
        next(walk)
        step = walk.send(begun)
        while True:
            page = yield step
            if any(row in begun.rows for row in page.rows):
                raise Incomplete(f"The page after the first {begun.count} rows is empty, and by number it overlaps.")
            try:
                step = walk.send(page)
            except StopIteration as end:
                return end.value


@dataclass(slots=True)
class Names:
    """A list of bare names, a page of them at a position; only an empty page is the end."""

    per: int = PER_PAGE
    _came: list[str] = field(default_factory=list[str])

    def walk(self, first: Ask) -> Walk:
        seen, pages, before = 0, 0, list[str]()
        while True:
            page = yield replace(first.more(offset=seen, limit=self.per), reader=self._rows)
            if not page.count:
                return Proof(seen, None, "drifting", max(pages, 1))
            if self._came == before:
                raise Incomplete(f"Checkmarx One sends the same names again after {seen}.")
            seen, pages, before = seen + page.count, pages + 1, self._came

    def _rows(self, file: BinaryIO) -> Iterator[dict[str, Any]]:
        data = file.read(LONGEST + 1)
        if len(data) > LONGEST:
            raise VendorChanged("A page of names is too long to be one.")
        try:
            names: Any = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise VendorChanged("The names are no JSON.") from None
        if names is not None and not isinstance(names, list):
            raise VendorChanged("The names are no list.")
        self._came = [str(name) for name in names or []]
        yield from ({"name": name} for name in names or [])
