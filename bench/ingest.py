"""Apply of one Record: first import, unchanged, 1 % changed and 1 % gone, each against a bare COPY of the same rows."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from tidegate.ingest import apply
from tidegate.ingest.read import PartRead
from tidegate.ingest.stage import Spool
from tidegate.store.models import Connection, Engagement, Feed, Operation, Product, ProductType, Record, Test
from tidegate_sdk import Finding, Outcome, Proof, Severity

SEVERITIES = tuple(Severity)
WORDS = "input reaches the query without being checked, so an attacker may read or change what is stored; "


@dataclass
class Figure:
    """One measured piece of work: its best time and its ratio to what limits it."""

    work: str
    seconds: float
    findings: int
    ratio: float | None = None
    bar: float | None = None

    @property
    def kept(self) -> bool:
        return self.ratio is None or self.bar is None or self.ratio <= self.bar

    def as_dict(self) -> dict[str, Any]:
        return {
            "work": self.work,
            "seconds": round(self.seconds, 3),
            "findings_per_second": round(self.findings / self.seconds),
            "ratio": self.ratio and round(self.ratio, 2),
            "bar": self.bar,
            "kept": self.kept,
        }

    def as_cells(self) -> tuple[str, ...]:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        bar = "" if self.bar is None else f"≤ {self.bar}"
        kept = "" if self.bar is None else ("yes" if self.kept else "NO")
        return self.work, f"{self.seconds:.2f}", f"{self.findings / self.seconds:,.0f}", ratio, bar, kept


@dataclass
class Scene:
    feed: int
    operation: int


def measure(findings: int, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """The best of `rounds`, each round taking all works in turn, so that a slow minute slows them all."""
    same = [finding(number) for number in range(findings)]
    changed = [finding(n, "changed ") if n % 100 == 0 else same[n] for n in range(findings) if n % 100 != 1]
    best: dict[str, float] = {}
    for round_number in range(rounds):
        say(f"Round {round_number + 1} of {rounds}: {findings:,} findings")
        for work, seconds in one_round(same, changed):
            best[work] = min(seconds, best.get(work, seconds))
    copy, unchanged = best["bare COPY"], best["unchanged"]
    return [
        Figure("bare COPY into an unlogged table", copy, findings),
        Figure("first import", best["first"], findings, best["first"] / copy, 5 if findings <= 100_000 else 6),
        Figure("unchanged", unchanged, findings, unchanged / copy, 1),
        Figure("1 % changed, 1 % gone", best["changed"], findings, best["changed"] / unchanged, 1.3),
    ]


def one_round(same: list[Finding], changed: list[Finding]) -> Iterable[tuple[str, float]]:
    scene = fresh_scene()
    yield "first", timed(lambda: sync(scene, same))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE finding")
    yield "bare COPY", bare_copy()
    yield "unchanged", timed(lambda: sync(scene, same))
    yield "changed", timed(lambda: sync(scene, changed))


def sync(scene: Scene, findings: list[Finding]) -> None:
    """What ingest does with rows that are read: spool, stage, compare, write; in the order and with the code it has."""
    apply.prepare_staging()
    part = PartRead(0, "issues", "", turns=1)
    with Spool() as spool:
        for start in range(0, len(findings), 1000):  # as they come from the Session
            spool.add(1, 0, findings[start : start + 1000], 1)
        part.outcome = Outcome(True, proof=Proof(len(findings), len(findings)), seen=len(findings), kept=len(findings))
        with transaction.atomic():
            apply.compare(scene.feed, spool, [part], lambda part: part.complete, minimum=0, mapping_version=1)
            apply.write(scene.feed, spool, [part], operation=scene.operation, mapping_version=1)


def bare_copy() -> float:
    """Seconds of a bare COPY of the stored rows, as they are, into an unlogged table without an index."""
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bare")
        cursor.execute("CREATE UNLOGGED TABLE bare (LIKE finding)")
        with cursor.copy("COPY finding TO STDOUT (FORMAT binary)") as copy:
            stored = b"".join(bytes(chunk) for chunk in copy)
        chunks = [stored[at : at + 2**18] for at in range(0, len(stored), 2**18)]

        def load() -> None:
            with cursor.copy("COPY bare FROM STDIN (FORMAT binary)") as copy:
                for chunk in chunks:
                    copy.write(chunk)

        return timed(load)


def timed(work: Callable[[], None]) -> float:
    gc.collect()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def fresh_scene() -> Scene:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE product_type, connection, finding, journal, held RESTART IDENTITY CASCADE")
    product_type = ProductType.objects.create(name="Bench")
    product = Product.objects.create(product_type=product_type, name="Bench", origin="bench")
    engagement = Engagement.objects.create(product=product, name="Global Connectors", kind="connectors")
    source = Connection.objects.create(tool="bench", label="Bench", created_by="bench")
    test = Test.objects.create(engagement=engagement, connection=source, name="Bench")
    record = Record.objects.create(connection=source, vendor_id="bench", name="Bench")
    feed = Feed.objects.create(record=record, test=test)
    operation = Operation.objects.create(type="sync", connection=source, trigger="manual", actor="bench")
    return Scene(feed.pk, operation.pk)


def finding(number: int, how: str = "") -> Finding:
    """A finding of about 1 KB, as scanners write them."""
    return Finding(
        key=f"finding-{number:09}",
        title=f"SQL injection in parameter {number % 97} of /api/v1/orders/{number}",
        severity=SEVERITIES[number % len(SEVERITIES)],
        description=f"{how}{number}: " + WORDS * 7,
        path=f"src/orders/handler_{number % 1000}.py",
        line=number % 2000,
        rule=f"python:S{number % 300}",
        cwe=(89,),
        url=f"https://scanner.example.org/issues/{number}",
        vendor_severity="HIGH",
        vendor_status="OPEN",
    )
