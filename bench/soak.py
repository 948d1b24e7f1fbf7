"""`./dev bench soak`: the whole service under random kills, cuts, faults and edits; then calm, and all is counted.

Two workers, two schedulers and a web process serve a few Connections whose vendors' worlds change all the time. One
worker and one scheduler are never killed: they are stopped and cut off, and their memory is compared over time. The web
process is killed in the first third only, for the same reason.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import http.client
import os
import random
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.house import House, Process, load, open_house, until
from bench.loopback import TOKEN, Answer, Server, as_json, page

LEASE = 3
CONCURRENCY = 3
SEVERITIES = ("info", "low", "medium", "high", "critical")
RANKS = {"info": 0, "low": 1, "medium": 3, "high": 4, "critical": 5}
STATES = ("open", "open", "open", "open", "fixed", "false positive")
LABELS = ("amber", "beryl", "coral", "diamond", "emerald", "flint", "garnet", "jade")
OPERATIONS_BY_STATUS = "SELECT status, count(*) FROM operation GROUP BY 1 ORDER BY 1"
GROWTH = 1.15
"""How much more memory a long-lived process may have in the last third than in the middle one."""


class Worlds:
    """What the vendors know, one world a Connection, and what goes wrong there at the moment."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.lock = threading.Lock()
        self.of: dict[str, dict[str, dict[str, dict[str, dict[str, str]]]]] = {}
        self.names: dict[tuple[str, str], str] = {}
        self.faults: dict[str, tuple[str, float]] = {}
        self.fault_counts: Counter[str] = Counter()
        self._next = 0

    def make(self, label: str) -> None:
        self.of[label] = {}
        for _ in range(self.dice.randint(4, 8)):
            self._add_application(label)

    def answer(self, _host: str, path: str, query: dict[str, str]) -> Answer:
        """The path begins with the label of the Connection."""
        label, *rest = path.strip("/").split("/")
        with self.lock:
            seconds = self.dice.uniform(0.1, 0.8)
            kind, until_when = self.faults.get(label, ("", 0.0))
            if kind and time.monotonic() < until_when and self.dice.random() < 0.5:
                self.fault_counts[kind] += 1
                return self._fault(kind, seconds)
            world = self.of[label]
            if rest == ["account"]:
                return as_json({"id": f"account of {label}", "name": label}, seconds)
            if rest == ["applications"]:
                listed = [{"id": id, "name": self.names[label, id]} for id in world]
                return page(listed, path, query, seconds)
            if len(rest) == 3 and rest[1] in world:
                return page(list(world[rest[1]][rest[2]].values()), path, query, seconds)
            return Answer(status=404)

    def _fault(self, kind: str, seconds: float) -> Answer:
        match kind:
            case "429":
                return Answer(status=429, headers={"Retry-After": "1"}, seconds=seconds)
            case "hang":
                return Answer(never=True)
            case "cut":
                return Answer(b'{"items": [], "total": 0, "links": {}}', cut=True, seconds=seconds)
            case "rejected":
                return Answer(status=401)
            case "nonsense":
                return Answer(b'{"items": [{"id": ', seconds=seconds)
            case _:
                return Answer(status=500, seconds=seconds)

    def break_something(self) -> str:
        with self.lock:
            kind = self.dice.choice(("500", "500", "429", "429", "hang", "cut", "cut", "rejected", "nonsense"))
            labels = self.dice.sample(list(self.of), 2)
            for label in labels:
                self.faults[label] = (kind, time.monotonic() + self.dice.uniform(5, 30))
            return f"{' and '.join(labels)}: {kind}"

    def heal(self) -> None:
        with self.lock:
            self.faults.clear()

    def edit(self) -> None:
        """A little of one world changes: findings come, change and go, and now and then an application."""
        with self.lock:
            label = self.dice.choice(list(self.of))
            world = self.of[label]
            roll = self.dice.random()
            if roll < 0.06 and len(world) < 12:
                self._add_application(label)
            elif roll < 0.11 and len(world) > 4:
                del world[self.dice.choice(list(world))]
            elif roll < 0.15:
                self.names[label, self.dice.choice(list(world))] = self._name()
            else:
                self._edit_findings(self.dice.choice(list(world.values()))[self.dice.choice(("code", "web"))])

    def _edit_findings(self, findings: dict[str, dict[str, str]]) -> None:
        if self.dice.random() < 0.04:
            findings.clear()
            return
        for _ in range(self.dice.randint(1, 6)):
            roll = self.dice.random()
            if roll < 0.35 and len(findings) < 120:
                self._add_finding(findings)
            elif findings and roll < 0.6:
                del findings[self.dice.choice(list(findings))]
            elif findings:
                row = findings[self.dice.choice(list(findings))]
                row["title"] = f"Weakness {self.dice.randrange(1000)}"
                row["severity"], row["status"] = self.dice.choice(SEVERITIES), self.dice.choice(STATES)

    def _add_application(self, label: str) -> None:
        self._next += 1
        id = f"app{self._next}"
        self.of[label][id] = {"code": {}, "web": {}}
        self.names[label, id] = self._name()
        for family in self.of[label][id].values():
            for _ in range(self.dice.choice((0, 3, 10, 30, 60))):
                self._add_finding(family)

    def _add_finding(self, findings: dict[str, dict[str, str]]) -> None:
        self._next += 1
        id = f"f{self._next}"
        findings[id] = {
            "id": id,
            "title": f"Weakness {self.dice.randrange(1000)}",
            "severity": self.dice.choice(SEVERITIES),
            "status": self.dice.choice(STATES),
            "description": "what somebody found out about it; " * 20,
        }

    def _name(self) -> str:
        self._next += 1
        return f"Application {self._next}"


