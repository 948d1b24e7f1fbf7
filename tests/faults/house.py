"""A house for processes of the service: a database of its own, a vendor over HTTP, and processes, all killed at last.

The database is a copy of one that was prepared once: Acme is connected, discovered and synced, and its world changed
since, so that the next Sync creates, changes, closes at once, closes after a second look and holds, and the next
Discover adds, renames and misses.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest
from django.db import connection, connections
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.acme import World, many, rows
from tests.faults.orders import ORDERS
from tests.faults.vendor import IN_CATALOG, Vendor
from tests.ingest.scene import ALICE, Scene
from tests.spot import folder_for_a_home
from tidegate import catalog
from tidegate.actions.finding import decide_finding
from tidegate.server.postgres import Database, django_settings
from tidegate.store.models import Connection, Lease, LogLine, Operation, Schedule

CHECKOUT = Path(__file__).parents[2]
SECONDS = 120.0
"""For whatever must come: other tests run beside these."""

ALWAYS = {
    "tidegate.catalog:BUILT_IN": IN_CATALOG,
    "tidegate.jobs.scheduler:TICK_SECONDS": 0.2,
    "tidegate.jobs.worker:BEAT_SECONDS": 0.3,
    "tidegate.jobs.worker:POLL_SECONDS": 0.5,
    "tidegate.store.writers.operation:WORKER_SILENT_SECONDS": 3,
}
"""What would make every test wait for minutes."""

NUMBERS = itertools.count(1)

Answer = TypeVar("Answer")


def until(
    answer: Callable[[], Answer], what: str, seconds: float = SECONDS, told: Callable[[], str] = lambda: ""
) -> Answer:
    """Asks again and again until the answer is true; `told` is what else a person wants to know where it never is."""
    end = time.monotonic() + seconds
    while not (found := answer()):
        assert time.monotonic() < end, f"Waited {seconds:.0f} s for this: {what}\n{told()}"
        time.sleep(0.02)
    return found


class Nursery:
    """Bears processes of the service (nursery.py)."""

    def __init__(self, folder: Path) -> None:
        (folder / "sitecustomize.py").write_text(
            "from tests.faults.orders import obey_the_environment\n\nobey_the_environment()\n"
        )
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("TIDEGATE_", "NOTIFY_"))
        } | {"PYTHONPATH": os.pathsep.join([str(folder), str(CHECKOUT)]), "LOGNAME": "alice"}
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=self.environment,
            start_new_session=True,
        )
        assert self._answer() == "warm"

    def __call__(self, **asked: Any) -> Any:
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the nursery is gone"
        return json.loads(line)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(SECONDS)
        self._process.stdout.close()


class Process:
    """One process of the service, and those it started."""

    def __init__(self, nursery: Nursery, words: Sequence[str], environment: dict[str, str], said: Path) -> None:
        self._nursery, self._said, self._code = nursery, said, None
        self.words = words
        self.pid: int = nursery(words=list(words), environment=nursery.environment | environment, said=str(said))

    @property
    def said(self) -> str:
        return self._said.read_text() if self._said.exists() else ""

    @property
    def ended(self) -> bool:
        if self._code is None:
            self._code = self._nursery(ended=self.pid)
        return self._code is not None

    def signal(self, number: signal.Signals) -> None:
        if not self.ended:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """At once, it alone: `kill -9`."""
        self.signal(signal.SIGKILL)
        self.code()

    def code(self, seconds: float = SECONDS) -> int:
        """Its exit code, once it has ended."""
        until(lambda: self.ended, f"{self.words} ends", seconds, lambda: self.said)
        assert self._code is not None
        return self._code

    def end(self, seconds: float = SECONDS) -> int:
        """Asks it to end."""
        self.signal(signal.SIGTERM)
        return self.code(seconds)

    def says(self, text: str, seconds: float = SECONDS) -> None:
        until(lambda: text in self.said, f"{self.words} says {text!r}", seconds, lambda: self.said)

    def kill_all(self) -> None:
        """It and whatever it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.code()


class Stopped:
    """A process that has come to a place and waits there."""

    def __init__(self, said: dict[str, Any], post: socket.socket) -> None:
        self.place: str = said["place"]
        self.pid: int = said["pid"]
        self._post = post

    def go_on(self) -> None:
        """Lets it go on."""
        self._post.close()

    def kill(self) -> None:
        """`kill -9`, there."""
        os.kill(self.pid, signal.SIGKILL)
        self._post.close()


