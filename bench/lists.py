"""`./dev bench lists`: what a page costs beside a million findings: every list, detail and search, many times.

The house is built by sets in a minute or two. A thousand Records are large and hold most findings; a Connection's
findings lie together, as a first import leaves them, and a title has its severity, as with real tools: the unkind case
for whoever walks along an index.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, reset_queries, transaction
from django.test.utils import CaptureQueriesContext
from rich.console import Console
from rich.table import Table

from bench.figure import say
from tidegate.config import Settings
from tidegate.log import set_up_log
from tidegate.reads.viewer import viewing
from tidegate.rules.access import FULL_ACCESS
from tidegate.server.start import started

BAR_MS = 50.0
BAR_QUERIES = 12
PRODUCTS = 2_000
CONNECTIONS = 40
WORDS = ("Critical", "High", "Medium", "Unknown", "Low", "Info")
SOURCE_WORDS = "input reaches the query without being checked, so an attacker may read or change what is stored; "

STATEMENTS = Path(__file__).with_suffix(".sql").read_text()
HOUSE, FINDINGS = STATEMENTS.split("-- Findings: ")


@dataclass(frozen=True)
class Choice:
    """One way to call something: which is called, and with what."""

    call: Callable[..., Any]
    given: dict[str, Any]

    def __call__(self) -> Any:
        return self.call(**self.given)

    def __str__(self) -> str:
        return " ".join(str(value) for value in self.given.values() if value) or "all"


@dataclass
class Figure:
    """One call: how long it takes at the median and at the 95th percentile of many choices, and how many queries."""

    call: str
    times: int
    p50: float
    p95: float
    queries: int

    @property
    def kept(self) -> bool:
        return self.p95 <= BAR_MS and self.queries <= BAR_QUERIES

    def as_dict(self) -> dict[str, Any]:
        return {
            "call": self.call, "times": self.times, "p50_ms": round(self.p50, 1), "p95_ms": round(self.p95, 1),
            "queries": self.queries, "bar_ms": BAR_MS, "bar_queries": BAR_QUERIES, "kept": self.kept,
        }  # fmt: skip

    def as_cells(self) -> tuple[str, ...]:
        return (
            self.call,
            str(self.times),
            f"{self.p50:.1f}",
            f"{self.p95:.1f}",
            str(self.queries),
            "yes" if self.kept else "NO",
        )


def build(say: Callable[[str], None], *, findings: int, records: int, operations: int) -> None:
    """Fills an empty database."""
    begun = time.perf_counter()
    words = {"products": PRODUCTS, "connections": CONNECTIONS, "records": records, "operations": operations}
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in HOUSE.split(";\n"):
            if statement.strip():
                cursor.execute(statement, words)
        cursor.execute("SELECT array_agg(id ORDER BY id) FROM feed")
        feeds = list((cursor.fetchone() or [[]])[0])
    say(f"{records:,} Records in {time.perf_counter() - begun:.0f} s")
    numbers = iter(range(1, findings + 1))
    for chunk in _chunks(list(_feeds_of_findings(feeds, findings)), 50_000):
        given = {
            "numbers": [next(numbers) for _ in chunk],
            "feeds": chunk,
            "operations": operations,
            "words": SOURCE_WORDS,
        }
        with connection.cursor() as cursor:
            cursor.execute(f"-- {FINDINGS}", given)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO journal (finding_id, operation, actor, kind, before)"
            " SELECT id, 3, 'tidegate', 'changed', '{\"severity\": 1}' FROM finding"
            " WHERE changed_operation IS NOT NULL ORDER BY id"
        )
        cursor.execute(
            "INSERT INTO held (finding_id, feed_id, since_operation, latest_operation, standing)"
            " SELECT id, feed_id, 2, 2, 'held' FROM finding WHERE open AND id % 200 = 0"
        )
        cursor.execute("INSERT INTO words_due (feed_id) SELECT id FROM feed")
    say(f"{findings:,} findings in {time.perf_counter() - begun:.0f} s")


def _feeds_of_findings(feeds: list[int], findings: int) -> Iterator[int]:
    """The Feed of each finding, in the order they were imported: Feed by Feed, and a tenth later and anywhere."""
    dice = random.Random(5)
    large = set(feeds[:: max(1, len(feeds) // 1000)])
    first = findings * 9 // 10
    each = first * 3 // 4 // len(large)
    small = max(1, (first - each * len(large)) // max(1, len(feeds) - len(large)))
    came = 0
    for feed in feeds:
        for _ in range(min(each if feed in large else small, first - came)):
            came += 1
            yield feed
    for _ in range(findings - came):
        yield dice.choice(feeds)


def _chunks(given: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(given), size):
        yield given[start : start + size]


def measure(
    say: Callable[[str], None], *, findings: int = 1_000_000, records: int = 100_000, operations: int = 10_000
) -> list[Figure]:
    """Calls everything that lists, shows or searches, with many choices."""
    return called(say, built(say, findings=findings, records=records, operations=operations))


def built(say: Callable[[str], None], *, findings: int, records: int, operations: int) -> dict[str, list[Choice]]:
    """Builds the house, indexes the words and adds up the tallies, as the scheduler does; gives what may be called."""
    from tidegate.store.writers.tally import add_up_tallies
    from tidegate.store.writers.words import index_words

    build(say, findings=findings, records=records, operations=operations)
    with transaction.atomic():
        add_up_tallies()
    begun = time.perf_counter()
    words = index_words(seconds=3600)
    say(f"Words of {words:,} findings in {time.perf_counter() - begun:.0f} s")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return calls()


def called(say: Callable[[str], None], calls: dict[str, list[Choice]]) -> list[Figure]:
    """Each call with each of its choices: first without being measured, then twice."""
    figures = []
    gc.collect()
    gc.freeze()  # as the web part does before its first answer
    for name, choices in calls.items():
        for choice in choices:
            choice()
        spent, queries, slowest = list[float](), 0, (0.0, choices[0])
        for choice in choices * 2:
            reset_queries()  # Django keeps the latest 9,000, and beyond that nothing would be counted
            with CaptureQueriesContext(connection) as captured:
                choice()
            queries = max(queries, len(captured))
        for choice in choices * 2:
            begun = time.perf_counter()
            choice()
            spent.append((time.perf_counter() - begun) * 1000)
            slowest = max(slowest, (spent[-1], choice), key=lambda one: one[0])
        spent.sort()
        figure = Figure(
            name, len(spent), spent[len(spent) // 2], spent[min(len(spent) - 1, len(spent) * 95 // 100)], queries
        )
        say("  ".join((*figure.as_cells(), f"slowest {slowest[0]:.0f} ms: {slowest[1]}")))
        figures.append(figure)
    return figures


def calls() -> dict[str, list[Choice]]:
    """What pages call, by name; each with choices that differ in what makes them dear."""
    from tidegate.reads import connection as connections
    from tidegate.reads import finding, operation, product, record
    from tidegate.store import models

    dice = random.Random(7)
    findings = finding.findings
    products = dice.sample(list(models.Product.objects.order_by("id").values_list("id", flat=True)), 20)
    some_connections = list(models.Connection.objects.order_by("id").values_list("id", flat=True)[:20])
    mapped = models.Record.objects.filter(decision="mapped").order_by("id").values_list("id", flat=True)
    records = dice.sample(list(mapped), 20)
    large = list(models.Tally.objects.order_by("-n").values_list("feed__record_id", flat=True)[:20])
    numbers = dice.sample(range(1, models.Finding.objects.count()), 20)
    runs = dice.sample(range(1, models.Operation.objects.count()), 20)
    sorts: tuple[Any, ...] = ("severity", "newest", "oldest", "changed")
    states: tuple[Any, ...] = ("active", "inactive", "open", "closed", "held", "kept open", "unwatched")
    rare = ["CVE-2019-4711", "handler_4711", "KEY-123456", "cve 2020 17", "variant298", "S299", "lib-zip399 mail"]
    frequent = [
        "sql",
        "SQL inj",
        "cross-site scr",
        "cve",
        "variant1",
        "variant12",
        "python",
        "src",
        "component lib",
        "mail",
        "orders1",
        "ha",
    ]
    ages = [datetime.now(UTC) - timedelta(days=days) for days in (1, 30, 90, 365, 600)]

    def one(call: Callable[..., object], **given: Any) -> Choice:
        return Choice(call, given)

    def deep(call: Callable[..., Any], pages: int, **given: Any) -> Choice:
        cursor = None
        for _ in range(pages):
            cursor = call(cursor=cursor, limit=1000, **given).next or cursor
        return Choice(call, {"cursor": cursor, **given})

    return {
        "findings": [one(findings, sort=sort) for sort in sorts],
        "findings, 200 a page": [one(findings, sort=sort, limit=200) for sort in sorts],
        "findings, deep": [deep(findings, 10, sort=sort) for sort in sorts],
        "findings by severity": [one(findings, severity=word, sort=sort) for word in WORDS for sort in sorts],
        "findings by status": [one(findings, status=status, sort=sort) for status in states for sort in sorts],
        "findings of a Product": [one(findings, product_id=number, sort=sort) for number in products for sort in sorts],
        "findings of a Product by status": [
            one(findings, product_id=number, status=status) for number in products for status in states
        ],
        "findings of a Product Type": [
            one(findings, product_type=f"Type {n}", sort=sort) for n in (1, 7, 20) for sort in sorts
        ],
        "findings of a Connection": [
            one(findings, connection_id=number, sort=sort) for number in some_connections for sort in sorts
        ],
        "findings of a Tool": [one(findings, tool="burpsuite", sort=sort) for sort in sorts],
        "findings of a Record": [
            one(findings, record_id=number, sort=sort) for number in (*records, *large) for sort in sorts
        ],
        "findings by age": [one(findings, since=age, sort=sort) for age in ages for sort in sorts]
        + [one(findings, until=age, sort=sort) for age in ages for sort in sorts],
        "search, rare words": [one(findings, search=text) for text in rare],
        "search, frequent words": [one(findings, search=text) for text in frequent],
        "search in a Product": [
            one(findings, search=text, product_id=number) for text in (*rare, *frequent) for number in products[:5]
        ],
        "search in a Connection": [
            one(findings, search=text, connection_id=number)
            for text in (*rare, *frequent)
            for number in some_connections[:5]
        ],
        "search by severity and status": [
            one(findings, search=text, severity="High", status="active") for text in (*rare, *frequent)
        ],
        "search, sorted": [one(findings, search=text, sort=sort) for text in (*rare, *frequent) for sort in sorts],
        "search, deep": [deep(findings, 1, search=text) for text in frequent],
        "findings by CWE": [one(findings, cwe=number) for number in range(20, 140, 9)],
        "findings by component": [one(findings, component=f"lib-{word}") for word in ("json17", "xml220", "zip399")],
        "one finding": [one(finding.finding, finding_id=number) for number in numbers],
        "Records": [one(record.records), one(record.records, limit=200), deep(record.records, 30)],
        "Records of a Connection": [one(record.records, connection_id=number) for number in some_connections],
        "Records by state": [one(record.records, state=state) for state in record.STATES]
        + [one(record.records, state=state, connection_id=1) for state in record.STATES],
        "Records of a Product": [one(record.records, product_id=number) for number in products],
        "Records, search": [
            one(record.records, search=text) for text in ("orders", "api-orders-77", "group/42", "vendor-", "zzz", "7")
        ]
        + [one(record.records, search=text, connection_id=1) for text in ("orders", "zzz")],
        "one Record": [one(record.record, record_id=number) for number in (*records, *large)],
        "Operations": [
            one(operation.operations),
            one(operation.operations, limit=200),
            deep(operation.operations, 9),
        ],
        "Operations of a Connection": [one(operation.operations, connection_id=number) for number in some_connections],
        "Operations by status": [
            one(operation.operations, status=status) for status in ("failed", "partial", "running")
        ]
        + [one(operation.operations, type="discover"), one(operation.operations, held=True)],
        "one Operation": [one(operation.operation, operation_id=number) for number in runs],
        "Products": [one(product.products), one(product.products, limit=200), deep(product.products, 1)],
        "Products, search": [one(product.products, search=text) for text in ("shop", "team-7", "zzz")],
        "one Product": [one(product.product, product_id=number) for number in products],
        "Connections": [one(connections.connections)],
        "one Connection": [one(connections.connection, connection_id=number) for number in some_connections],
    }


def main(given: list[str]) -> int:
    """Exit code 0 where every call keeps its bar, 1 where one does not."""
    parser = argparse.ArgumentParser(prog="./dev bench lists", description=__doc__)
    parser.add_argument("--findings", type=int, default=1_000_000)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    asked = parser.parse_args(given)
    set_up_log()  # to stderr: JSON is for whoever reads stdout
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as home:
        os.environ["TIDEGATE_HOME"] = home
        os.environ.pop("TIDEGATE_DATABASE_URL", None)
        with started(Settings(), say), viewing(FULL_ACCESS):
            figures = measure(say, findings=asked.findings, records=asked.records, operations=asked.operations)
    if asked.json:
        print(json.dumps([figure.as_dict() for figure in figures], indent=2))
    else:
        table = Table("call", "times", "p50 ms", "p95 ms", "queries", "kept")
        for figure in figures:
            table.add_row(*figure.as_cells())
        Console().print(table)
    return 0 if all(figure.kept for figure in figures) else 1
