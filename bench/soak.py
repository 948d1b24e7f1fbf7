"""`./dev bench soak`: the whole service under random kills, cuts, faults and edits; then calm, and all is counted.

Two workers, two schedulers and a web process serve a few Connections whose vendors' worlds change all the time. One
worker and one scheduler are never killed: they are stopped and cut off, and their memory is compared over time. The web
process is killed in the first third only, for the same reason.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import random
import signal
import socket
import statistics
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.chaos import LEASE, Chaos
from bench.house import House, Process, load, open_house, until
from bench.loopback import Server
from bench.people import People
from bench.truth import JOBS_DUE, Truth
from bench.worlds import Worlds

CONCURRENCY = 3
LABELS = ("amber", "beryl", "coral", "diamond", "emerald", "flint", "garnet", "jade")
OPERATIONS_BY_STATUS = "SELECT status, count(*) FROM operation GROUP BY 1 ORDER BY 1"
SECONDS_UNTIL_A_DEAD_WORKERS_JOBS_GO = 80
GROWTH = 1.15
"""How much more memory a long-lived process may have in the last third than in the middle one."""


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
    until(lambda: not house.ask(JOBS_DUE), SECONDS_UNTIL_A_DEAD_WORKERS_JOBS_GO, 1)
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
