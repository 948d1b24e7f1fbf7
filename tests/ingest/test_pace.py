"""The pace that all workers share: places at a host, in a real database, for real processes and a real vendor."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import Error, connection, transaction

from sdk.tests.plain import Plain, body_of
from tests.database import Database
from tests.world import now
from tidegate.ingest.pace import SharedPace
from tidegate.store.models import HostPace
from tidegate.store.writers.pace import forget_hosts, hold_host, take_turn
from tidegate_sdk import Http

CHECKOUT = Path(__file__).parents[2]
HOST = "acme.test:443"


# Places


def test_places_lie_one_gap_apart(database: Database):
    waits = [take_turn(HOST, 10) for _ in range(3)]

    assert waits == [0, pytest.approx(10, abs=1), pytest.approx(20, abs=1)]


def test_each_question_leaves_its_own_gap_behind_it(database: Database):
    """A Session that a 429 has slowed takes more room than the others."""
    waits = [take_turn(HOST, gap) for gap in (100, 10, 1)]

    assert waits == [0, pytest.approx(100, abs=1), pytest.approx(195, abs=1)]


def test_hosts_do_not_wait_for_each_other(database: Database):
    take_turn(HOST, 100)

    assert take_turn("acme.test:8443", 100) == 0


def test_a_place_that_nobody_took_is_not_saved_up(database: Database):
    HostPace.objects.create(host=HOST, next_at=now() - timedelta(hours=1))

    assert [take_turn(HOST, 10) for _ in range(2)] == [0, pytest.approx(10, abs=1)]


def test_a_look_takes_no_place(database: Database):
    take_turn(HOST, 10)

    assert [take_turn(HOST, 0) for _ in range(3)] == [pytest.approx(10, abs=1)] * 3


@pytest.mark.parametrize("known", [False, True])
def test_a_hold_moves_the_next_place(database: Database, known: bool):
    if known:
        take_turn(HOST, 10)

    hold_host(HOST, 60)

    assert [take_turn(HOST, 10) for _ in range(2)] == [pytest.approx(60, abs=1), pytest.approx(70, abs=1)]


def test_a_shorter_hold_does_not_end_a_longer_one(database: Database):
    hold_host(HOST, 60)
    hold_host(HOST, 5)

    assert take_turn(HOST, 0) == pytest.approx(60, abs=1)


def test_a_clock_that_was_set_back_silences_nobody(database: Database):
    HostPace.objects.create(host=HOST, next_at=now() + timedelta(days=365))

    assert take_turn(HOST, 1) == pytest.approx(15 * 60, abs=1)


def test_hosts_that_nobody_asks_any_more_are_forgotten(database: Database):
    for host, ago in (("old.test:443", timedelta(days=2)), (HOST, timedelta(hours=2))):
        HostPace.objects.create(host=host, next_at=now() - ago)

    assert forget_hosts(now()) == 1
    assert [pace.host for pace in HostPace.objects.all()] == [HOST]


# One process


@pytest.fixture
def pace(database: Database) -> Iterator[SharedPace]:
    pace = SharedPace()
    yield pace
    pace.close()
    eventually(lambda: others() == 0)


def others() -> int:
    """Connections to this database besides the test's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return cursor.fetchone()[0]  # pyright: ignore[reportOptionalSubscript]


def eventually(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        time.sleep(0.02)
    assert true()


def test_a_process_needs_one_connection_for_all_its_sessions_and_none_without(database: Database):
    several = [SharedPace() for _ in range(5)]

    async def ask() -> None:
        await asyncio.gather(*[pace.turn(HOST, 0.001) for pace in several for _ in range(5)])

    asyncio.run(ask())
    assert others() == 1
    for pace in several[:-1]:
        pace.close()
    assert asyncio.run(several[-1].turn(HOST, 0)) < 1
    several[-1].close()

    eventually(lambda: others() == 0)


def test_a_connection_that_was_cut_is_replaced(pace: SharedPace):
    asyncio.run(pace.turn(HOST, 10))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )

    with pytest.raises(Error):
        asyncio.run(pace.turn(HOST, 10))

    assert asyncio.run(pace.turn(HOST, 10)) == pytest.approx(10, abs=2)