class People:
    """What people do meanwhile, through the same actions as the command line."""

    def __init__(self, dice: random.Random) -> None:
        from tidegate.rules.actor import Actor

        self.dice, self.me = dice, Actor("person", "alice")
        self.did: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.doing = "nothing"

    def connect(self, label: str, server: Server, number: int) -> None:
        """A Connection; some map by themselves, some drift, some run every minute, and most hold a collapse."""
        from pydantic import SecretStr

        from tidegate.actions.connection import add_connection, edit_connection
        from tidegate.actions.schedule import set_schedule

        settings = {
            "url": server.url() + f"{label}/",
            "paging": "drifting" if number % 4 == 3 else "steady",
            "per_second": 40,
            "impatient": True,
        }
        token = {"token": SecretStr(TOKEN)}
        added = add_connection(self.me, "loopback", label, settings, token, auto_map=number % 3 != 2)
        if number % 2:
            edit_connection(self.me, added, hold_above=32_767)
        for type in ("discover", "sync") if number % 4 == 0 else ():
            set_schedule(self.me, added, type, kind="cron", cron="* * * * *", spread_minutes=0)

    def do_something(self) -> None:
        from tidegate.actions.errors import NotThere, Refused

        deeds = (
            (self.sync, 30),
            (self.discover, 14),
            (self.sync_twice, 5),
            (self.sync_some, 8),
            (self.map, 10),
            (self.ignore, 3),
            (self.restore, 4),
            (self.delete_record, 2),
            (self.undo, 3),
            (self.decide, 12),
            (self.threshold, 3),
            (self.pause, 1),
            (self.resume, 6),
            (self.cancel, 8),
            (self.settle, 3),
            (self.run_again, 4),
            (self.delete_product, 1),
            (self.continue_connection, 1),
        )
        deed = self.dice.choices([deed for deed, _ in deeds], [weight for _, weight in deeds])[0]
        name = self.doing = deed.__name__.replace("_", " ")
        try:
            deed()
            self.did[name] += 1
        except (Refused, NotThere):
            self.refused[name] += 1

    def _connection(self) -> int:
        from tidegate.store.models import Connection

        return self.dice.choice(list(Connection.objects.filter(deleted_at=None).values_list("pk", flat=True)))

    def _records(self, most: int = 3, **only: Any) -> list[int]:
        from tidegate.store.models import Record

        found = list(Record.objects.filter(deleted_at=None, **only).values_list("pk", flat=True))
        return self.dice.sample(found, min(len(found), self.dice.randint(1, most)))

    def sync(self) -> None:
        from tidegate.actions.operation import request_sync

        request_sync(self.me, self._connection())

    def discover(self) -> None:
        from tidegate.actions.operation import request_discover

        request_discover(self.me, self._connection())

    def sync_twice(self) -> None:
        from tidegate.actions.operation import request_sync

        connection = self._connection()
        if request_sync(self.me, connection) != request_sync(self.me, connection):
            self.did["sync twice, not joined: it had begun"] += 1

    def sync_some(self) -> None:
        from tidegate.actions.operation import request_sync

        connection = self._connection()
        request_sync(self.me, connection, self._records(connection_id=connection, decision="mapped", absent_since=None))

    def map(self) -> None:
        from tidegate.actions.record import map_records
        from tidegate.store.models import Product

        records = self._records(2)
        products = list(Product.objects.values_list("pk", flat=True))
        imported: Any = self.dice.choice(("leave", "move", "close"))
        if products and self.dice.random() < 0.7:
            map_records(self.me, records, product_id=self.dice.choice(products), already_imported=imported)
        else:
            name = f"Product {self.dice.randrange(10**6)}"
            map_records(self.me, records, new_product=name, already_imported=imported)

    def ignore(self) -> None:
        from tidegate.actions.record import ignore_records

        ignore_records(self.me, self._records(1), "nobody wants it")

    def restore(self) -> None:
        from tidegate.actions.record import restore_records

        records = self._records(decision="ignored")
        restore_records(self.me, records, to_earlier=self.dice.random() < 0.7)

    def delete_record(self) -> None:
        from tidegate.actions.record import delete_records

        delete_records(self.me, self._records(1))

    def undo(self) -> None:
        from tidegate.actions.record import undo

        undo(self.me, record_id=self._records(1)[0])

    def decide(self) -> None:
        from tidegate.actions.finding import decide_finding
        from tidegate.store.models import Finding

        finding = self.dice.choice(list(Finding.objects.order_by("?").values_list("pk", flat=True)[:1]) or [0])
        what: Any = self.dice.choice(
            (
                {"verdict": "false positive"},
                {"verdict": "accepted"},
                {"verdict": None},
                {"severity": "Low"},
                {"severity": "Critical"},
                {"severity": None},
                {"note": "looked at", "tags": ["soak"]},
                {"verified": True},
            )
        )
        decide_finding(self.me, finding, **what)

    def threshold(self) -> None:
        from tidegate.actions.connection import edit_connection

        edit_connection(self.me, self._connection(), minimum_severity=self.dice.choice((0, 0, 1, 3)))

    def pause(self) -> None:
        from tidegate.actions.connection import pause_connection

        pause_connection(self.me, self._connection(), "for a while")

    def resume(self) -> None:
        from tidegate.actions.connection import resume_connection
        from tidegate.store.models import Connection

        for paused in Connection.objects.filter(deleted_at=None).exclude(paused_at=None).values_list("pk", flat=True):
            resume_connection(self.me, paused)

    def cancel(self) -> None:
        from tidegate.actions.operation import cancel
        from tidegate.store.models import Operation

        open_ones = list(Operation.objects.filter(status__in=["pending", "running"]).values_list("pk", flat=True))
        if open_ones:
            cancel(self.me, self.dice.choice(open_ones))

    def settle(self) -> None:
        from tidegate.actions.operation import approve, keep_open

        for operation in self.holding():
            (approve if self.dice.random() < 0.7 else keep_open)(self.me, operation)

    def holding(self) -> set[int]:
        """The Operations that hold something."""
        from tidegate.store.models import Held, HeldAbsence

        closings = Held.objects.filter(standing=Held.HELD).values_list("latest_operation", flat=True)
        return set(closings) | set(HeldAbsence.objects.values_list("latest_operation_id", flat=True))

    def run_again(self) -> None:
        from tidegate.actions.operation import request_again
        from tidegate.store.models import Operation

        ended = Operation.objects.filter(status__in=["failed", "partial"]).order_by("-pk").values_list("pk", flat=True)
        if recent := list(ended[:5]):
            request_again(self.me, self.dice.choice(recent))

    def delete_product(self) -> None:
        """In SQL, as a person at the database's own prompt may."""
        from django.db import connection

        from tidegate.store.models import Product

        if products := list(Product.objects.values_list("pk", flat=True)):
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM product WHERE id = %s", [self.dice.choice(products)])

    def continue_connection(self) -> None:
        """Deleted, and made anew as its own continuation."""
        from pydantic import SecretStr

        from tidegate.actions.connection import add_connection, delete_connection
        from tidegate.store.models import Connection

        old = Connection.objects.get(pk=self._connection())
        delete_connection(self.me, old.pk, old.label)
        token = {"token": SecretStr(TOKEN)}
        add_connection(self.me, old.tool, old.label, old.settings, token, auto_map=old.auto_map, continues=old.pk)


