"""What befalls the processes, the database and the vendors during a soak."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable

from bench.house import House, Process
from bench.worlds import Worlds

LEASE = 3
"""Seconds, of the Operations: short, so that much happens."""


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
