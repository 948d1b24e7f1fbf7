"""`./dev bench discover`: a Discover that finds nothing new: its time beyond the vendor's own, and what it writes."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable

from bench.child import Child, Watch
from bench.figure import Figure
from bench.house import House
from bench.ingest import Best
from bench.loopback import Answer, as_json
from bench.pages import transfer

PER_PAGE = 1_000
ITS_OWN = frozenset(
    [
        "operation",
        "lease",
        "log_line",
        "connection",
        "schedule",
        "total",
        "host_pace",
        "procrastinate_jobs",
        "procrastinate_events",
    ]
)
"""Tables where an Operation notes that it ran: "a timestamp per Operation"."""

WRITTEN = """
    SELECT stat.relname, n_tup_ins + n_tup_upd + n_tup_del
      FROM pg_stat_user_tables AS stat
      JOIN pg_class ON pg_class.oid = relid AND relpersistence = 'p'
"""


class Products:
    """A vendor with so many products, a thousand a page."""

    def __init__(self, products: int) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - open for as long as this answers
        self._places: list[tuple[int, int]] = []
        self._last = (products - 1) // PER_PAGE
        at = 0
        for number in range(self._last + 1):
            rows = range(number * PER_PAGE, min((number + 1) * PER_PAGE, products))
            items = [{"id": f"app{n:07}", "name": f"Application {n}"} for n in rows]
            body = {"items": items, "total": products, "links": {"next": self._next(number)}}
            length = self._file.write(json.dumps(body).encode())
            self._places.append((at, length))
            at += length

    def _next(self, page: int) -> str | None:
        return f"applications?page={page + 1}" if page < self._last else None

    def __call__(self, _host: str, path: str, query: dict[str, str]) -> Answer:
        if path.strip("/") == "account":
            return as_json({"id": "the account", "name": "discover"})
        number = int(query.get("page", 0))
        at, length = self._places[number]
        following = self._next(number)
        return Answer(
            os.pread(self._file.fileno(), length, at), headers={"X-Next": f"/{following}"} if following else {}
        )


def measure(house: House, products: int, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    spools = str(house.spools)
    best, written = Best(), {}
    with (
        Child("bench.loopback:Vendor", "bench.discover:Products", products, TMPDIR=spools) as vendor,
        Child("bench.worker:Worker", url=house.database.url, TMPDIR=spools) as worker,
    ):
        url: str = vendor.ask("url")
        worker.ask("begin", url, False)
        say(f"The first Discover of {products:,} products")
        best.note("first", *worker.ask("discover"))
        house.ask("VACUUM ANALYZE record")
        for number in range(rounds):
            say(f"Round {number + 1} of {rounds}")
            with (watch := Watch()):
                for _ in transfer(url, "applications"):
                    pass
            best.note("vendor", watch.seconds)
            before = rows_written(worker)
            best.note("known", *worker.ask("discover"))
            written = {name: count - before.get(name, 0) for name, count in rows_written(worker).items()}
    told = {name: count for name, count in written.items() if count}
    say(f"Rows written by a Discover that found nothing new: {told}")
    known, vendor_s = best.seconds["known"], best.seconds["vendor"]
    return [
        Figure("the first Discover", best.seconds["first"], "s", findings=products, seconds=best.seconds["first"]),
        Figure("the vendor's own time", vendor_s, "s", findings=products, seconds=vendor_s),
        Figure.judged("discover time", known - vendor_s, products, seconds=known),
        Figure.judged("discover writes", sum(count for name, count in told.items() if name not in ITS_OWN), products),
        Figure("rows by which an Operation notes that it ran", sum(told.get(name, 0) for name in ITS_OWN), "rows"),
        Figure.judged("memory", max(best.megabytes.values()), products, of="Discover"),
    ]


def rows_written(worker: Child) -> dict[str, int]:
    """Of every table, by all connections: the worker's own tells what it has not told yet."""
    worker.ask("execute", "SELECT pg_stat_force_next_flush()")
    worker.ask("execute", "SELECT 1")
    return dict(worker.ask("execute", WRITTEN))
