"""`./dev bench scale`: a thousand Connections that are due at once, by one worker and by two, and the scheduler's tick.

The vendors take 200 ms a page and are a host each. What one worker does in a while is measured, then what two do at the
same concurrency, in turns and all from the same backlog: a machine that grows slower or quicker meanwhile does so to
both. What is compared is Records read, since an Operation in a window may have begun before it.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from bench.figure import Figure, say, show
from bench.house import House, Process, load, open_house, until
from bench.loopback import TOKEN, Answer, Server, as_json, page

RECORDS = 20
PAGE_SECONDS = 0.2
WARM_SECONDS = 8.0
SAID = re.compile(r"""(\w+)=("[^"]*"|\S+)""")


@dataclass
class Window:
    """What some workers did in a while."""

    records: int
    operations: int
    seconds: float
    cores: dict[str, float]
    """Of each process, and of PostgreSQL and the vendor: the part of a core it used."""
    connections: dict[str, int]
    """The most that each process had at once."""

    @property
    def rate(self) -> float:
        return self.records / self.seconds

    @property
    def most(self) -> int:
        """Of one worker's connections to the database."""
        return max(number for name, number in self.connections.items() if name.startswith("worker"))


def answer(_host: str, path: str, query: dict[str, str]) -> Answer:
    """The same twenty applications for everybody, with five to ten findings each."""
    rest = path.strip("/").split("/")
    if rest == ["account"]:
        return as_json({"id": "the account", "name": "scale"}, PAGE_SECONDS)
    if rest == ["applications"]:
        listed = [{"id": f"app{number}", "name": f"Application {number}"} for number in range(RECORDS)]
        return page(listed, path, query, PAGE_SECONDS)
    number = int(rest[1].removeprefix("app"))
    return page([finding(number, n) for n in range(5 + number % 6)], path, query, PAGE_SECONDS)


def finding(application: int, number: int) -> dict[str, str]:
    return {
        "id": f"f{application}-{number}",
        "title": f"Weakness {number}",
        "severity": ("low", "medium", "high", "critical")[number % 4],
        "status": "open",
        "description": "input reaches the query without being checked, so an attacker may read what is stored; " * 8,
    }


