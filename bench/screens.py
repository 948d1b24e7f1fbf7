"""`./dev bench screens`: what the pages cost at the server beside a million findings, as a browser asks for them.

The house is that of `./dev bench lists`. Asked in this process through the whole ASGI application, by an administrator
who has logged in: the gate, the session, the reads, the template. Parts that a page exchanges in place are asked for as
such.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings as django_conf
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from bench.api import NAME, at, counting, timed
from bench.figure import say
from bench.lists import BAR_MS, BAR_QUERIES, Figure, built
from tidegate.config import Settings
from tidegate.log import set_up_log
from tidegate.reads.viewer import viewing
from tidegate.rules.access import FULL_ACCESS, Grant
from tidegate.rules.actor import at_this_machine
from tidegate.server.start import started

PASSWORD = "a long tide comes in"
RARE = ("CVE-2019-4711", "handler_4711", "KEY-123456", "S299")
OPENS = ("BEGIN", "SET TRANSACTION", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
FREQUENT = ("sql", "SQL inj", "cve", "variant1", "python", "orders1")


@dataclass(frozen=True)
class Look:
    """One page as it is asked for: its address, and which part of it."""

    path: str
    query: tuple[tuple[str, Any], ...] = ()
    part: str = ""
    """The id of the element that HTMX exchanges; empty for the whole page."""


class Browser:
    """Somebody who has logged in, in front of the application."""

    def __init__(self, settings: Settings) -> None:
        from tidegate.actions.user import add_user
        from tidegate.server.asgi import application
        from tidegate.server.health import Health
        from tidegate.server.people import of_pages

        for name, value in of_pages(settings).items():
            setattr(django_conf, name, value)
        add_user(at_this_machine("bench"), "bench", grants=[Grant("administrator")], password=SecretStr(PASSWORD))
        client = Client(HTTP_HOST=NAME)
        client.post("/account/login/", {"login": "bench", "password": PASSWORD})
        self.cookies = "; ".join(f"{name}={one.value}" for name, one in client.cookies.items())
        self.application = application(settings, [NAME], Health(settings))

    async def get(self, look: Look) -> bytes:
        """The page. Raises AssertionError where it is another answer, as that of whoever is not logged in."""
        arrived: list[dict[str, Any]] = []
        sent = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            if not sent:
                await asyncio.Event().wait()  # they stay and read
            return sent.pop()

        async def send(message: Any) -> None:
            arrived.append(message)

        headers = [(b"host", NAME.encode()), (b"cookie", self.cookies.encode())]
        if look.part:
            headers += [(b"hx-request", b"true"), (b"hx-target", look.part.encode())]
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
            "path": look.path, "raw_path": quote(look.path).encode(), "query_string": urlencode(look.query).encode(),
            "root_path": "", "headers": headers, "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 1),
        }  # fmt: skip
        await self.application(scope, receive, send)
        body = b"".join(one.get("body", b"") for one in arrived[1:])
        assert arrived[0]["status"] == 200, (look, arrived[0], body[:500])
        return body


def looks() -> dict[str, list[Look]]:
    """Every page that lists, shows or searches, by name; each with choices that differ in what makes them dear."""
    from tidegate.reads import finding, operation, product, record
    from tidegate.store import models

    dice = random.Random(7)
    products = dice.sample(list(models.Product.objects.order_by("pk").values_list("pk", flat=True)), 10)
    connections = list(models.Connection.objects.order_by("pk").values_list("pk", flat=True)[:10])
    mapped = models.Record.objects.filter(decision="mapped").order_by("pk").values_list("pk", flat=True)
    large = list(models.Tally.objects.order_by("-n").values_list("feed__record_id", flat=True)[:10])
    records = [*dice.sample(list(mapped), 10), *large]
    findings = dice.sample(range(1, models.Finding.objects.count()), 10)
    operations = dice.sample(range(1, models.Operation.objects.count()), 10)
    words = (*RARE, *FREQUENT)

    def each(path: str, name: str = "", values: Sequence[Any] = (), part: str = "", **more: Any) -> list[Look]:
        """The path by each number in it, or with each value of one name in the query."""
        beside = tuple(more.items())
        if "{" in path:
            return [Look(path.format(value), beside, part) for value in values]
        return [Look(path, ((name, value), *beside), part) for value in values] if name else [Look(path, beside, part)]

    def deep(path: str, call: Any, pages: int, **given: Any) -> list[Look]:
        cursor = None
        for _ in range(pages):
            cursor = call(cursor=cursor, limit=1000, **given).next or cursor
        return each(path, "cursor", [cursor], **given) if cursor else each(path, **given)

    return {
        "home": each("/"),
        "connectors": each("/connectors/"),
        "a Connection": each("/connections/{}/", values=connections),
        "its mapped Records, searched": each("/connections/1/", "m.search", ("orders", "7", "zzz"), "mapped"),
        "its unmapped Records, searched": each("/connections/1/", "u.search", ("orders", "7", "zzz"), "unmapped"),
        "its Operations": each("/connections/{}/", values=connections, part="operations"),
        "inbox": each("/inbox/") + each("/inbox/", "state", ("ignored",)) + each("/inbox/", "limit", (200,)),
        "inbox, searched": each("/inbox/", "search", ("orders", "group/42", "7", "zzz"), "unmapped"),
        "inbox, deep": deep("/inbox/", record.records, 20, state="new"),
        "a Record": each("/records/{}/", values=records),
        "Operations": each("/operations/") + deep("/operations/", operation.operations, 9),
        "Operations by status": each("/operations/", "status", ("failed", "partial", "running"), "operations"),
        "an Operation": each("/operations/{}/", values=operations),
        "Products": each("/products/") + deep("/products/", product.products, 1),
        "Products, searched": each("/products/", "search", ("shop", "team-7", "zzz"), "products"),
        "a Product": each("/products/{}/", values=products),
        "findings": each("/findings/", "sort", ("severity", "newest", "oldest", "changed")),
        "findings, 200 a page": each("/findings/", "limit", (200,)),
        "findings, deep": deep("/findings/", finding.findings, 10, sort="severity"),
        "findings by severity": each("/findings/", "severity", ("Critical", "High", "Low", "Unknown"), "findings"),
        "findings by status": each(
            "/findings/", "status", ("active", "inactive", "closed", "held", "unwatched"), "findings"
        ),
        "findings of a Product": each("/findings/", "product_id", products, "findings"),
        "findings of a Tool": each("/findings/", "tool", ("burpsuite",), "findings"),
        "findings, searched": each("/findings/", "search", words, "findings"),
        "a finding": each("/findings/{}/", values=findings),
        "find anything": each("/find/", "search", words) + each("/find/options", "search", words),
        "the combobox of Products": each("/records/products", "search", ("s", "shop", "team-7", "zzz")),
        "audit": each("/settings/audit/"),
    }  # fmt: skip


def questions(counted: CaptureQueriesContext) -> int:
    """How many there were; what opens and closes a transaction asks for no data."""
    counted.__exit__(None, None, None)
    return sum(not query["sql"].startswith(OPENS) for query in counted.captured_queries)


async def measured(browser: Browser, asked: dict[str, list[Look]]) -> list[Figure]:
    """Each page twice, in turns with the others of its kind, after it was asked for once to warm up and to count."""
    figures: list[Figure] = []
    for name, choices in asked.items():
        queries, spent = 0, list[float]()
        for look in choices:
            counted = await sync_to_async(counting)()
            await browser.get(look)
            queries = max(queries, await sync_to_async(questions)(counted))
        for look in choices * 2:
            spent.append((await timed(lambda look=look: browser.get(look))).wall)
        figures.append(Figure(name, len(spent), *at(spent), queries))
        say("  ".join(figures[-1].as_cells()))
    return figures


def main(given: list[str]) -> int:
    """Exit code 0 where every page keeps its bar, 1 where one does not."""
    parser = argparse.ArgumentParser(prog="./dev bench screens", description=__doc__)
    parser.add_argument("--findings", type=int, default=1_000_000)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    asked = parser.parse_args(given)
    set_up_log()  # to stderr: JSON is for whoever reads stdout
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as home:
        os.environ["TIDEGATE_HOME"] = home
        os.environ.pop("TIDEGATE_DATABASE_URL", None)
        settings = Settings()
        pool = {"min_size": 1, "max_size": 4}  # as the service has it: no connection is made for a request
        with started(settings, say, pool=pool), viewing(FULL_ACCESS):
            built(say, findings=asked.findings, records=asked.records, operations=asked.operations)
            figures = async_to_sync(measured)(Browser(settings), looks())
    if asked.json:
        print(json.dumps([figure.as_dict() for figure in figures], indent=2))
    else:
        table = Table(
            "page", "times", "p50 ms", "p95 ms", "queries", "kept", title=f"≤ {BAR_MS:.0f} ms, ≤ {BAR_QUERIES}"
        )
        for figure in figures:
            table.add_row(*figure.as_cells())
        Console().print(table)
    return 0 if all(figure.kept for figure in figures) else 1
