"""`./dev bench tools`: every Tool of the catalog from its vendor's bytes to the findings table, by real Syncs.

The vendor is a process of its own (many.py); the worker is another, and its questions go over loopback HTTP whatever
host they are for. The Tool's rate and its waits are left out: they are the vendor's. The limit is a bare msgspec
decode of all that the vendor said in one Sync. Of the slowest Tool it is told where its time goes.
"""

from __future__ import annotations

import asyncio
import cProfile
import gc
import pstats
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from pydantic import SecretStr

from bench.child import Child, Watch
from bench.figure import Figure
from bench.findings import forget_everything
from bench.house import House
from bench.ingest import Best
from bench.many import bodies
from bench.worker import ME, Worker
from tidegate.actions.connection import add_connection
from tidegate.catalog import known_tool, secret_names
from tidegate.store.models import Finding, Operation
from tidegate_sdk import Bucket, Http, Tool

OURS = {
    "/connectors/": "the connector",
    "tidegate_sdk/redaction": "scrubbing of secrets",
    "tidegate_sdk/": "the Session",
    "tidegate/ingest/": "ingest",
    "msgspec": "encode and decode",
    "hashlib": "hashes",
    "psycopg": "the database",
    "django": "the database",
}
"""Whose time it is, by what stands in a path; the first that fits."""
REST = "the rest"


class ToolWorker(Worker):
    """Lives in the child: a worker whose questions all go to one port of this machine, at once."""

    def aim(self, port: int) -> None:
        opened = Tool.open

        def aimed(tool: Tool[Any], **how: Any) -> Any:
            door = tool.door()
            if isinstance(door, Http | Bucket):
                how |= {"transport": Aimed(port)}
            tool.door = lambda: unhurried(door)
            return opened(tool, **how, sleep=at_once)

        Tool.open = aimed  # pyright: ignore[reportAttributeAccessIssue] - in this process for good

    def connect(self, slug: str, entered: dict[str, Any]) -> None:
        """An empty database, and one Connection whose Records are mapped by themselves."""
        forget_everything()
        names = secret_names(known_tool(slug))
        plain = {name: value for name, value in entered.items() if name not in names}
        secrets = {name: SecretStr(value) for name, value in entered.items() if name in names}
        self.connection = add_connection(ME, slug, "bench", plain, secrets, auto_map=True, discover=False)

    def stored(self) -> int:
        return Finding.objects.count()

    def profiled(self) -> list[tuple[str, float]]:
        """Whose share of an unchanged Sync is how large, in per cent, the largest first; of what the worker itself
        computes in all of its threads, without what it waits for."""
        profiles: list[cProfile.Profile] = []

        def begin(*_: Any) -> None:
            profiles.append(cProfile.Profile(time.thread_time))
            profiles[-1].enable()

        threading.setprofile(begin)
        begin()
        try:
            self._measured("sync")
        finally:
            profiles[0].disable()
            threading.setprofile(None)
        spent: Counter[str] = Counter()
        for profile in profiles:
            for called, (_, _, own, _, callers) in pstats.Stats(profile).stats.items():  # pyright: ignore[reportAttributeAccessIssue]
                if whose(called) != REST:
                    spent[whose(called)] += own
                for caller, (_, _, part, _) in callers.items() if whose(called) == REST else ():
                    spent[whose(caller)] += part
        whole = spent.total()
        return [(who, 100 * seconds / whole) for who, seconds in spent.most_common(6)]

    def _check(self, operation: Operation) -> None:
        """A World has refused Families and odd rows: what the Operation says of them is not what is measured."""
        if operation.status not in ("success", "partial"):
            raise RuntimeError(f"The {operation.type} ended as {operation.status}: {operation.why}")


class Aimed(httpx2.AsyncBaseTransport):
    """Real HTTP to one port of this machine, whatever the address of the question."""

    def __init__(self, port: int) -> None:
        self._port, self._inner = port, httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.headers["host"]
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        request.headers["host"] = host
        return await self._inner.handle_async_request(request)


def unhurried(door: Any) -> Any:
    """The door without a rate."""
    if isinstance(door, Bucket):
        return replace(door, http=replace(door.http, per_second=0))
    return replace(door, per_second=0) if isinstance(door, Http) else door


async def at_once(_seconds: float) -> None:
    """Waits for nothing, and lets others have their turn."""
    await asyncio.sleep(0)


