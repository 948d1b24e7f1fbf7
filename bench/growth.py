"""`./dev bench growth`: what a finding costs, from ten thousand of one Record to two million."""

from __future__ import annotations

from collections.abc import Callable

from bench.child import Child
from bench.figure import Figure
from bench.house import House
from bench.ingest import Best, best_of

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000, 2_000_000)
WORKS = {"first": "first import", "unchanged": "unchanged", "changed": "1 % changed, 1 % gone", "copy": "bare COPY"}


def measure(house: House, findings: int, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """All sizes up to `findings`; the small ones more often, since a moment's trouble is more to them."""
    figures: list[Figure] = []
    with Child("bench.ingest:Importer", url=house.database.url, TMPDIR=str(house.spools)) as child:
        for size in (size for size in SIZES if size <= findings):
            best = best_of(child, size, max(rounds, 3 if size <= 100_000 else 1), say)
            figures += figures_of(best, size)
    return figures


def figures_of(best: Best, size: int) -> list[Figure]:
    return [
        *(
            Figure(word, best.seconds[work] / size * 1e6, "µs a finding", findings=size, seconds=best.seconds[work])
            for work, word in WORKS.items()
        ),
        Figure.judged("memory", max(best.megabytes.values()), size, of="the most of these"),
    ]
