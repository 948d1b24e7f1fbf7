"""`./dev bench profile`: where the time of an apply goes, statement by statement, and what the client does meanwhile.

The apply itself is asked, not a copy of it: its cursors are exchanged for ones with a clock. A COPY's time holds that
in which the client makes the bytes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from django.db import connection

from bench.child import Child, Watch
from bench.figure import Figure
from bench.findings import batches
from bench.house import House

WORKS = {"first": "first import", "unchanged": "unchanged", "changed": "1 % changed, 1 % gone"}


class Clocked:
    """Notes how long each statement took, by the name of its file."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()

    @contextmanager
    def clock(self, query: Any) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.spent[name_of(str(query))] += time.perf_counter() - began  # pyright: ignore[reportArgumentType]


CLOCK = Clocked()


class Cursor(psycopg.Cursor[Any]):
    def execute(self, query: Any, *given: Any, **how: Any) -> Any:
        with CLOCK.clock(query):
            return super().execute(query, *given, **how)

    @contextmanager
    def copy(self, statement: Any, *given: Any, **how: Any) -> Iterator[Any]:
        with CLOCK.clock(statement), super().copy(statement, *given, **how) as copy:
            yield copy


class ServerCursor(psycopg.ServerCursor[Any]):
    def execute(self, query: Any, *given: Any, **how: Any) -> Any:
        self._name_of_ours = query
        with CLOCK.clock(query):
            return super().execute(query, *given, **how)

    def __next__(self) -> Any:
        with CLOCK.clock(self._name_of_ours):
            return super().__next__()

    def fetchmany(self, size: int = 0) -> Any:
        with CLOCK.clock(self._name_of_ours):
            return super().fetchmany(size)


class Profiled:
    """Lives in the child."""

    def __init__(self) -> None:
        from bench.ingest import Importer

        self._importer = Importer()
        self._importer.new_scene()
        connection.connection.cursor_factory = Cursor
        connection.connection.server_cursor_factory = ServerCursor

    def sync(self, findings: int, changed: bool) -> dict[str, float]:
        """Seconds by stage."""
        CLOCK.spent.clear()
        whole, _ = self._importer.sync(findings, changed)
        spooled = self._spooling(findings, changed)
        rest = whole - spooled - sum(CLOCK.spent.values())
        return {"(encode and spool)": spooled, **CLOCK.spent, "(commit, and what is between)": rest}

    def _spooling(self, findings: int, changed: bool) -> float:
        from tidegate.ingest.stage import Spool

        watch = Watch()
        with Spool() as spool:
            for batch in batches(findings, changed):
                with watch:
                    spool.add(1, 0, batch, 1)
        return watch.seconds


def measure(house: House, findings: int, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """Of the first import what it was once; of the others the best of all rounds, stage by stage."""
    figures: list[Figure] = []
    with Child("bench.profile:Profiled", url=house.database.url, TMPDIR=str(house.spools)) as child:
        for work, word in WORKS.items():
            say(f"{word}, {findings:,} findings")
            best: dict[str, float] = {}
            for _ in range(1 if work == "first" else rounds):
                for stage, seconds in child.ask("sync", findings, work == "changed").items():
                    best[stage] = min(seconds, best.get(stage, seconds))
            figures += [
                Figure(f"{word}: {stage}", seconds / findings * 1e6, "µs a finding", seconds=seconds)
                for stage, seconds in sorted(best.items(), key=lambda each: -each[1])
                if seconds / findings > 2e-8
            ]
            if work == "first":
                house.ask("VACUUM ANALYZE finding")
    return figures


def name_of(query: str) -> str:
    return known().get(query) or " ".join(query.split()[:3])


@cache
def known() -> dict[str, str]:
    """The statements of store/sql by their text."""
    from importlib import resources

    from tidegate.store import sql

    folder = resources.files(sql)
    return {file.read_text("utf-8"): file.name[:-4] for file in folder.iterdir() if file.name.endswith(".sql")}