class Chaos:
    """What befalls the processes, the database and the vendors."""

    def __init__(self, dice: random.Random, house: House, processes: list[Process], worlds: Worlds) -> None:
        self.dice, self.house, self.worlds = dice, house, worlds
        self.processes = {process.name: process for process in processes}
        self.did: Counter[str] = Counter()
        self.asleep: dict[str, float] = {}
        self.born_again: dict[str, float] = {}
        self.ended_oddly: list[str] = []
        self._told_to_end: set[str] = set()

    def befall(self, elapsed: float) -> str:
        """One misfortune; what it was."""
        early = elapsed < 1 / 3
        fates: list[tuple[Callable[[], str], int]] = [
            (functools.partial(self.kill, "worker-a"), 16),
            (functools.partial(self.kill, "scheduler-a"), 5),
            (functools.partial(self.kill, "web"), 5 if early else 0),
            (functools.partial(self.terminate, "worker-a"), 8),
            (functools.partial(self.terminate, "scheduler-a"), 3),
            (functools.partial(self.terminate, "web"), 2 if early else 0),
            (functools.partial(self.sleep, "worker-a"), 5),
            (functools.partial(self.sleep, "worker-b"), 8),
            (functools.partial(self.sleep, "scheduler-b"), 3),
            (self.kill_solitary, 5),
            (self.cut, 18),
            (self.cut_many, 4),
            (self.stop_database, 2),
            (self.crash_database, 1),
            (self.break_vendor, 22),
        ]
        fate = self.dice.choices([fate for fate, _ in fates], [weight for _, weight in fates])[0]
        return fate()

    def _free(self, name: str) -> bool:
        return self.processes[name].lives and name not in self.asleep and name not in self._told_to_end

    def kill(self, name: str) -> str:
        if not self._free(name):
            return f"{name} is not to be killed now"
        self.processes[name].signal(signal.SIGKILL)
        self._told_to_end.add(name)
        self.did["kill -9 " + name.partition("-")[0]] += 1
        return f"kill -9 {name}"

    def terminate(self, name: str) -> str:
        if not self._free(name):
            return f"{name} is not to be ended now"
        self.processes[name].signal(signal.SIGTERM)
        self._told_to_end.add(name)
        self.did["SIGTERM " + name.partition("-")[0]] += 1
        return f"SIGTERM {name}"

    def sleep(self, name: str) -> str:
        if not self._free(name):
            return f"{name} is not to be stopped now"
        self.processes[name].signal(signal.SIGSTOP)
        seconds = self.dice.uniform(LEASE + 1, LEASE * 3)
        self.asleep[name] = time.monotonic() + seconds
        self.did["SIGSTOP " + name.partition("-")[0]] += 1
        return f"SIGSTOP {name} for {seconds:.0f} s"

    def kill_solitary(self) -> str:
        alone = [pid for pid, line in self.house.everyone().items() if "--operation" in line]
        if not alone:
            return "nobody runs an Operation alone"
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.dice.choice(alone), signal.SIGKILL)
        self.did["kill -9 of an Operation's own process"] += 1
        return "kill -9 of an Operation's own process"

    def cut(self) -> str:
        return self._cut(1)

    def cut_many(self) -> str:
        return self._cut(1000)

    def _cut(self, most: int) -> str:
        cut = self.house.ask(
            "SELECT application_name, pg_terminate_backend(pid) FROM (SELECT pid, application_name"
            " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend' ORDER BY random() LIMIT %s) AS chosen",
            most,
        )
        self.did["database connections cut"] += len(cut)
        return f"{len(cut)} database connections cut: {', '.join(sorted({str(name) for name, _ in cut}))}"

    def stop_database(self) -> str:
        return self._signal_postmaster(signal.SIGINT, "PostgreSQL stopped fast")

    def crash_database(self) -> str:
        return self._signal_postmaster(self.dice.choice((signal.SIGQUIT, signal.SIGKILL)), "PostgreSQL crashed")

    def _signal_postmaster(self, number: signal.Signals, what: str) -> str:
        assert self.house.database.place
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.house.database.place.data / "postmaster.pid").read_text().split()[0])
            os.kill(pid, number)
            self.did[what] += 1
        return what

    def break_vendor(self) -> str:
        self.did["vendor faults begun"] += 1
        return self.worlds.break_something()

    def look_after(self) -> None:
        """Wakes who has slept, and starts again who has ended."""
        now = time.monotonic()
        for name, process in self.processes.items():
            if self.asleep.get(name, now) < now:
                process.signal(signal.SIGCONT)
                del self.asleep[name]
            if process.lives:
                continue
            at_start = process.process.returncode == 1 and now - process.born < 15
            if name not in self._told_to_end and at_start:
                self.did["ended while starting, as the database was away"] += 1
                self._told_to_end.add(name)
            elif name not in self._told_to_end:
                self.ended_oddly.append(f"{name} ended by itself with code {process.process.returncode}")
                self._told_to_end.add(name)
            if name not in self.born_again:
                self.born_again[name] = now + self.dice.uniform(0.2, 3)
            elif self.born_again[name] < now:
                del self.born_again[name]
                self._told_to_end.discard(name)
                process.start()

    def calm(self) -> None:
        """All live and are awake."""
        self.worlds.heal()
        while self.asleep or self.born_again or not all(process.lives for process in self.processes.values()):
            self.look_after()
            time.sleep(0.1)


