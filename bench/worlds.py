"""What the vendors of a soak know, how it changes, and how they answer badly for a while."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter

from bench.loopback import Answer, as_json, page

SEVERITIES = ("info", "low", "medium", "high", "critical")
RANKS = {"info": 0, "low": 1, "medium": 3, "high": 4, "critical": 5}
STATES = ("open", "open", "open", "open", "fixed", "false positive")


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
