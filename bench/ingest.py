"""`./dev bench ingest`: apply of one Record: first import, unchanged, 1 % changed and 1 % gone, against a bare COPY.

What imports is a process of its own, as a worker is; what it needs at most is measured there. Rows are made while the
clock stands still, so that no bench's million of them is in its memory.
"""

from __future__ import annotations

import gc
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.db import connection, transaction

from bench.child import Child, Watch, forget_peak, peak_megabytes
from bench.figure import Figure
from bench.findings import Scene, batches, forget_everything, new_scene
from bench.house import House
from tidegate.ingest import apply
from tidegate.ingest.read import PartRead
from tidegate.ingest.stage import Spool
from tidegate_sdk import Finding, Outcome, Proof

SMALL = 10_000
"""What the memory of a larger import is compared with."""


class Importer:
    """Lives in the child: does what ingest does with rows that are read, in the order and with the code it has."""

    def __init__(self) -> None:
        apply.prepare_staging()
        self.scene = Scene(0, 0)

    def new_scene(self, name: str = "bench") -> int:
        """Begins a new Record; gives its Feed."""
        self.scene = new_scene(name)
        return self.scene.feed

    def forget_everything(self) -> None:
        forget_everything()

    def sync(self, findings: int, changed: bool = False) -> tuple[float, float]:
        """Seconds, without those in which the rows were made; and megabytes at most."""
        gc.collect()
        forget_peak()
        watch = Watch()
        sync(self.scene, batches(findings, changed), watch)
        return watch.seconds, peak_megabytes()

    def written(self) -> int:
        """Rows of the findings table that were ever written."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT 1")
            cursor.execute(
                "SELECT n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables WHERE relname = 'finding'"
            )
            ((rows,),) = cursor.fetchall()
            return rows


def sync(scene: Scene, rows: Iterable[list[Finding]], watch: Watch) -> None:
    """Spool, stage, compare, write."""
    part = PartRead(0, "issues", "", turns=1)
    seen = 0
    with Spool() as spool:
        for batch in rows:
            with watch:
                spool.add(1, 0, batch, 1)
            seen += len(batch)
        part.outcome = Outcome(True, proof=Proof(seen, seen), seen=seen, kept=seen)
        with watch, transaction.atomic():
            differs = apply.compare(scene.feed, spool, [part], lambda part: part.complete, minimum=0, mapping_version=1)
            apply.write(scene.feed, spool, [part], differs, operation=scene.operation, mapping_version=1)


@dataclass
class Best:
    """The best of all rounds, by work; of memory the worst."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    megabytes: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    written: int = 0

    def note(self, work: str, seconds: float, megabytes: float = 0.0) -> None:
        self.seconds[work] = min(seconds, self.seconds.get(work, seconds))
        self.megabytes[work] = max(megabytes, self.megabytes[work])


def measure(house: House, findings: int, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """The best of `rounds`, each round taking all works in turn, so that a slow minute slows them all."""
    with Child("bench.ingest:Importer", url=house.database.url, TMPDIR=str(house.spools)) as child:
        small = best_of(child, min(SMALL, findings), 1, say) if findings > SMALL else None
        best = best_of(child, findings, rounds, say)
    figures = figures_of(best, findings)
    if small is not None:
        ratio = max(best.megabytes.values()) / max(small.megabytes.values())
        figures.append(Figure.judged("memory flat", ratio, findings, of=f"against {SMALL:,}"))
    return figures


def best_of(child: Child, findings: int, rounds: int, say: Callable[[str], None]) -> Best:
    best = Best()
    for number in range(rounds):
        say(f"Round {number + 1} of {rounds}: {findings:,} findings")
        one_round(child, findings, best)
    return best


def one_round(child: Child, findings: int, best: Best) -> None:
    child.ask("forget_everything")
    child.ask("new_scene")
    best.note("first", *child.ask("sync", findings))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE finding")
    best.note("copy", bare_copy())
    before = child.ask("written")
    best.note("unchanged", *child.ask("sync", findings))
    best.written = max(best.written, child.ask("written") - before)
    best.note("changed", *child.ask("sync", findings, True))


def figures_of(best: Best, findings: int) -> list[Figure]:
    copy, first, unchanged, changed = (best.seconds[work] for work in ("copy", "first", "unchanged", "changed"))
    return [
        Figure("bare COPY into an unlogged table", copy, "s", findings=findings, seconds=copy),
        Figure.judged(
            "first" if findings <= 100_000 else "first, more than 100,000", first / copy, findings, seconds=first
        ),
        Figure.judged("unchanged", unchanged / copy, findings, seconds=unchanged),
        Figure.judged("unchanged writes", best.written, findings),
        Figure.judged("changed", changed / unchanged, findings, seconds=changed),
        *(
            Figure.judged("memory", best.megabytes[work], findings, of=work)
            for work in ("first", "unchanged", "changed")
        ),
    ]


def bare_copy() -> float:
    """Seconds of a bare COPY of the stored rows, as they are, into an unlogged table without an index. While the next
    ones are fetched from a file the clock stands still and PostgreSQL does not: the limit is a strict one."""
    connection.ensure_connection()
    whole, fetching = Watch(), Watch()
    with connection.connection.cursor() as cursor, tempfile.TemporaryFile() as stored:
        cursor.execute("DROP TABLE IF EXISTS bare")
        cursor.execute("CREATE UNLOGGED TABLE bare (LIKE finding)")
        with cursor.copy("COPY finding TO STDOUT (FORMAT binary)") as copy:
            for chunk in copy:
                stored.write(chunk)
        stored.seek(0)
        gc.collect()
        with whole, cursor.copy("COPY bare FROM STDIN (FORMAT binary)") as copy:
            while True:
                with fetching:
                    chunk = stored.read(2**18)
                if not chunk:
                    break
                copy.write(chunk)
        cursor.execute("DROP TABLE bare")
    return whole.seconds - fetching.seconds