class Watch:
    """What is seen of the service, minute by minute."""

    def __init__(self, house: House, processes: list[Process]) -> None:
        self.house, self.processes = house, processes
        self.began = time.monotonic()
        self.memory: dict[tuple[str, int], list[tuple[float, int]]] = defaultdict(list)
        self.most_connections: Counter[str] = Counter()
        self.most_spools: Counter[str] = Counter()
        self.descriptors: dict[tuple[str, int], list[tuple[float, int]]] = defaultdict(list)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def sample(self) -> None:
        """Every few seconds."""
        for process in self.processes:
            pid = process.pid
            if (rss := self.house.rss(pid)) and time.monotonic() - process.born > 20:
                self.memory[process.name, pid].append((self.elapsed, rss))
                self.descriptors[process.name, pid].append((self.elapsed, len(self.house.descriptors(pid))))
            self.most_spools[process.name] = max(self.most_spools[process.name], self.house.spools_of(pid))
        with contextlib.suppress(Exception):  # the database may be away: then there is nothing to count
            for name, number in self.house.connections().items():
                self.most_connections[name] = max(self.most_connections[name], number)

    def line(self) -> str:
        """One line a minute."""
        try:
            told = self._of_the_database()
        except Exception as error:  # noqa: BLE001 - told, and the next minute is another
            told = f"database away ({type(error).__name__})"
        memory = " ".join(
            f"{process.name} {self.house.rss(process.pid) >> 20}" for process in self.processes if process.lives
        )
        everyone = self.house.everyone()
        spools = sum(self.house.spools_of(pid) for pid in everyone)
        files = len(list(self.house.spools.iterdir()))
        return (
            f"{self.elapsed / 60:5.1f} min | {told} | MB: {memory} | {len(everyone)} processes,"
            f" {spools} open temporary files, {files} named | {load()}"
        )

    def _of_the_database(self) -> str:
        statuses = {str(word): number for word, number in self.house.ask(OPERATIONS_BY_STATUS)}
        (jobs, leases, dead, findings, open_ones, log, size), *_ = self.house.ask(
            "SELECT (SELECT string_agg(status || ' ' || n, ' ') FROM (SELECT status::text, count(*) AS n"
            " FROM procrastinate_jobs GROUP BY 1) AS jobs), (SELECT count(*) FROM lease),"
            " (SELECT sum(n_dead_tup) FROM pg_stat_user_tables), (SELECT count(*) FROM finding),"
            " (SELECT count(*) FROM finding WHERE open), (SELECT count(*) FROM log_line),"
            " pg_database_size(current_database()) >> 20"
        )
        connections = " ".join(f"{name} {number}" for name, number in self.house.connections().items())
        return (
            f"{' '.join(f'{name} {number}' for name, number in statuses.items())} | jobs: {jobs or 'none'}"
            f" | leases: {leases} | dead rows: {dead} | findings: {findings}, {open_ones} open | log lines: {log}"
            f" | {size} MB | connections: {connections}"
        )

    def growth(self) -> list[str]:
        """Of each long-lived process: its memory and open files in the last third against the middle third."""
        whole, wrong = self.elapsed, []
        looks: Any = (
            ("MB", self.memory, GROWTH, statistics.median),
            ("open files at least", self.descriptors, 1.0, min),
        )
        for what, samples, bar, of_all in looks:
            for (name, _), seen in samples.items():
                middle = [number for at, number in seen if whole / 3 < at <= 2 * whole / 3]
                last = [number for at, number in seen if at > 2 * whole / 3]
                if seen[0][0] > whole / 2 or not middle or not last:
                    continue
                before, after = of_all(middle), of_all(last)
                shift = 20 if what == "MB" else 0
                print(f"{name}: {int(before) >> shift} {what} in the middle third, {int(after) >> shift} in the last")
                slack = 5 << 20 if what == "MB" else 2
                if after > before * bar + slack:
                    wrong.append(f"{name} grows: {int(before) >> shift} to {int(after) >> shift} {what}")
        return wrong