class House:
    """What one test has."""

    def __init__(self, nursery: Nursery, vendor: Vendor, database: Database, folder: Path) -> None:
        self.nursery, self.vendor, self.database, self.folder = nursery, vendor, database, folder
        self.acme = Scene(vendor.world, Connection.objects.get(label="Acme").pk)
        self.beta = Scene(vendor.world, Connection.objects.get(label="Beta").pk)
        self.processes: list[Process] = []
        self.ending = threading.Event()
        """Set when the house is pulled down: whatever the vendor leaves waiting waits for this."""
        self._stops: queue.Queue[Stopped] = queue.Queue()
        self._post = socket.socket(socket.AF_UNIX)
        self._post.bind(str(folder / "post"))
        self._post.listen(50)
        self._kept: list[socket.socket] = []
        threading.Thread(target=self._hear, name="post", daemon=True).start()

    def close(self) -> None:
        self.ending.set()
        for process in self.processes:
            process.kill_all()
        self._post.shutdown(socket.SHUT_RDWR)
        self._post.close()
        for post in self._kept:
            post.close()
        self.vendor.before = None

    # Processes

    def start(
        self,
        *words: str,
        stop: Sequence[str] = (),
        die: Sequence[str] = (),
        hold: dict[str, Any] | None = None,
        lease: float = 10,
        **more: Any,
    ) -> Process:
        """A process that runs `tidegate` with these words, under orders (orders.py)."""
        orders = {
            "stop": list(stop),
            "die": list(die),
            "hold": ALWAYS | (hold or {}),
            "post": str(self.folder / "post"),
        }
        settings = {name: more.pop(name) for name in list(more) if name.isupper()}
        environment = {
            "TIDEGATE_DATABASE_URL": self.database.url,
            "TIDEGATE_HOME": str(self.folder / "home"),
            "TIDEGATE_LEASE_SECONDS": str(lease),
            **settings,
            ORDERS: json.dumps(orders | more),
        }
        said = self.folder / f"{words[0]}-{len(self.processes)}.log"
        process = Process(self.nursery, words, environment, said)
        self.processes.append(process)
        return process

    def worker(self, concurrency: int = 2, **orders: Any) -> Process:
        return self.start("worker", "--concurrency", str(concurrency), **orders)

    def scheduler(self, **orders: Any) -> Process:
        return self.start("scheduler", **orders)

    def restart(self) -> tuple[Process, Process]:
        """A worker and a scheduler that nothing befalls."""
        return self.worker(), self.scheduler()

    def stopped(self, seconds: float = SECONDS) -> Stopped:
        """The next process that has come to a place where it stops."""
        try:
            return self._stops.get(timeout=seconds)
        except queue.Empty:
            raise AssertionError(f"Nobody came to a place in {seconds:.0f} s.\n{self.told()}") from None

    def somebody_stopped(self) -> bool:
        """Whether one has that was not looked at yet."""
        return not self._stops.empty()

    def _hear(self) -> None:
        while True:
            try:
                post, _ = self._post.accept()
            except OSError:
                return
            self._kept.append(post)
            with post.makefile("r") as lines:
                said = lines.readline()
            if said:
                self._stops.put(Stopped(json.loads(said), post))

    # Operations

    def ask(self, type: str, of: Scene | None = None, records: Sequence[int] | None = None) -> int:
        """Somebody asks for an Operation; whichever worker there is takes it."""
        from tidegate.actions.operation import request_discover, request_sync

        scene = of or self.acme
        if type == "discover":
            return request_discover(ALICE, scene.connection_id)
        return request_sync(ALICE, scene.connection_id, records)

    def operation(self, number: int) -> Operation:
        return Operation.objects.get(pk=number)

    def silence(self, part: str, times: int | None = None) -> None:
        """The vendor takes requests for such a thing (only so many), and never answers."""
        left = [times]
        lock = threading.Lock()

        def wait(path: str) -> None:
            if part not in path:
                return
            with lock:
                if left[0] == 0:
                    return
                left[0] = None if left[0] is None else left[0] - 1
            self.ending.wait()

        self.vendor.before = wait

    def schedule(self, type: str) -> None:
        """It has been due since New Year, and will be again in hours."""
        Schedule.objects.create(
            connection_id=self.acme.connection_id,
            type=type,
            kind="hours",
            hours=6,
            next_at=datetime(2026, 1, 1, tzinfo=UTC),
            changed_by="alice",
        )

    def ends(self, number: int, seconds: float = SECONDS) -> Operation:
        """The Operation, once it has ended."""
        until(
            lambda: self.operation(number).status not in ("pending", "running"),
            f"Operation {number} ends",
            seconds,
            self.told,
        )
        return self.operation(number)

    def all_end(self, seconds: float = SECONDS) -> None:
        """Waits until nothing runs or waits any more."""
        open_ones = Operation.objects.filter(status__in=["running", "pending"])
        until(lambda: not open_ones.exists(), "all Operations end", seconds, self.told)
        assert not Lease.objects.exists()

    def log(self, number: int) -> str:
        """What an Operation's log says."""
        return "\n".join(LogLine.objects.filter(operation=number).order_by("n").values_list("text", flat=True))

    def told(self) -> str:
        """Everything that was said so far, for the message of a test that fails."""
        rows = list(Operation.objects.values("id", "type", "status", "why", "attempt", "deaths", "worker"))
        return "\n".join([str(rows), *(f"{process.words}: {process.said}" for process in self.processes)])

    @contextlib.contextmanager
    def lock(self, statement: str) -> Iterator[None]:
        """Somebody else holds what the statement locks, until this is left."""
        with psycopg.connect(self.database.url) as somebody:
            somebody.execute(statement.encode())
            yield
            somebody.rollback()

    def somebody_waits_for_a_lock(self) -> bool:
        """Whether a process of the service waits for one."""
        return bool(
            self.do("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        )

    def let_go_of_database(self) -> None:
        """This process's own connection is closed, before the server is, or because it was."""
        connections.close_all()

    def do(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """One statement, as somebody else at the database's own prompt."""
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []


# Preparing


def point_here(database: Database) -> None:
    """From now on this process works with that database, too."""
    connections.close_all()
    connections.settings["default"].update(django_settings(database))


@contextlib.contextmanager
def pointed_at(database: Database) -> Iterator[None]:
    before = dict(connections.settings["default"])
    point_here(database)
    try:
        yield
    finally:
        connections.close_all()
        connections.settings["default"].update(before)


def prepare(vendor: Vendor) -> None:
    """The world as it was, discovered, mapped and synced by two Connections: Acme with all, Beta with a little."""
    vendor.world = World(paged="steady")
    settings = {"url": vendor.url}
    acme = Scene(
        vendor.world, Connection.objects.create(tool="acme", label="Acme", settings=settings, created_by="alice").pk
    )
    acme.mapped(shop=rows("a", "b", "c"), api=many(12, "g"), big=many(30), hollow=many(3, "h"), old=many(2, "o"))
    acme.sync()
    beta = Scene(
        vendor.world, Connection.objects.create(tool="acme", label="Beta", settings=settings, created_by="alice").pk
    )
    beta.discover()
    beta.map("shop", "Beta's shop")
    beta.sync()
    acme.configure(auto_map=True)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    decide_finding(ALICE, acme.findings("shop")["a"].pk, severity="Low")


def renew(vendor: Vendor) -> None:
    """The world as it is by the time of the test: something of everything has changed."""
    world = vendor.world = World(paged="steady")
    world.add("shop", "Product shop", {**rows("a", title="Changed"), **rows("c", "n")})
    world.add("api", "Renamed", rows(*(f"g{n}" for n in range(3, 12))))
    world.add("big", "Product big", many(4))
    world.add("hollow", "Product hollow", {})
    world.add("late", "Late", rows("z"))


@contextlib.contextmanager
def a_house(
    server: Database, prepared: Database, nursery: Nursery, vendor: Vendor, *, quick: bool = True
) -> Iterator[House]:
    """A house with a copy of the prepared database; pulled down when it is left."""
    folder = folder_for_a_home()
    template = str(conninfo_to_dict(prepared.url)["dbname"])
    name = f"{template}_{next(NUMBERS)}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TIDEGATE_HOME", str(folder / "home"))
        patch.setitem(catalog.BUILT_IN, *next(iter(IN_CATALOG.items())))
        database = copy_of(server, template, name, quick=quick)
        try:
            with pointed_at(database):
                renew(vendor)
                with contextlib.closing(House(nursery, vendor, database, folder)) as house:
                    yield house
        finally:
            drop(server, name)


def copy_of(server: Database, template: str, name: str, *, quick: bool = True) -> Database:
    """A database of its own for a test; a `quick` one forgets its last moments where the server crashes."""
    administer(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    if quick:
        administer(server, f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    copy = Database(make_conninfo(server.url, dbname=name), embedded=False)
    if not quick:
        note_numbers(copy)
    return copy


def note_numbers(copy: Database) -> None:
    """PostgreSQL notes a sequence in its journal 32 numbers ahead; a copy believes that of its template's journal, and
    would count anew after a crash."""
    with psycopg.connect(copy.url, autocommit=True) as anybody:
        for (name,) in anybody.execute("SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences").fetchall():
            anybody.execute(f"SELECT setval('{name}', last_value, is_called) FROM {name}".encode())


def drop(server: Database, name: str) -> None:
    """No more of it."""
    administer(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def administer(server: Database, statement: str) -> None:
    """Again, where the server's own autovacuum is in that database just now: nobody may end that but a superuser."""

    def tried() -> bool:
        try:
            with psycopg.connect(server.url, autocommit=True) as administrator:
                administrator.execute(statement.encode())
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectInUse):
            return False
        return True

    until(tried, statement)