def main(given: list[str]) -> int:
    """Exit code 0 where every bar is kept, 1 where one is not."""
    parser = argparse.ArgumentParser(prog="./dev bench scale", description=__doc__)
    parser.add_argument("--connections", type=int, default=1_000, help="of twenty Records each (default: 1,000)")
    parser.add_argument("--concurrency", type=int, default=1, help="of each worker (default: 1)")
    parser.add_argument("--rounds", type=int, default=2, help="in each one worker, then two (default: 2)")
    parser.add_argument("--seconds", type=float, default=40, help="of each window (default: 40)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    asked = parser.parse_args(given)
    say(f"Machine: {load()}")
    with tempfile.TemporaryDirectory(prefix="tidegate-scale-") as folder, open_house(Path(folder), say) as house:
        figures = measure(house, asked.connections, asked.concurrency, asked.rounds, asked.seconds, say)
    say(f"Machine: {load()}")
    return show(figures, asked.json)


def measure(
    house: House, connections: int, concurrency: int, rounds: int, seconds: float, say: Callable[[str], None]
) -> list[Figure]:
    hosts = [f"127.{1 + number // 65_000}.{number // 250 % 250}.{1 + number % 250}" for number in range(connections)]
    server = Server(answer, hosts)
    processes: list[Process] = []
    try:
        say(f"Storing {connections:,} Connections of {RECORDS} Records")
        store(server, hosts)
        words = ("worker", "--concurrency", str(concurrency))
        one = Process(house, "worker-1", *words)
        processes.append(one)
        scheduler = Process(house, "scheduler", "scheduler", TIDEGATE_LOG_LEVEL="debug")
        processes.append(scheduler)
        until(lambda: house.connections().keys() >= {"worker-1", "scheduler"}, 60)
        time.sleep(12)  # two ticks with nothing to do
        house.ask("UPDATE schedule SET next_at = now() WHERE type = 'sync'")
        until(lambda: house.ask("SELECT 1 FROM operation WHERE status = 'running' AND trigger = 'scheduled'"), 60)
        alone: list[Window] = []
        together: list[Window] = []
        for _ in range(rounds):
            alone.append(measured("One worker", house, [one], seconds, say))
            two = Process(house, "worker-2", *words)
            processes.append(two)
            until(lambda: "worker-2" in house.connections(), 60)
            together.append(measured("Two workers", house, [one, two], seconds, say))
            two.end(60)
            processes.remove(two)
        alone.append(measured("One worker", house, [one], seconds, say))
        waiting = int(str(house.ask("SELECT count(*) FROM operation WHERE status = 'pending'")[0][0]))
        bad = int(str(house.ask("SELECT count(*) FROM operation WHERE status IN ('failed', 'partial')")[0][0]))
        for process in processes:
            process.end(60)
        waits = where_time_went(house)
        ticks = ticks_of(scheduler.log.read_text())
        say(f"The tick that asked: {max(ticks, key=lambda tick: tick.asked)}")
        say(f"The longest tick: {max(ticks, key=lambda tick: tick.whole)}")
    finally:
        for process in processes:
            if process.lives:
                process.process.kill()
        server.close()
    return figures_of(alone, together, ticks, waits, waiting, bad)


def figures_of(
    alone: list[Window],
    together: list[Window],
    ticks: list[Tick],
    waits: dict[str, float],
    waiting: int,
    bad: int,
) -> list[Figure]:
    one, two = fmean(window.rate for window in alone), fmean(window.rate for window in together)
    ratio = two / one if one else 0.0
    busy = fmean(window.cores["worker-1"] for window in alone)
    most = max(window.most for window in (*alone, *together))
    requested, longest = max(ticks, key=lambda tick: tick.asked), max(ticks, key=lambda tick: tick.whole)
    return [
        Figure("one worker", one, "Records/s"),
        Figure("two workers", two, "Records/s"),
        Figure.judged("two workers", ratio),
        Figure.judged("one worker", busy),
        Figure("of two workers each uses", fmean(window.cores["worker-2"] for window in together), "cores"),
        Figure("PostgreSQL uses, for one worker", fmean(window.cores["PostgreSQL"] for window in alone), "cores"),
        Figure("PostgreSQL uses, for two", fmean(window.cores["PostgreSQL"] for window in together), "cores"),
        Figure("the vendor uses, for two", fmean(window.cores["vendor"] for window in together), "cores"),
        Figure.judged("connections", most),
        Figure.judged("tick", requested.whole, of=f"which asked for {requested.asked:,}"),
        Figure.judged("tick", longest.whole, of="the longest"),
        *(Figure(f"an Operation's time, {word}", number, "s") for word, number in waits.items()),
        Figure.judged("backlog", waiting),
        Figure.judged("went well", bad),
    ]


def measured(what: str, house: House, workers: list[Process], seconds: float, say: Callable[[str], None]) -> Window:
    """A window that begins when the workers have warmed up."""
    time.sleep(WARM_SECONDS)
    seen = window(house, workers, seconds)
    say(f"{what}, {seen.seconds:.0f} s: {seen.rate:.2f} Records/s; {load()}")
    return seen


def window(house: House, workers: list[Process], seconds: float) -> Window:
    """Counts what is done in so many seconds, and who used what for it."""
    most: dict[str, int] = {}
    before, began, spent = done(house), time.monotonic(), spent_by(house, workers)
    while time.monotonic() - began < seconds:
        for name, number in house.connections().items():
            most[name] = max(most.get(name, 0), number)
        time.sleep(0.5)
    after, took, now = done(house), time.monotonic() - began, spent_by(house, workers)
    cores = {name: (now[name] - spent[name]) / took for name in now}
    return Window(after[0] - before[0], after[1] - before[1], took, cores, most)


def done(house: House) -> tuple[int, int]:
    """How many Records were read so far, and Operations ended."""
    (row,) = house.ask(
        "SELECT (SELECT count(*) FROM result WHERE family = ''),"
        " (SELECT count(*) FROM operation WHERE ended_at IS NOT NULL)"
    )
    return int(str(row[0])), int(str(row[1]))


def spent_by(house: House, workers: list[Process]) -> dict[str, float]:
    """The processor's seconds of each. This process is the vendor, but for some questions it asks the database."""
    times = os.times()
    told = {process.name: house.cpu(process.pid) for process in workers}
    return told | {"PostgreSQL": house.cpu_of_database(), "vendor": times.user + times.system}


@dataclass
class Tick:
    """One tick of the scheduler: the seconds of each of its duties, and how many Operations it asked for."""

    seconds: dict[str, float]
    asked: int

    @property
    def whole(self) -> float:
        return sum(self.seconds.values())

    def __str__(self) -> str:
        told = ", ".join(f"{duty} {number:.2f} s" for duty, number in self.seconds.items() if number >= 0.01)
        return f"{self.whole:.2f} s ({told})"


def ticks_of(log: str) -> list[Tick]:
    """The ticks that a scheduler's log at level *debug* tells of; *due* is the first duty of each."""
    ticks: list[Tick] = []
    for line in log.splitlines():
        if "event=scheduler.done" not in line:
            continue
        facts = dict(SAID.findall(line))
        duty = facts["duty"].strip('"')
        if duty == "due":
            ticks.append(Tick({}, int(facts["done"])))
        if ticks:
            ticks[-1].seconds[duty] = float(facts["seconds"])
    return ticks


def where_time_went(house: House) -> dict[str, float]:
    """The seconds of an Operation that the schedule asked for, on the average, by what it waited for."""
    told = house.ask(
        "SELECT word, avg(number::float) FROM operation, jsonb_each_text(seconds) AS its (word, number)"
        " WHERE status = 'success' AND trigger = 'scheduled' AND word <> 'queue' GROUP BY word ORDER BY word"
    )
    return {str(word): float(str(number)) for word, number in told}


# What is there when it begins


def store(server: Server, hosts: list[str]) -> None:
    """One Connection is discovered and synced in truth; the others get copies of what that left."""
    from django.db import connection as database
    from pydantic import SecretStr

    from tidegate.actions.connection import add_connection
    from tidegate.actions.operation import discover, sync
    from tidegate.rules.actor import at_this_machine
    from tidegate.store.models import Connection, Operation

    me = at_this_machine("alice")
    made: list[int] = []
    for number, host in enumerate(hosts):
        settings = {"url": server.url(host), "per_second": 200, "families": 1}
        token = {"token": SecretStr(TOKEN)}
        made.append(add_connection(me, "loopback", f"c{number}", settings, token, auto_map=True, discover=False))
    first = made[0]
    for operation in (discover(me, first), sync(me, first)):
        assert Operation.objects.get(pk=operation).status == "success", Operation.objects.get(pk=operation).why
    account = Connection.objects.get(pk=first).account
    Connection.objects.exclude(pk=first).update(account=account)
    with database.cursor() as cursor:
        for statement in copies():
            cursor.execute(statement, {"first": first})
        cursor.execute("DELETE FROM procrastinate_jobs")
        cursor.execute("DELETE FROM operation WHERE status = 'pending'")
        cursor.execute("UPDATE schedule SET kind = 'off' WHERE type = 'discover'")
        cursor.execute("ANALYZE")


def copies() -> list[str]:
    """Statements that give every other Connection what the first has."""
    from tidegate.store.models import Finding, Part

    def columns(model: Any) -> str:
        return ", ".join(f.column for f in model._meta.fields if f.column not in ("id", "feed_id"))

    def of_feed(model: Any) -> str:
        table, own = model._meta.db_table, columns(model)
        theirs = ", ".join(f"their.{name}" for name in own.split(", "))
        return (
            f"INSERT INTO {table} (feed_id, {own}) SELECT record.feed_id, {theirs} FROM record"
            " JOIN record AS original ON original.connection_id = %(first)s AND original.vendor_id = record.vendor_id"
            f" JOIN {table} AS their ON their.feed_id = original.feed_id WHERE record.connection_id <> %(first)s"
        )

    return [
        """INSERT INTO record (connection_id, vendor_id, name, first_seen_operation_id)
           SELECT connection.id, vendor_id, record.name, first_seen_operation_id
             FROM record, connection
            WHERE connection_id = %(first)s AND connection.id <> %(first)s""",
        """INSERT INTO product (product_type_id, name, origin)
           SELECT (SELECT min(id) FROM product_type), 'product of record ' || id, 'auto-map'
             FROM record WHERE connection_id <> %(first)s""",
        """INSERT INTO engagement (product_id, name, kind)
           SELECT id, 'Global Connectors', 'connectors' FROM product WHERE name LIKE 'product of record %%'""",
        """INSERT INTO test (engagement_id, connection_id, name)
           SELECT engagement.id, record.connection_id, 'Loopback'
             FROM record
             JOIN product ON product.name = 'product of record ' || record.id
             JOIN engagement ON engagement.product_id = product.id""",
        """INSERT INTO feed (record_id, test_id)
           SELECT record.id, test.id
             FROM record
             JOIN product ON product.name = 'product of record ' || record.id
             JOIN engagement ON engagement.product_id = product.id
             JOIN test ON test.engagement_id = engagement.id""",
        """UPDATE record
              SET decision = 'mapped', feed_id = feed.id, finalized_at = now(), finalized_by = 'auto-map',
                  finalized_how = 'auto-map'
             FROM feed
            WHERE feed.record_id = record.id AND record.feed_id IS NULL""",
        of_feed(Part),
        of_feed(Finding),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