class Truth:
    """Whether what is stored is what the vendors have, and whether it keeps the invariants."""

    def __init__(self, house: House, worlds: Worlds) -> None:
        self.house, self.worlds = house, worlds

    def wrong(self) -> list[str]:
        return [*self._records(), *self._findings(), *self._invariants(), *self._operations()]

    def _records(self) -> list[str]:
        from tidegate.store.models import Connection, Record

        wrong = []
        for connection in Connection.objects.filter(deleted_at=None):
            world = self.worlds.of[connection.label]
            there = Record.objects.filter(connection_id=connection.pk, deleted_at=None)
            present = set(there.filter(absent_since=None).values_list("vendor_id", flat=True))
            if present != set(world):
                wrong.append(
                    f"{connection.label}: Records {sorted(present - set(world))} are not Missing,"
                    f" applications {sorted(set(world) - present)} have none"
                )
        return wrong

    def _findings(self) -> list[str]:
        from tidegate.store.models import Connection, Decision, Finding, Held, Record

        wrong = []
        self.compared = 0
        for connection in Connection.objects.filter(deleted_at=None):
            mapped = Record.objects.filter(
                connection_id=connection.pk, deleted_at=None, absent_since=None, decision="mapped", feed__isnull=False
            )
            for record in mapped:
                world = self.worlds.of[connection.label].get(record.vendor_id, {})
                stored = {
                    (finding.family, finding.key): finding for finding in Finding.objects.filter(feed_id=record.feed_id)
                }
                decided = {
                    (decision.family, str(decision.key_hash)): int(decision.value)
                    for decision in Decision.objects.filter(feed_id=record.feed_id, field="severity")
                }
                kept = set(
                    Held.objects.filter(feed_id=record.feed_id, standing=Held.KEPT_OPEN).values_list(
                        "finding__family", "finding__key"
                    )
                )
                expected = set()
                for family, findings in world.items():
                    for key, row in findings.items():
                        known = stored.get((family, key))
                        hash = str(known.key_hash) if known else ""
                        rank = decided.get((family, hash), RANKS[row["severity"]])
                        if row["status"] != "fixed" and rank >= connection.minimum_severity:
                            expected.add((family, key))
                        if known and known.open and known.title != row["title"]:
                            wrong.append(f"{connection.label}, {record.name}: {key} has an old title")
                open_now = {key for key, finding in stored.items() if finding.open}
                self.compared += len(expected)
                if open_now - kept != expected - kept or not kept <= open_now:
                    more, less = sorted(open_now - kept - expected), sorted(expected - open_now)
                    wrong.append(
                        f"{connection.label}, {record.name} ({record.pk}, Feed {record.feed_id}): open and not at the"
                        f" vendor: {more[:5]} of {len(more)}; at the vendor and not open: {less[:5]} of {len(less)}"
                    )
        return wrong

    def _invariants(self) -> list[str]:
        counted = {
            "findings that are there twice": "SELECT count(*) FROM (SELECT FROM finding"
            " GROUP BY feed_id, family, branch, key HAVING count(*) > 1) AS twice",
            "open findings with a reason for their closing, or closed ones without": "SELECT count(*) FROM finding"
            " WHERE open <> (closed_because IS NULL)",
            "findings whose tally is wrong": "SELECT count(*) FROM (SELECT feed_id, family, branch, severity, open,"
            " active, count(*) AS n FROM finding GROUP BY 1, 2, 3, 4, 5, 6) AS counted FULL JOIN (SELECT * FROM tally"
            " WHERE n <> 0) AS tallied USING (feed_id, family, branch, severity, open, active)"
            " WHERE counted.n IS DISTINCT FROM tallied.n",
            "active findings that are closed": "SELECT count(*) FROM finding WHERE active AND NOT open",
            "findings whose activity is not what was decided": "SELECT count(*) FROM finding LEFT JOIN decision"
            " ON decision.feed_id = finding.feed_id AND decision.family = finding.family"
            " AND decision.key_hash = finding.key_hash AND decision.field = 'verdict' WHERE finding.active <>"
            " (finding.open AND CASE WHEN decision.value IS NULL THEN finding.vendor_verdict = 0"
            " ELSE decision.value = 'real' END)",
            "closings that wait for a verdict": "SELECT count(*) FROM held WHERE standing = 'pending'",
            "held closings of closed findings": "SELECT count(*) FROM held JOIN finding ON finding.id ="
            " held.finding_id WHERE NOT finding.open",
            "Operations that run or wait": "SELECT count(*) FROM operation WHERE status IN ('pending', 'running')"
            " AND (not_before IS NULL OR not_before <= now())",
            "leases": "SELECT count(*) FROM lease",
            "jobs that wait or are done": "SELECT count(*) FROM procrastinate_jobs WHERE scheduled_at IS NULL"
            " OR scheduled_at <= now() OR status <> 'todo'",
            "Operations that ended and have no end": "SELECT count(*) FROM operation WHERE status NOT IN ('pending',"
            " 'running') AND ended_at IS NULL",
            "Results that are not of an Operation": "SELECT count(*) FROM result LEFT JOIN operation ON operation.id ="
            " result.operation_id WHERE operation.id IS NULL",
            "findings closed without an Operation or a person": "SELECT count(*) FROM finding WHERE NOT open AND"
            " closed_at IS NULL",
        }
        found = {what: int(str(self.house.ask(statement)[0][0])) for what, statement in counted.items()}
        return [f"{number} {what}" for what, number in found.items() if number]

    def _operations(self) -> list[str]:
        unsaid = self.house.ask(
            "SELECT id, type, status, cause, why FROM operation WHERE (status = 'failed' AND (cause = '' OR why = ''))"
            " OR (status = 'cancelled' AND why = '') OR (status = 'partial' AND why = '') OR cause = 'fault' LIMIT 20"
        )
        return [f"Operation {id}: {type}, {status}, cause {cause!r}: {why}" for id, type, status, cause, why in unsaid]


