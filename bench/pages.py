"""Findings of about 1 KB as a vendor writes them, in pages that lie ready in a file, and a client that only fetches."""

from __future__ import annotations

import http.client
import os
import tempfile
from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from bench.findings import WORDS
from bench.loopback import TOKEN, Answer, as_json

PER_PAGE = 1_000
LIST = "applications/app/code"


class Pages:
    """One application with so many findings, answered page by page with what lies ready in a file without a name."""

    def __init__(self, findings: int) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - open for as long as this answers
        self._places: list[tuple[int, int]] = []
        at, last = 0, max(0, (findings - 1) // PER_PAGE)
        for number in range(last + 1):
            rows = range(number * PER_PAGE, min((number + 1) * PER_PAGE, findings))
            body = {"items": [row(n) for n in rows], "total": findings, "links": {"next": _path(number + 1, last)}}
            length = self._file.write(msgspec.json.encode(body))
            self._places.append((at, length))
            at += length

    def __call__(self, _host: str, path: str, query: dict[str, str]) -> Answer:
        asked = path.strip("/")
        if asked == "account":
            return as_json({"id": "the account", "name": "whole"})
        if asked == "applications":
            return as_json({"items": [{"id": "app", "name": "Application"}], "links": {"next": None}})
        number = int(query.get("page", 0))
        at, length = self._places[number]
        following = _path(number + 1, len(self._places) - 1)
        return Answer(
            os.pread(self._file.fileno(), length, at), headers={"X-Next": f"/{following}"} if following else {}
        )


def _path(page: int, last: int) -> str | None:
    return f"{LIST}?page={page}" if page <= last else None


def row(number: int) -> dict[str, object]:
    """A finding of about 1 KB as a vendor writes it; the same weakness as in findings.py."""
    return {
        "id": f"finding-{number:09}",
        "title": f"SQL injection in parameter {number % 97} of /api/v1/orders/{number}",
        "severity": ("low", "medium", "high", "critical")[number % 4],
        "status": "open",
        "description": f"{number}: " + WORDS * 7,
        "file": f"src/orders/handler_{number % 1000}.py",
        "line": number % 2000,
        "rule": f"python:S{number % 300}",
        "cwe": [89],
        "link": f"https://scanner.example.org/issues/{number}",
    }


def transfer(url: str, first: str) -> Iterator[bytes]:
    """The bodies of a list's pages, one after the other, and nothing done with them but to look for the next link."""
    address = urlsplit(url)
    line = http.client.HTTPConnection(address.hostname or "", address.port)
    path: str | None = first
    while path:
        line.request("GET", f"/{path.lstrip('/')}", headers={"Authorization": f"Bearer {TOKEN}"})
        answer = line.getresponse()
        yield answer.read()
        path = answer.headers["X-Next"]
    line.close()
