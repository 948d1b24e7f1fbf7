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


@dataclass(frozen=True)
class Table:
    """One list of a page. With several on a page each has a `prefix` before its names: `u.search`.

    A value that the list does not know is left out, as if it had not been given: an old address still opens.
    """

    request: HttpRequest
    name: str
    """The id of its element, which HTMX exchanges."""
    prefix: str = ""
    filters: Mapping[str, Sequence[str] | None] = field(default_factory=dict)
    """What it can be narrowed by, and the values that are allowed; None allows any number."""
    sorts: Sequence[str] = ()
    """What it can be sorted by, the usual one first; with a leading "-" for descending ones."""

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
        asked, allowed = self.given(name), self.filters[name]
        if allowed is None:
            return number(asked)
        return asked if asked in allowed else None

    @property
    def chosen(self) -> dict[str, Any]:
        """Every filter that is set."""
        return {name: value for name in self.filters if (value := self.filter(name)) is not None}

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out."""
        return bool(self.search or self.chosen)

    def link(self, **changes: Any) -> str:
        """The same page with these changes of this list; back on its first page, the other lists as they are. None
        takes a name out."""
        kept = {
            name: value
            for name, value in self.request.GET.items()
            if name != f"{self.prefix}cursor" and name.removeprefix(self.prefix) not in changes
        }
        wanted = {f"{self.prefix}{name}": value for name, value in changes.items() if value not in (None, "")}
        query = urlencode(kept | wanted)
        return f"{self.request.path}?{query}" if query else self.request.path

    @property
    def cleared(self) -> str:
        """The same page with nothing left out of this list."""
        return self.link(search=None, **dict.fromkeys(self.filters))

    @property
    def others(self) -> list[tuple[str, str]]:
        """What a form of this list has to keep: every name of the address that it does not ask for itself."""
        own = {f"{self.prefix}search", f"{self.prefix}cursor"}
        return [(name, value) for name, value in self.request.GET.items() if name not in own]

    def sorted_by(self, name: str) -> str:
        """How the list is sorted by this column: `ascending`, `descending`, or empty."""
        return {name: "ascending", f"-{name}": "descending"}.get(self.sort, "")

    def sort_link(self, name: str) -> str:
        """Sorts by this column; the other way round where it is already."""
        ways = [way for way in (name, f"-{name}") if way in self.sorts]
        return self.link(sort=next((way for way in ways if way != self.sort), ways[0]))