def wait_for_idle(seconds: float) -> bool:
    """Until nothing waits or runs, but for what is asked for later."""
    from django.db.models import Q
    from django.db.models.functions import Now

    from tidegate.store.models import Lease, Operation

    busy = Operation.objects.filter(Q(status="running") | Q(status="pending", not_before=None))
    overdue = Operation.objects.filter(status="pending", not_before__lte=Now())
    return until(lambda: not (busy.exists() or overdue.exists() or Lease.objects.exists()), seconds, 0.3)


def patiently(work: Callable[[], Any]) -> Any:
    """The work, again where the database went away under it."""
    from django.db import Error, connections

    while True:
        try:
            return work()
        except Error as error:
            connections.close_all()
            if "closed" not in str(error) and "terminat" not in str(error) and "connect" not in str(error):
                raise
            time.sleep(0.5)


def main(given: list[str]) -> int:
    """Exit code 0 where all is as it should be, 1 where something is not."""
    parser = argparse.ArgumentParser(prog="./dev bench soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=31, help="of misfortune (default: 31)")
    parser.add_argument("--seed", type=int, default=None, help="to have the same dice again")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the logs, and say where it is")
    parser.add_argument("--verbose", action="store_true", help="say each misfortune")
    asked = parser.parse_args(given)
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"Seed {seed}, {asked.minutes:g} minutes, leases of {LEASE} s; {load()}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = tempfile.mkdtemp(prefix="tidegate-soak-")
    try:
        with open_house(Path(folder), lambda text: print(text, flush=True)) as house:
            wrong = soak(house, random.Random(seed), asked.minutes * 60, verbose=asked.verbose)
    finally:
        if asked.keep:
            print(f"Logs: {folder}")
        else:
            import shutil

            shutil.rmtree(folder, ignore_errors=True)
    for sentence in wrong:
        print(f"WRONG: {sentence}")
    print("Nothing is wrong." if not wrong else f"{len(wrong)} things are wrong.")
    return 1 if wrong else 0


def soak(house: House, dice: random.Random, seconds: float, *, verbose: bool) -> list[str]:
    """The misfortunes, then the calm; gives what is wrong at the end."""
    from pydantic import SecretStr

    from tidegate.actions.route import add_route

    worlds = Worlds(random.Random(dice.random()))
    server = Server(worlds.answer)
    people = People(random.Random(dice.random()))
    for number, label in enumerate(LABELS):
        worlds.make(label)
        people.connect(label, server, number)
    add_route(people.me, "hook", SecretStr(f"json://127.0.0.1:{server.port}/news"))
    house.environment["TIDEGATE_LEASE_SECONDS"] = str(LEASE)
    house.environment["TIDEGATE_GRACE_SECONDS"] = "10"
    worker = ("worker", "--concurrency", str(CONCURRENCY))
    port = _free_port()
    processes = [
        Process(house, "worker-a", *worker),
        Process(house, "worker-b", *worker),
        Process(house, "scheduler-a", "scheduler"),
        Process(house, "scheduler-b", "scheduler"),
        Process(house, "web", "web", "--port", str(port)),
    ]
    try:
        return _soak(house, dice, seconds, worlds, people, processes, port, verbose=verbose)
    finally:
        for process in processes:
            process.signal(signal.SIGCONT)
            process.signal(signal.SIGKILL)
            process.process.wait()
        server.close()


def _soak(
    house: House,
    dice: random.Random,
    seconds: float,
    worlds: Worlds,
    people: People,
    processes: list[Process],
    port: int,
    *,
    verbose: bool,
) -> list[str]:
    wrong: list[str] = []
    at_first = patiently(lambda: _begin(house, people))
    watch, chaos = Watch(house, processes), Chaos(random.Random(dice.random()), house, processes, worlds)
    fate_at = deed_at = edit_at = sample_at = line_at = 0.0
    pages = Counter[str]()
    while (now := watch.elapsed) < seconds:
        if now > fate_at:
            fate_at = now + dice.expovariate(1 / 6)
            with contextlib.suppress(Exception):  # the database that should tell whom to cut may be away
                what = chaos.befall(now / seconds)
                if verbose:
                    print(f"{now:7.1f} s {what}", flush=True)
        if now > deed_at:
            deed_at = now + dice.expovariate(1 / 1.0)
            try:
                patiently(people.do_something)
            except Exception as error:  # noqa: BLE001 - told at the end; the soak goes on
                wrong.append(f"{people.doing} raised {type(error).__name__}: {error}")
                traceback.print_exc()
        if now > edit_at:
            edit_at = now + dice.expovariate(1 / 0.8)
            worlds.edit()
        if now > sample_at:
            sample_at = now + 5
            watch.sample()
            pages[_look(port, "/metrics")] += 1
            pages[_look(port, "/")] += 1
        if now > line_at:
            line_at = now + 60
            print(watch.line(), flush=True)
        chaos.look_after()
        time.sleep(0.05)
    wrong += [f"{told} (see its log)" for told in chaos.ended_oddly]
    chaos.calm()
    print(watch.line(), flush=True)
    print(f"Befell: {_told(chaos.did)}", flush=True)
    print(f"Vendors answered badly: {_told(worlds.fault_counts)}")
    print(f"People did: {_told(people.did)}; were refused: {_told(people.refused)}")
    print(f"Pages: {_told(pages)}")
    wrong += watch.growth()
    wrong += patiently(lambda: _settle(people))
    truth = Truth(house, worlds)
    wrong += patiently(truth.wrong)
    wrong += _leftovers(house, processes, at_first)
    print(
        f"Compared {truth.compared} open findings with the vendors'; most connections at once:"
        f" {_told(watch.most_connections)}; most open temporary files: {_told(watch.most_spools)}"
    )
    for row in house.ask(
        "SELECT type, status, cause, count(*), max(attempt), max(deaths) FROM operation"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    ):
        print("Operations: {} {} {!r}: {} (most attempts {}, most deaths {})".format(*row))
    for process in processes:
        code = process.end(20)
        if code != 0:
            wrong.append(f"{process.name} was told to end and ended with {code}")
    left = {pid: line for pid, line in house.everyone().items() if "bench" not in line}
    wrong += [f"a process is left: {line}" for line in left.values()]
    wrong += _said_in_logs(house)
    return wrong


def _begin(house: House, people: People) -> dict[str, int]:
    """All is up, all is discovered and synced once; gives who has how many connections when nothing runs."""
    from tidegate.actions.operation import request_discover, request_sync
    from tidegate.store.models import Connection

    for ask in (request_discover, request_sync):
        for connection in Connection.objects.values_list("pk", flat=True):
            ask(people.me, connection)
        wait_for_idle(120)
    time.sleep(10)
    return house.connections()


def _settle(people: People) -> list[str]:
    """All goes idle, all is discovered and synced without a fault, and what is held is approved."""
    from tidegate.actions.operation import approve, request_discover, request_sync
    from tidegate.store.models import Connection, Operation

    wrong: list[str] = []
    people.resume()
    if not wait_for_idle(240):
        open_ones = Operation.objects.filter(status__in=["pending", "running"])
        wrong.append(f"It does not go idle: {list(open_ones.values('id', 'type', 'status', 'attempt', 'deaths'))}")
    from tidegate.actions.schedule import set_schedule

    connections = list(Connection.objects.filter(deleted_at=None).values_list("pk", flat=True))
    for connection in connections:
        for type in ("discover", "sync"):
            set_schedule(people.me, connection, type, kind="off")
    for ask in (request_discover, request_sync, request_sync):
        asked = [ask(people.me, connection) for connection in connections]
        if not wait_for_idle(240):
            wrong.append("It does not go idle after the last requests.")
        for operation in people.holding():
            approve(people.me, operation)
        wrong += [
            f"Operation {ended.pk} ({ended.type}), in calm: {ended.status}. {ended.why}"
            for ended in Operation.objects.filter(pk__in=asked).exclude(status="success")
            if not (ended.status == "partial" and ("held" in ended.why or "approve" in ended.why))
        ]
    return wrong


def _leftovers(house: House, processes: list[Process], at_first: dict[str, int]) -> list[str]:
    wrong: list[str] = []
    own = {process.pid for process in processes}
    strangers = {
        pid: line
        for pid, line in house.everyone().items()
        if pid not in own and "courier" not in line and "errand" not in line
    }
    wrong += [f"a process is left: {pid} {line}" for pid, line in strangers.items()]
    for process in processes:
        if spools := house.spools_of(process.pid):
            wrong.append(f"{process.name} has {spools} temporary files open")
    if files := [path.name for path in house.spools.iterdir()]:
        wrong.append(f"temporary files are left: {files}")
    until(lambda: not _more(house.connections(), at_first), 20, 1)
    wrong += _more(house.connections(), at_first)
    return wrong


def _more(now: dict[str, int], before: dict[str, int]) -> list[str]:
    return [
        f"{name} has {number} connections to the database, and had {before.get(name, 0)}"
        for name, number in now.items()
        if name != "bench" and number > before.get(name, 0) + 1
    ]


def _said_in_logs(house: House) -> list[str]:
    """Faults of Tidegate's own are said in the logs of its processes."""
    wrong: list[str] = []
    away = ("psycopg.OperationalError", "psycopg.InterfaceError", "psycopg.errors.AdminShutdown", "ConnectorException")
    for log in sorted(house.folder.glob("*.log")):
        lines = log.read_text(errors="replace").splitlines()
        faults = [
            line for line in lines if "fault" in line or ("Traceback" in line and not any(d in line for d in away))
        ]
        if faults:
            wrong.append(f"{log.name}: {len(faults)} faults, the first: {faults[0][:300]}")
    return wrong


def _look(port: int, path: str) -> str:
    """What a person gets who looks at the page now."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        line.request("GET", path)
        return f"{path} {line.getresponse().status}"
    except OSError as error:
        return f"{path} {type(error).__name__}"
    finally:
        line.close()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _told(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counted.items())) or "nothing"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
