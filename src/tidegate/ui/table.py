"""A list as its address says it: search, filters, sort and page, each a name in the query, so that it can be shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest

from tidegate.reads.page import number

LIMITS: Final = (25, 50, 100, 200)
PAGE: Final = 50
FORMED: Final = ("tool", "product_id", "since", "until")
"""Filters that are chosen in a form, since they have too many values for a link each."""


@dataclass(frozen=True)
class Table:
    """One list of a page. With several on a page each has a `prefix` before its names: `u.search`.

    A value that the list does not know is left out, as if it had not been given: an old address still opens.
    """

    request: HttpRequest
    name: str
    """The id of its element, which HTMX exchanges."""
    prefix: str = ""
    filters: Mapping[str, Sequence[str] | type[str] | None] = field(default_factory=dict)
    """What it can be narrowed by, and the values that are allowed; None allows any number, `str` any text."""
    sorts: Sequence[str] = ()
    """What it can be sorted by, the usual one first; with a leading "-" for descending ones."""
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    """The columns that one may choose, and what is over each."""
    usual: Sequence[str] = ()
    """Those that are shown until somebody chooses."""
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Filters that the page sets, whatever its address says."""

    def given(self, name: str) -> str:
        """What the address says; empty where nothing."""
        return self.request.GET.get(self.prefix + name, "").strip()

    @property
    def search(self) -> str:
        """The words typed."""
        return self.given("search")

    @property
    def sort(self) -> str:
        """The order asked for, or the usual one."""
        asked = self.given("sort")
        return asked if asked in self.sorts else next(iter(self.sorts), "")

    @property
    def cursor(self) -> str | None:
        """Where the page begins."""
        return self.given("cursor") or None

    @property
    def limit(self) -> int:
        """Rows a page."""
        asked = self.given("limit")
        return int(asked) if asked.isascii() and asked.isdigit() and int(asked) in LIMITS else PAGE

    @property
    def limits(self) -> Sequence[int]:
        """What may be chosen."""
        return LIMITS

    def filter(self, name: str) -> Any:
        """The filter's value, a word or a number; None where it is not set."""
        if name in self.fixed:
            return self.fixed[name]
        asked, allowed = self.given(name), self.filters[name]
        if allowed is None:
            return number(asked)
        if isinstance(allowed, type):
            return asked[:200] or None
        return asked if asked in allowed else None

    @property
    def chosen(self) -> dict[str, Any]:
        """Every filter that is set."""
        there = [name for name in self.filters if name not in self.fixed]
        return {name: value for name in there if (value := self.filter(name)) is not None}

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.search or self.chosen)

    @property
    def chosen_columns(self) -> list[str]:
        """Those that are shown: what the address says, or the usual ones."""
        asked = self.request.GET.getlist(f"{self.prefix}columns")
        return [name for name in self.columns if name in (asked or self.usual)]

    @property
    def as_csv(self) -> bool:
        """Whether all of it is asked for, to be saved."""
        return self.given("csv") == "yes"

    @property
    def csv_link(self) -> str:
        """All of it as it is narrowed and sorted, as a file."""
        return self.link(csv="yes")

    def link(self, **changes: Any) -> str:
        """The same page with these changes of this list; back on its first page, the other lists as they are. None
        takes a name out."""
        changed = {f"{self.prefix}{name}": value for name, value in changes.items()}
        kept = [one for one in self._said if one[0] != f"{self.prefix}cursor" and one[0] not in changed]
        query = urlencode([*kept, *((name, value) for name, value in changed.items() if value not in (None, ""))])
        return f"{self.request.path}?{query}" if query else self.request.path

    @property
    def _said(self) -> list[tuple[str, str]]:
        """Every name of the address with each of its values."""
        return [(name, value) for name, values in self.request.GET.lists() for value in values]

    @property
    def cleared(self) -> str:
        """The same page with nothing left out of this list."""
        return self.link(search=None, **dict.fromkeys(self.filters))

    @property
    def others(self) -> list[tuple[str, str]]:
        """What a form of this list has to keep: every name of the address that it does not ask for itself."""
        return self._but("search", "cursor")

    @property
    def others_than_columns(self) -> list[tuple[str, str]]:
        """The same for the form that chooses columns."""
        return self._but("columns", "cursor")

    @property
    def others_than_filters(self) -> list[tuple[str, str]]:
        """The same for a form of filters and of the order."""
        return self._but("sort", "cursor", *FORMED)

    def _but(self, *names: str) -> list[tuple[str, str]]:
        own = {f"{self.prefix}{name}" for name in names}
        return [one for one in self._said if one[0] not in own]

    def sorted_by(self, name: str) -> str:
        """How the list is sorted by this column: `ascending`, `descending`, or empty."""
        return {name: "ascending", f"-{name}": "descending"}.get(self.sort, "")

    def sort_link(self, name: str) -> str:
        """Sorts by this column; the other way round where it is already."""
        ways = [way for way in (name, f"-{name}") if way in self.sorts]
        return self.link(sort=next((way for way in ways if way != self.sort), ways[0]))
