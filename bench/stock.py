"""`./dev bench stock`: does a Sync of 10,000 findings cost more where millions of others are stored?

Two databases of one server, taken in turns. Buffers are what PostgreSQL counts for the worker's connection
(pg_stat_io), those of temporary tables aside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bench.child import Child
from bench.figure import Figure
from bench.house import House

FINDINGS = 10_000
WORKS = ("first", "unchanged", "changed")
OF_EACH = 10_000
"""Findings of each of the other Records."""


class Stocked:
    """Lives in the child: imports into new Records of a database, however full that is, and takes them away again."""

    def __init__(self) -> None:
        from bench.ingest import Importer

        self._importer = Importer()
        self._record = 0

    def fill(self, findings: int) -> None:
        """Stores so many findings of other Records, of 10,000 each."""
        from django.db import connection

        from bench.findings import new_scene

        feed = self._importer.new_scene("pattern")
        self._importer.sync(OF_EACH)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = 'finding'::regclass"
                " AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('id', 'feed_id')"
            )
            ((columns,),) = cursor.fetchall()
            for number in range(findings // OF_EACH - 1):
                scene = new_scene(f"other {number}")
                cursor.execute(
                    f"INSERT INTO finding (feed_id, {columns}) SELECT %s, {columns} FROM finding WHERE feed_id = %s",
                    [scene.feed, feed],
                )
            cursor.execute("VACUUM ANALYZE")

    def begin(self) -> None:
        """A new Record to import into."""
        self._record += 1
        self._importer.new_scene(f"mine {self._record}")

    def sync(self, changed: bool) -> tuple[float, int]:
        """Seconds, and buffers touched."""
        before = self._touched()
        seconds, _ = self._importer.sync(FINDINGS, changed)
        return seconds, self._touched() - before

    def forget(self) -> None:
        """Takes the Record's findings away again, and lets the tables be as they were."""
        from django.db import connection

        feed = self._importer.scene.feed
        with connection.cursor() as cursor:
            for statement in (
                "DELETE FROM journal USING finding WHERE finding.id = finding_id AND feed_id = %s",
                "DELETE FROM held WHERE feed_id = %s",
                "DELETE FROM words_due WHERE feed_id = %s",
                "DELETE FROM finding WHERE feed_id = %s",
            ):
                cursor.execute(statement, [feed])
            cursor.execute("VACUUM ANALYZE finding, journal, held, words_due, tally")

    def _touched(self) -> int:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT 1")
            cursor.execute(
                "SELECT sum(coalesce(hits, 0) + coalesce(reads, 0))::bigint"
                "  FROM pg_stat_get_backend_io(pg_backend_pid())"
                " WHERE object = 'relation'"
            )
            ((touched,),) = cursor.fetchall()
            return touched


@dataclass
class Cost:
    """Of one work in one database: the best time, and the buffers of the median round."""

    seconds: list[float] = field(default_factory=list[float])
    buffers: list[int] = field(default_factory=list[int])

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def touched(self) -> int:
        return sorted(self.buffers)[len(self.buffers) // 2]


def measure(house: House, findings: int, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    second = another_database(house)
    costs = {(where, work): Cost() for where in ("empty", "full") for work in WORKS}
    spools = str(house.spools)
    with (
        Child("bench.stock:Stocked", url=house.database.url, TMPDIR=spools) as empty,
        Child("bench.stock:Stocked", url=second, TMPDIR=spools) as full,
    ):
        say(f"Storing {findings:,} findings of other Records")
        full.ask("fill", findings)
        for number in range(rounds):
            say(f"Round {number + 1} of {rounds}")
            for where, child in (("empty", empty), ("full", full)):
                child.ask("begin")
                for work in WORKS:
                    seconds, buffers = child.ask("sync", work == "changed")
                    costs[where, work].seconds.append(seconds)
                    costs[where, work].buffers.append(buffers)
                child.ask("forget")
    return [figure for work in WORKS for figure in figures_of(work, costs["empty", work], costs["full", work])]


def figures_of(work: str, empty: Cost, full: Cost) -> list[Figure]:
    return [
        Figure(f"{work}, in an empty database", empty.touched, "buffers", findings=FINDINGS, seconds=empty.best),
        Figure(f"{work}, beside the others", full.touched, "buffers", findings=FINDINGS, seconds=full.best),
        Figure.judged("buffers", full.touched / empty.touched, FINDINGS, of=work),
        Figure.judged("stock time", full.best / empty.best, FINDINGS, of=work),
    ]


def another_database(house: House) -> str:
    """A copy of the migrated, empty one, on the same server; its address."""
    from django.db import connections

    connections.close_all()
    there = make_conninfo(house.database.url, dbname="template1")
    with psycopg.connect(there, autocommit=True) as administrator:
        ours = conninfo_to_dict(house.database.url)["dbname"]
        administrator.execute(f'CREATE DATABASE stock TEMPLATE "{ours}"'.encode())
    return make_conninfo(house.database.url, dbname="stock")
