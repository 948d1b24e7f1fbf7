"""SonarQube's searches with many findings: they list 10,000 rows and no more, so a Tool asks for less at a time.

The pages of many.py are the same whatever was asked for. Here the fake SonarQube of the demo holds the copies of each
row, and filters, sorts, counts and cuts as its web API says; the rest the World's vendor answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

import msgspec

from tidegate.demo.fake_sonarqube import World, api
from tidegate_sdk.conformance import Answer, Exchange, Request
from tidegate_sdk.conformance.world import Vendor

ISSUES, HOTSPOTS = "/api/issues/search", "/api/hotspots/search"
CATEGORIES = (
    "buffer-overflow", "sql-injection", "rce", "object-injection", "command-injection", "path-traversal-injection",
    "ldap-injection", "xpath-injection", "log-injection", "xxe", "xss", "dos", "ssrf", "csrf", "open-redirect",
    "http-response-splitting", "weak-cryptography", "auth", "insecure-conf", "file-manipulation", "encrypt-data",
    "permission",
)  # fmt: skip
"""What a question can part hotspots by, beside their status."""

Rows = Callable[[Exchange], Iterable[tuple[int, Any]]]


class Searches:
    """What all searches find; whoever asks the same again is told the same bytes, at once.

    `rows`: those that are there instead of the rows of a page, each with its number among the copies of one. No two
    copies were found at the same time, or are hotspots of one category after the other: so they can be parted.
    """

    def __init__(self, pages: Sequence[Exchange], rows: Rows) -> None:
        self.world = World()
        self._said: dict[str, Answer] = {}
        categories = cycle(CATEGORIES)
        for page in pages:
            if not is_search(page.request.path) or page.request.query["ps"] == "1":  # one row alone is a count
                continue
            if page.key[0] not in self.world.projects:
                self.world.add_project(page.key[0])
            branch = self.world.branch(page.key[0])
            if page.request.path.endswith(ISSUES):
                branch.issues += [created_earlier(row, number) for number, row in rows(page)]
            else:
                branch.hotspots += [{**row, "securityCategory": next(categories)} for _, row in rows(page)]

    def over(self, vendor: Vendor) -> Vendor:
        """The vendor, but for the searches."""
        return _Searched(self, vendor)

    def answer(self, request: Request) -> Answer:
        if request.url not in self._said:
            path = ISSUES if request.path.endswith(ISSUES) else HOTSPOTS
            status, body = api.answer(self.world, path, request.query)
            said = msgspec.json.encode(body)
            self._said[request.url] = Answer(content=said, status=status, headers={"content-type": "application/json"})
        return self._said[request.url]


class _Searched:
    def __init__(self, searches: Searches, vendor: Vendor) -> None:
        self._searches, self._vendor = searches, vendor

    def answer(self, request: Request) -> Answer:
        return (self._searches if is_search(request.path) else self._vendor).answer(request)


def is_search(path: str) -> bool:
    return path.endswith((ISSUES, HOTSPOTS))


def created_earlier(row: Mapping[str, Any], minutes: int) -> dict[str, Any]:
    """The row, created so much before it was."""
    created = datetime.fromisoformat(row["creationDate"]) - timedelta(minutes=minutes)
    return {**row, "creationDate": created.strftime("%Y-%m-%dT%H:%M:%S%z")}
