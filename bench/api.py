"""`./dev bench api`: what the calls of `./dev bench lists` cost through the API, each in turns with its read alone.

Asked in this process through the whole ASGI application: the gate, the token, the read, the JSON. What is beyond the
read is the API's own. A call that no route makes is left out, and said.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings as django_conf
from django.db import connection, reset_queries
from django.test.utils import CaptureQueriesContext
from rich.console import Console
from rich.table import Table

from bench.figure import say
from bench.lists import BAR_MS, BAR_QUERIES, Choice, built
from tidegate.config import Settings
from tidegate.reads.viewer import viewing
from tidegate.rules.access import FULL_ACCESS, Grant
from tidegate.rules.actor import at_this_machine
from tidegate.server.start import started

NAME = "localhost"


@dataclass
class Figure:
    """One call: the API's, and beside it the read's alone."""

    call: str
    times: int
    p50: float
    p95: float
    read_p50: float
    read_p95: float
    own_cpu: float
    """Milliseconds of this process's work beyond the read's at the median: a busy machine hardly moves it."""
    queries: int

    @property
    def kept(self) -> bool:
        return self.p95 <= BAR_MS and self.queries <= BAR_QUERIES

    def as_dict(self) -> dict[str, Any]:
        return {
            "call": self.call, "times": self.times, "p50_ms": round(self.p50, 1), "p95_ms": round(self.p95, 1),
            "read_p50_ms": round(self.read_p50, 1), "read_p95_ms": round(self.read_p95, 1),
            "own_cpu_ms": round(self.own_cpu, 1), "queries": self.queries,
            "bar_ms": BAR_MS, "bar_queries": BAR_QUERIES, "kept": self.kept,
        }  # fmt: skip

    def as_cells(self) -> tuple[str, ...]:
        times = (self.read_p50, self.read_p95, self.p50, self.p95, self.p50 - self.read_p50, self.own_cpu)
        return (
            self.call,
            str(self.times),
            *(f"{ms:.1f}" for ms in times),
            str(self.queries),
            "yes" if self.kept else "NO",
        )


class Asker:
    """An administrator with a token, in front of the application."""

    def __init__(self, settings: Settings) -> None:
        from tidegate.actions.token import add_token
        from tidegate.actions.user import add_user
        from tidegate.api import pace
        from tidegate.server.asgi import application
        from tidegate.server.health import Health
        from tidegate.server.people import of_pages

        for name, value in of_pages(settings).items():
            setattr(django_conf, name, value)
        pace.REQUESTS.at_once = pace.REQUESTS.a_second = 1e9  # how often one may ask is not what is measured
        root, all_of_it = at_this_machine("bench"), [Grant("administrator")]
        user = add_user(root, "bench", grants=all_of_it)
        self.token = add_token(root, "bench", user_id=user, grants=all_of_it).token.get_secret_value()
        self.application = application(settings, [NAME], Health(settings))

    async def get(self, path: str, query: str) -> bytes:
        """The answer's body. Raises AssertionError where it is a refusal."""
        arrived: list[dict[str, Any]] = []
        sent = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            if not sent:
                await asyncio.Event().wait()  # they stay and read
            return sent.pop()

        async def send(message: Any) -> None:
            arrived.append(message)

        headers = [(b"host", NAME.encode()), (b"authorization", f"Bearer {self.token}".encode())]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": path, "raw_path": quote(path).encode(), "query_string": query.encode(), "root_path": "",
            "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 1),
        }  # fmt: skip
        await self.application(scope, receive, send)
        body = b"".join(one.get("body", b"") for one in arrived[1:])
        assert arrived[0]["status"] == 200, (path, query, body)
        return body