def test_a_run_goes_on_where_the_shared_pace_fails(database: Database, pace: SharedPace):
    """PostgreSQL away costs no question: the Session keeps the rate by itself, and says so once."""
    told: list[dict[str, Any]] = []

    async def run(vendor: Vendor) -> None:
        session = Plain(Http(vendor.location, per_second=50)).open(
            turnstile=pace, log=lambda event, **facts: told.append({"event": event, **facts})
        )
        async with session:
            for _ in range(5):
                await session.talk(body_of())

    with serving() as vendor, psycopg.connect(database.url, autocommit=True) as administrator:
        administrator.execute("ALTER TABLE host_pace RENAME TO host_pace_elsewhere")
        try:
            asyncio.run(run(vendor))
        finally:
            administrator.execute("ALTER TABLE host_pace_elsewhere RENAME TO host_pace")

    assert len(vendor.asked) == 5
    assert [line["level"] for line in told if line["event"] == "pace.alone"] == ["warning"]


def test_whoever_waits_for_a_database_that_hangs_can_be_cancelled(pace: SharedPace):
    take_turn(HOST, 0)

    async def ask() -> float:
        task = asyncio.create_task(pace.turn(HOST, 1))
        await asyncio.sleep(0.2)
        assert not task.done()
        began = time.monotonic()
        task.cancel()
        await asyncio.wait([task])
        return time.monotonic() - began

    with transaction.atomic():
        HostPace.objects.select_for_update().get(host=HOST)

        assert asyncio.run(ask()) < 1


# Two processes


@dataclass
class Vendor:
    """Notes when it was asked what; `/api/busy` is turned away once, for two seconds."""

    location: str
    asked: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])

    @property
    def times(self) -> list[float]:
        return sorted(when for when, _ in self.asked)

    def answer(self, path: str) -> int:
        status = 429 if path == "/api/busy" and all(path != before for _, before in self.asked) else 200
        self.asked.append((time.monotonic(), path))
        return status


@contextmanager
def serving() -> Iterator[Vendor]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            with lock:
                status = vendor.answer(self.path)
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "2")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: Any) -> None:
            """Silence."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        vendor = Vendor(f"http://127.0.0.1:{server.server_port}/api/")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield vendor
        finally:
            server.shutdown()
            thread.join()


def ask(
    vendor: Vendor, *askers: list[str], per_second: float = 20, first: Callable[[], None] = lambda: None
) -> list[dict[str, Any]]:
    """As many processes as lists of paths ask these, all beginning at once; what each of them counted."""
    database = {key: connection.settings_dict[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    processes: list[subprocess.Popen[str]] = []
    try:
        for paths in askers:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.ingest.asker"],
                cwd=CHECKOUT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
            )
            processes.append(process)
            orders = {"location": vendor.location, "per_second": per_second, "paths": paths, "database": database}
            print(json.dumps(orders), file=process.stdin, flush=True)
        for process in processes:
            assert process.stdout
            assert process.stdout.readline().strip() == "ready"
        first()
        return [json.loads(process.communicate("\n", timeout=60)[0]) for process in begun(processes)]
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def begun(processes: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    for process in processes:
        print(file=process.stdin, flush=True)
    return processes


def test_two_processes_together_keep_the_rate_of_a_host(database: Database):
    """Issue 4, item 3: per-host rate limits hold across workers."""
    began: list[float] = []

    with serving() as vendor:
        answers = ask(vendor, ["me"] * 30, ["me"] * 30, first=lambda: began.append(time.monotonic()))

    assert len(vendor.times) == 60
    assert [when for n, when in enumerate(vendor.times) if when < began[0] + n / 20 - 0.02] == []
    assert vendor.times[-1] - vendor.times[0] < 3 * 60 / 20  # and the rate is not wasted
    for answer in answers:
        assert answer["calls"] == {"200": 30}
        assert "pace.alone" not in answer["told"]
        assert answer["seconds"]["rate"] > 1


def test_the_429_of_one_process_holds_the_other(database: Database):
    """Issue 4, item 3: what the vendor tells one worker, the others hear before their next question but one."""
    with serving() as vendor:
        ask(vendor, ["me"] * 40, ["busy", *["me"] * 10])

    turned_away = next(when for when, path in vendor.asked if path == "/api/busy")
    held = [path for when, path in vendor.asked if turned_away + 0.2 < when < turned_away + 1.9]
    assert len(held) <= 1  # the other had a place already, and may be late for it
    assert len(vendor.asked) == 40 + 10 + 2


def test_where_no_rate_is_declared_the_hold_of_others_is_heard_all_the_same(database: Database):
    """Nobody pays for a place there; a look a second is enough."""
    held: list[float] = []

    with serving() as vendor:

        def hold() -> None:
            held.append(time.monotonic())
            hold_host(vendor.location.removeprefix("http://").removesuffix("/api/"), 2)

        ask(vendor, ["me"] * 5, per_second=0, first=hold)

    assert len(vendor.asked) == 5
    assert vendor.times[0] > held[0] + 2 - 0.05
