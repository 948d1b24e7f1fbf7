"""`./dev bench remap`: a remap that moves or closes many findings, and its undo, as the changes that carry them out.

Half of what moves is at the destination already, which is the dear case. The limit beside it is one UPDATE of as many
rows: what PostgreSQL itself needs to write each of them once.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from bench.child import Child, forget_peak, peak_megabytes
from bench.figure import Figure, say, show
from bench.house import House, open_house

if TYPE_CHECKING:
    from tidegate.actions.record import Imported

FINDINGS = 200_000


class Mover:
    """Lives in the child: decides, and carries out what it asked for, as a worker does."""

    def __init__(self) -> None:
        from tidegate.rules.actor import at_this_machine
        from tidegate.store.models import Connection, Record

        self.actor = at_this_machine("bench")
        source = Connection.objects.create(tool="bench", label=f"Bench {time.time()}", created_by="bench")
        self.record = Record.objects.create(connection=source, vendor_id="bench", name="bench").pk
        self.step = ""
        self.named = 0

    def left_behind(self, findings: int) -> None:
        """So many findings, of which half are in the Product that the Record wrote to before, too."""
        first = self._map_to_new()
        self._fill(0, findings // 2)
        self._map_to_new()
        self._fill(0, findings)
        self.to = first
        self._settle()

    def bare_update(self) -> float:
        """Seconds of one UPDATE of every row where the Record writes to, and of its indexes; taken back."""
        from django.db import connection, transaction

        began = time.perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE finding DISABLE TRIGGER USER")
            cursor.execute("UPDATE finding SET feed_id = -1 FROM record WHERE finding.feed_id = record.feed_id")
            took = time.perf_counter() - began
            transaction.set_rollback(True)
        self._settle()
        return took

    def remap(self, choice: Imported) -> tuple[float, float, float, float]:
        """Seconds of the action, of the change, of its longest step; and megabytes at most."""
        from tidegate.actions.record import map_records

        return self._watched(
            lambda: map_records(self.actor, [self.record], product_id=self.to, already_imported=choice)
        )

    def undo(self) -> tuple[float, float, float, float]:
        """The same, of the undo of that."""
        from tidegate.actions.record import undo

        return self._watched(lambda: undo(self.actor, record_id=self.record))

    def _watched(self, ask: Callable[[], object]) -> tuple[float, float, float, float]:
        from tidegate.ingest.operation import run_operation
        from tidegate.store.models import Operation

        forget_peak()
        began = time.perf_counter()
        outcome = ask()
        asked = time.perf_counter()
        steps: list[float] = [asked]
        (number,) = outcome.operations  # pyright: ignore[reportAttributeAccessIssue]
        run_operation(number, lambda phase, done, total, beside="": steps.append(time.perf_counter()))
        ended = time.perf_counter()
        change = Operation.objects.get(pk=number)
        assert change.status == "success", change.why
        longest = max(two - one for one, two in pairwise([*steps[1:], ended]))
        self._settle()
        return asked - began, ended - asked, longest, peak_megabytes()

    def _map_to_new(self) -> int:
        from tidegate.actions.record import map_records
        from tidegate.store.models import Product

        self.named += 1
        name = f"Product {self.named} of {self.record}"
        map_records(self.actor, [self.record], new_product=name)
        return Product.objects.get(name=name).pk

    def _fill(self, first: int, last: int) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO finding (feed_id, created_operation, key_hash, fingerprint, mapping_version,"
                " severity_vendor, severity, active, family, branch, key, title, fields)"
                " SELECT record.feed_id, 1, md5(n::text)::uuid, md5(n::text)::uuid, 1, n %% 6, n %% 6, true, 'issues',"
                " '', 'finding-' || n, 'SQL injection in parameter ' || n, jsonb_build_object('description',"
                " repeat('input reaches the query without being checked ' || n || '; ', 14))"
                " FROM record, generate_series(%s, %s) AS n WHERE record.id = %s",
                [first + 1, last, self.record],
            )

    def _settle(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE finding, journal, decision, held, tally")


def measure(house: House, findings: int, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """The best of `rounds`, each with a Record of its own."""
    best: dict[str, tuple[float, ...]] = {}
    for number in range(rounds):
        say(f"Round {number + 1} of {rounds}: {findings:,} findings")
        with Child("bench.remap:Mover", url=house.database.url) as child:
            child.ask("left_behind", findings)
            found = {"bare": (0.0, child.ask("bare_update"), 0.0, 0.0)}
            for choice in ("move", "close"):
                found[choice] = child.ask("remap", choice)
                found[f"undo of {choice}"] = child.ask("undo")
        for work, took in found.items():
            best[work] = took if work not in best else tuple(map(min, best[work], took))
    bare = best.pop("bare")[1]
    figures = [Figure("one bare UPDATE of as many rows", bare, "s", findings=findings, seconds=bare)]
    for work, (asking, seconds, longest, megabytes) in best.items():
        figures += [
            Figure(work, seconds / bare, "× bare UPDATE", findings=findings, seconds=seconds),
            Figure(f"{work}: the decision itself", asking, "s"),
            Figure(f"{work}: its longest transaction", longest, "s"),
            Figure(f"{work}: peak memory", megabytes, "MB"),
        ]
    return figures


def main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev bench remap")
    parser.add_argument("--findings", type=int, default=FINDINGS)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    asked = parser.parse_args(given)
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as folder, open_house(Path(folder), say) as house:
        figures = measure(house, asked.findings, asked.rounds, say)
    return show(figures, asked.json)