def whose(called: tuple[str, int, str]) -> str:
    """By file and name; what Python and its library do is done for whoever called it."""
    told = f"{called[0]} {called[2]}"
    return next((who for part, who in OURS.items() if part in told), REST)


def measure(house: House, findings: int, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """Every Tool of the catalog in turn; the slowest is the one whose unchanged Sync is furthest from its limit."""
    from tidegate.catalog import tools

    figures: list[Figure] = []
    slowest: tuple[float, str, list[tuple[str, float]]] = (0, "", [])
    for tool in sorted(tools(), key=lambda tool: tool.name.casefold()):
        if tool.__module__.startswith("bench."):
            continue
        say(f"{tool.name}: about {findings:,} findings end to end")
        of_one, ratio, shares = one(house, tool.slug, findings, rounds, say)
        figures += of_one
        slowest = max(slowest, (ratio, tool.name, shares))
    _, name, shares = slowest
    return figures + [Figure(f"{name}, the slowest, unchanged: {who}", share, "%") for who, share in shares]


def one(
    house: House, slug: str, findings: int, rounds: int, say: Callable[[str], None]
) -> tuple[list[Figure], float, list[tuple[str, float]]]:
    """The figures of one Tool, its ratio of an unchanged Sync, and whose time that is."""
    best, log = Best(), house.spools / f"{slug}.said"
    folder = house.spools / f"{slug}.reports"
    folder.mkdir()
    with (
        Child("bench.many:Many", slug, findings, str(folder), TMPDIR=str(house.spools)) as vendor,
        Child("bench.tools:ToolWorker", url=house.database.url, TMPDIR=str(house.spools)) as worker,
    ):
        worker.ask("aim", vendor.ask("port"))
        for _ in range(rounds):
            worker.ask("connect", slug, vendor.ask("entered"))
            vendor.ask("anew", "")
            worker.ask("discover")
            vendor.ask("anew", "")
            best.note("first", *worker.ask("sync"))
            house.ask("VACUUM ANALYZE finding")
            seen = settled(vendor, worker, log)
            vendor.ask("anew", "")
            best.note("unchanged", *worker.ask("sync"))
            size = decode(said(log, folder), best)
        there = vendor.ask("count")
        if there < 0.8 * findings:
            say(f"{built_name(slug)}: {there:,}, for the Session takes no larger pages than those that hold them")
        if seen < there or not worker.ask("stored"):  # what is fixed already when it is first seen is not stored
            raise RuntimeError(f"{slug}: of {there:,} findings {seen:,} were seen.")
        vendor.ask("anew", "")
        shares = worker.ask("profiled")
    log.unlink()
    return figures_of(built_name(slug), best, seen, size), best.seconds["unchanged"] / best.seconds["decode"], shares


def settled(vendor: Child, worker: Child, log: Path) -> int:
    """Syncs until nothing is new: the home of what belongs to no product is made when one is seen."""
    for _ in range(3):
        vendor.ask("anew", "")
        worker.ask("discover")
        vendor.ask("anew", str(log))
        worker.ask("sync")
        vendor.ask("anew", "")
        counts = worker.ask("counts")
        if not counts.get("created") and not counts.get("updated"):
            return counts["seen"]
    raise RuntimeError(f"The same answers again and again are not unchanged: {counts}")


def built_name(slug: str) -> str:
    return known_tool(slug).name


def said(log: Path, folder: Path) -> list[bytes]:
    """All that the vendor said in one Sync, or the files that were read."""
    return list(bodies(log)) or [file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()]


def decode(answers: list[bytes], best: Best) -> int:
    """Notes how long it takes to decode all that is JSON; returns the bytes of all."""
    watch = Watch()
    gc.collect()
    gc.freeze()
    for body in answers:
        if body.lstrip()[:1] in (b"{", b"["):
            with watch:
                msgspec.json.decode(body)
    gc.unfreeze()
    best.note("decode", watch.seconds)
    return sum(map(len, answers))


def figures_of(name: str, best: Best, findings: int, size: int) -> list[Figure]:
    decoded, first, unchanged = (best.seconds[work] for work in ("decode", "first", "unchanged"))
    return [
        Figure(f"{name}, bytes of a finding", size / findings, "B", findings=findings),
        Figure.judged("tool first", first / decoded, findings, seconds=first, of=name),
        Figure.judged("tool unchanged", unchanged / decoded, findings, seconds=unchanged, of=name),
    ]