def address_of(choice: Choice) -> tuple[str, str] | None:
    """The path and query of a call; None where no route makes it. Their parameters are called the same."""
    from tidegate.api import app
    from tidegate.api.route import ROUTES, name_of

    assert app.api
    name = name_of(choice.call)
    route = next((one for one in ROUTES if one.of == name), None)
    if route is None:
        return None
    given = {key: said(value) for key, value in choice.given.items() if value is not None}
    in_path = re.findall(r"{(\w+)}", route.path)
    path = re.sub(r"{(\w+)}", lambda found: given[found[1]], route.path)
    return f"/api/v1{path}", urlencode({key: value for key, value in given.items() if key not in in_path})


def said(value: Any) -> str:
    """As an address says it."""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime) else str(value)


async def measured(asker: Asker, calls: dict[str, list[Choice]]) -> list[Figure]:
    figures = []
    for name, choices in calls.items():
        addresses = [address_of(choice) for choice in choices]
        asked = [(choice, address) for choice, address in zip(choices, addresses, strict=True) if address is not None]
        if not asked:
            say(f"{name}: no route makes this call.")
            continue
        figures.append(await one(asker, name, asked))
        say("  ".join(figures[-1].as_cells()))
    return figures


async def one(asker: Asker, name: str, asked: list[tuple[Choice, tuple[str, str]]]) -> Figure:
    """Each choice by its read and by the API in turns, after each was asked for once to warm up and to count."""
    queries, alone, through = 0, list[Spent](), list[Spent]()
    for choice, address in asked:
        await sync_to_async(choice)()
        counted = await sync_to_async(counting)()
        await asker.get(*address)
        queries = max(queries, await sync_to_async(count_of)(counted))
    for choice, address in asked * 2:
        alone.append(await timed(sync_to_async(choice)))
        through.append(await timed(lambda address=address: asker.get(*address)))
    walls, reads = ([spent.wall for spent in its] for its in (through, alone))
    own_cpu = at([spent.cpu for spent in through])[0] - at([spent.cpu for spent in alone])[0]
    return Figure(name, len(through), *at(walls), *at(reads), own_cpu, queries)


@dataclass(frozen=True)
class Spent:
    """Milliseconds: until there was an answer, and of this process's own work."""

    wall: float
    cpu: float


def counting() -> CaptureQueriesContext:
    """Begins to count what is asked of the database, in the thread that asks."""
    reset_queries()  # Django keeps the latest 9,000, and beyond that nothing would be counted
    return CaptureQueriesContext(connection).__enter__()


def count_of(counted: CaptureQueriesContext) -> int:
    counted.__exit__(None, None, None)
    return len(counted)


async def timed(ask: Callable[[], Awaitable[Any]]) -> Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    await ask()
    return Spent((time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000)


def at(spent: list[float]) -> tuple[float, float]:
    """The median and the 95th percentile."""
    spent.sort()
    return spent[len(spent) // 2], spent[min(len(spent) - 1, len(spent) * 95 // 100)]


def main(given: list[str]) -> int:
    """Exit code 0 where every call keeps its bar, 1 where one does not."""
    parser = argparse.ArgumentParser(prog="./dev bench api", description=__doc__)
    parser.add_argument("--findings", type=int, default=1_000_000)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    asked = parser.parse_args(given)
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as home:
        os.environ["TIDEGATE_HOME"] = home
        os.environ.pop("TIDEGATE_DATABASE_URL", None)
        settings = Settings()
        pool = {"min_size": 1, "max_size": 4}  # as the service has it: no connection is made for a request
        with started(settings, say, pool=pool), viewing(FULL_ACCESS):
            calls = built(say, findings=asked.findings, records=asked.records, operations=asked.operations)
            figures = async_to_sync(measured)(Asker(settings), calls)
    if asked.json:
        print(json.dumps([figure.as_dict() for figure in figures], indent=2))
    else:
        table = Table(
            "call", "times", "read p50", "read p95", "p50 ms", "p95 ms", "API's own", "of it CPU", "queries", "kept"
        )
        for figure in figures:
            table.add_row(*figure.as_cells())
        Console().print(table)
    return 0 if all(figure.kept for figure in figures) else 1
