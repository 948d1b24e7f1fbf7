"""`./dev bench deliveries`: findings delivered into a DefectDojo, once all of them, once without a change, once after a
change of every hundredth: requests, counted at the server, and this side's own work.

The server is the fake of `demo/`, which answers as the real one's source says, in a process of its own. What a real one
takes for an import is its own time (design: 80 to 120 findings a second), and no figure of ours.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from bench.child import Child, forget_peak, peak_megabytes
from bench.figure import Figure
from bench.house import House
from bench.ingest import Importer

EVERY = 100
"""One finding of so many says something else the third time (findings.py)."""


class Server:
    """Lives in a child: a DefectDojo, and what it was asked."""

    def __init__(self) -> None:
        from tidegate.demo.fake_defectdojo.server import FakeDefectDojo

        self.fake = FakeDefectDojo().__enter__()

    def way(self) -> tuple[str, str]:
        """Where it is, and its token."""
        return self.fake.url, self.fake.token

    def asked(self) -> tuple[int, int]:
        """Requests since this was asked last, and how many of them wrote."""
        with self.fake.lock:
            methods = Counter(question.request.method for question in self.fake.asked)
            self.fake.asked.clear()
        return methods.total(), methods.total() - methods["GET"]

    def stands(self) -> int:
        """Findings that stand there; each is ours by another name."""
        with self.fake.world.lock:
            names = {row["unique_id_from_tool"] for row in self.fake.world.rows["findings"].values()}
            assert len(names) == len(self.fake.world.rows["findings"]), "a finding stands there twice"
        return len(names)


class Deliverer(Importer):
    """Lives in the child: imports as a Sync does, and delivers as a worker does."""

    def begin(self, url: str, token: str) -> None:
        """An empty house with a Record, and a Destination that takes all of it."""
        from pydantic import SecretStr

        from tidegate.actions.destination import add_destination, add_destination_route
        from tidegate.jobs.works import know_all_works
        from tidegate.rules.actor import at_this_machine
        from tidegate.store.models import Destination

        know_all_works()
        actor = at_this_machine("bench")
        self.forget_everything()
        Destination.objects.all().delete()
        self.new_scene()
        self.destination = add_destination(
            actor, "Bench", {"url": url}, {"token": SecretStr(token)},
            product_type="Research and Development", writes_per_minute=6_000,
        )  # fmt: skip
        add_destination_route(actor, self.destination)

    def change(self) -> int:
        """Every hundredth finding says something else; gives how many those are."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE finding SET title = title || ' again' WHERE feed_id = %s AND id %% %s = 0",
                [self.scene.feed, EVERY],
            )
            return cursor.rowcount

    def deliver(self) -> tuple[dict[str, int], float, float, float]:
        """What it counted; seconds in all, of this process's own work; and megabytes at most."""
        from tidegate.ingest.operation import run_operation
        from tidegate.store.models import Connection, Operation
        from tidegate.store.writers.operation import request_deliver

        connection = Connection.objects.get(label="bench")
        number = request_deliver(self.destination, connection.pk, actor="bench", mode="deliver")
        forget_peak()
        began, worked = time.perf_counter(), time.process_time()
        run_operation(number)
        took, own = time.perf_counter() - began, time.process_time() - worked
        done = Operation.objects.get(pk=number)
        assert done.status == "success", done.why
        return done.counts, took, own, peak_megabytes()


def measure(house: House, findings: int, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """Requests are the same in each round; of seconds the best counts, of memory the worst."""
    seconds: dict[str, float] = {}
    own: dict[str, float] = {}
    asked: dict[str, tuple[int, int]] = {}
    peak, changed = 0.0, 0
    for number in range(rounds):
        say(f"Round {number + 1} of {rounds}: {findings:,} findings delivered")
        with (
            Child("bench.deliveries:Server") as server,
            Child("bench.deliveries:Deliverer", url=house.database.url, TMPDIR=str(house.spools)) as child,
        ):
            child.ask("begin", *server.ask("way"))
            child.ask("sync", findings)
            for work in ("created", "unchanged", "changed"):
                changed = child.ask("change") if work == "changed" else changed
                server.ask("asked")
                counts, took, worked, megabytes = child.ask("deliver")
                expect(work, counts, {"created": {"created": findings}, "changed": {"changed": changed}}.get(work, {}))
                seconds[work], own[work] = min(took, seconds.get(work, took)), min(worked, own.get(work, worked))
                asked[work], peak = server.ask("asked"), max(peak, megabytes)
            if (there := server.ask("stands")) != findings:
                raise RuntimeError(f"{there:,} findings stand there.")
    return figures_of(findings, changed, asked, seconds, own, peak)


def expect(work: str, counts: dict[str, int], wanted: dict[str, int]) -> None:
    if counts != wanted:
        raise RuntimeError(f"The delivery of what was {work} counted {counts}, and not {wanted}.")


def figures_of(
    findings: int,
    changed: int,
    asked: dict[str, tuple[int, int]],
    seconds: dict[str, float],
    own: dict[str, float],
    peak: float,
) -> list[Figure]:
    requests: dict[str, Any] = {work: total for work, (total, _) in asked.items()}
    return [
        Figure("created: requests", requests["created"], findings=findings),
        Figure.judged("delivery created", requests["created"] / findings * 100, findings),
        Figure.judged("delivery unchanged", requests["unchanged"], findings, seconds["unchanged"]),
        Figure.judged("delivery writes", asked["unchanged"][1], findings),
        Figure("1 % changed: requests", requests["changed"], findings=changed),
        Figure.judged("delivery changed", requests["changed"] / changed, changed),
        *(Figure(f"{work}: own work", own[work], "s") for work in own),  # the rest of the time is the server's
        Figure.judged("delivery memory", peak, findings),
    ]
