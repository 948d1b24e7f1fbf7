"""`./dev bench whole`: one Record from the vendor's bytes over loopback HTTP to the findings table, by a real Sync.

The vendor is a process of its own that only reads pages from a file; the worker is another. Beside it stand what
cannot be done in less: the same bytes fetched and thrown away, and the same bytes decoded and thrown away.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

import msgspec

from bench.child import Child, Watch
from bench.figure import Figure
from bench.house import House
from bench.ingest import Best
from bench.pages import LIST, transfer


def measure(house: House, findings: int, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """The best of all rounds; both limits are measured in every one."""
    best = Best()
    with (
        Child("bench.loopback:Vendor", "bench.pages:Pages", findings, TMPDIR=str(house.spools)) as vendor,
        Child("bench.worker:Worker", url=house.database.url, TMPDIR=str(house.spools)) as worker,
    ):
        url: str = vendor.ask("url")
        for number in range(rounds):
            say(f"Round {number + 1} of {rounds}: {findings:,} findings end to end")
            size = limits(url, best)
            worker.ask("begin", url)
            worker.ask("discover")
            best.note("first", *worker.ask("sync"))
            house.ask("VACUUM ANALYZE finding")
            best.note("unchanged", *worker.ask("sync"))
            told = worker.ask("counts")
            if told.get("seen") != findings or told.get("unchanged") != findings:
                raise RuntimeError(f"The Sync did not see the same {findings:,} findings again: {told}")
    return figures_of(best, findings, size)


def limits(url: str, best: Best) -> int:
    """How long it takes to fetch all pages, and to decode them, one after the other; returns their bytes. What the
    bench itself holds is kept from the garbage collector, which works as it does by default."""
    fetching, decoding, size = Watch(), Watch(), 0
    gc.freeze()
    pages = transfer(url, LIST)
    while True:
        with fetching:
            body = next(pages, None)
        if body is None:
            break
        size += len(body)
        with decoding:
            msgspec.json.decode(body)
    gc.unfreeze()
    best.note("transfer", fetching.seconds)
    best.note("decode", decoding.seconds)
    return size


def figures_of(best: Best, findings: int, size: int) -> list[Figure]:
    decode, transfer, first, unchanged = (best.seconds[work] for work in ("decode", "transfer", "first", "unchanged"))
    return [
        Figure("bytes of a finding", size / findings, "B", findings=findings),
        Figure("bare msgspec decode", decode, "s", findings=findings, seconds=decode),
        Figure("empty loopback transfer", transfer, "s", findings=findings, seconds=transfer),
        Figure.judged("whole first", first / decode, findings, seconds=first),
        Figure.judged("whole unchanged", unchanged / decode, findings, seconds=unchanged),
        *(
            Figure.judged("memory", best.megabytes[work], findings, of=f"{work}, end to end")
            for work in ("first", "unchanged")
        ),
    ]
