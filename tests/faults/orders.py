"""Orders for a process of the service: where it stops, where it dies, and what it holds for true instead of what it is.

A place is named `before <name>` or `after <name>`, with `#2` behind it for the second time. A process that has come to
a place where it should stop says so on the test's socket, and waits there until it is killed or told to go on. All of
this is planted from outside, as modules come in: the code of the service knows nothing of it.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

ORDERS = "TIDEGATE_TEST_ORDERS"

NAMES = {
    # A worker: an Operation is offered, looked at, taken.
    "look": "tidegate.jobs.crew:Crew._look",
    "suspicion": "tidegate.jobs.crew:suspected",
    "solitude": "tidegate.jobs.crew:Crew._run_alone",
    "claim": "tidegate.jobs.crew:claim_operation",
    "own claim": "tidegate.ingest.operation:claim_operation",
    "run": "tidegate.ingest.operation:Run.__enter__",
    # The vendor is asked.
    "login": "tidegate.ingest.sync:log_in",
    "discover login": "tidegate.ingest.discover:log_in",
    "staging": "tidegate.ingest.apply:prepare_staging",
    "reading": "tidegate.ingest.sync:_begin",
    "list": "tidegate.ingest.discover:_read",
    # One Record is applied.
    "record": "tidegate.ingest.sync:apply_record",
    "transaction": "tidegate.ingest.record:_apply",
    "fence": "tidegate.ingest.record:hold_claim",
    "compare": "tidegate.ingest.apply:compare",
    "write": "tidegate.ingest.apply:write",
    "create": "tidegate.ingest.apply:_create",
    "change": "tidegate.ingest.apply:_stage_incoming",
    "results": "tidegate.ingest.record:_save_parts",
    "second look": "tidegate.ingest.sync:Looking.look_again",
    "second apply": "tidegate.ingest.sync:apply_record_finally",
    "failure": "tidegate.ingest.sync:save_failure",
    # What is gone is closed or held.
    "judging": "tidegate.ingest.sync:_verdict",
    "verdict": "tidegate.ingest.sync:save_verdict",
    "carrying out": "tidegate.ingest.sync:_carry_out",
    "closing": "tidegate.ingest.sync:_carry_out_one",
    # A Sync is undone.
    "undoing": "tidegate.ingest.undo:_undo_one",
    # A change, range by range.
    "range": "tidegate.ingest.remap:_one",
    "deciding": "tidegate.ingest.decide:_decide",
    "merging": "tidegate.store.writers.remap:merge",
    "closing all": "tidegate.store.writers.remap:close_findings_of",
    "exchange": "tidegate.store.writers.remap:exchange_proofs",
    # A Discover is applied.
    "discover apply": "tidegate.ingest.discover:_apply",
    "discover staging": "tidegate.ingest.discover:_stage",
    "refresh": "tidegate.ingest.discover:_refresh",
    "missing": "tidegate.ingest.discover:_miss",
    "quarantine": "tidegate.ingest.discover:_set_aside",
    "auto-map": "tidegate.ingest.discover:auto_map_records",
    "spooling": "tidegate.ingest.stage:_write_all",
    # A delivery: an import, the numbers of what it made, an edit.
    "import there": "tidegate.delivery.defectdojo.client:Dojo.upload",
    "learning numbers": "tidegate.delivery.defectdojo.theirs:Theirs._read_new",
    "edit there": "tidegate.delivery.defectdojo.client:Dojo.patch",
    # It ends, or is handed back.
    "ending": "tidegate.ingest.sync:_ending",
    "account": "tidegate.ingest.run:Run.account",
    "log": "tidegate.ingest.run:save_log",
    "end": "tidegate.ingest.operation:end_operation",
    "letting go": "tidegate.store.writers.operation:_let_go",
    "next offer": "tidegate.store.writers.operation:offer",
    "hand back": "tidegate.ingest.operation:hand_back",
    "beat": "tidegate.ingest.heart:beat",
    # The scheduler.
    "time": "tidegate.jobs.scheduler:being_the_scheduler",
    "tick": "tidegate.jobs.scheduler:tick",
    "reconcile": "tidegate.jobs.scheduler:reconcile",
    "jobs of the dead": "tidegate.store.writers.operation:forget_jobs_of_the_dead",
    "due": "tidegate.jobs.scheduler:request_due",
    "due offer": "tidegate.store.writers.schedule:offer",
    "plan": "tidegate.store.writers.schedule:_plan",
}

Change = Callable[[ModuleType], None]


def obey(orders: Mapping[str, Any]) -> None:
    """Plants all of them; in modules that are not imported yet, when they are."""
    wanted: dict[str, list[Change]] = {}
    for place, value in orders.get("hold", {}).items():
        module, attribute = place.split(":")
        wanted.setdefault(module, []).append(lambda it, name=attribute, value=value: _put(it, name, value))
    for what, plant in (("stop", _stop), ("die", _die), ("full", _full)):
        for place in orders.get(what, ()):
            when, name, turn = _parse(place)
            module, attribute = NAMES[name].split(":")
            reached = _Reached(place, when, turn, plant, orders)
            wanted.setdefault(module, []).append(lambda it, name=attribute, reached=reached: reached.wrap(it, name))
    for module in list(wanted):
        if there := sys.modules.get(module):
            for change in wanted.pop(module):
                change(there)
    if "clock" in orders:
        _put_the_clock_forward(orders["clock"])
    if wanted:
        sys.meta_path.insert(0, _Finder(wanted))


def _put_the_clock_forward(seconds: float) -> None:
    """This process has another time of day than the rest of the world, as one on a machine without NTP has."""
    import time_machine

    time_machine.travel(time.time() + seconds, tick=True).start()


def _parse(place: str) -> tuple[str, str, int]:
    when, _, name = place.partition(" ")
    name, _, turn = name.partition(" #")
    assert when in ("before", "after"), place
    return when, name, int(turn or 1)


def _owner(module: ModuleType, attribute: str) -> tuple[Any, str]:
    path = attribute.split(".")
    owner: Any = module
    for name in path[:-1]:
        owner = getattr(owner, name)
    return owner, path[-1]


def _put(module: ModuleType, attribute: str, value: Any) -> None:
    owner, name = _owner(module, attribute)
    assert hasattr(owner, name), f"{module.__name__} has no {attribute}"
    if name == "__defaults__":
        value = tuple(value)
    if isinstance(value, dict):
        getattr(owner, name).update(value)
    else:
        setattr(owner, name, value)


class _Reached:
    """One place; what happens there happens once, when it is passed for the `turn`th time."""

    def __init__(
        self,
        place: str,
        when: str,
        turn: int,
        happen: Callable[[str, Mapping[str, Any]], None],
        orders: Mapping[str, Any],
    ) -> None:
        self.place, self.when, self.left, self.happen, self.orders = place, when, turn, happen, orders
        self.lock = threading.Lock()

    def wrap(self, module: ModuleType, attribute: str) -> None:
        owner, name = _owner(module, attribute)
        real = getattr(owner, name)

        def passing(*given: Any, **options: Any) -> Any:
            if self.when == "before" and self.concerns(given, options):
                self.happen(self.place, self.orders)
            answer = real(*given, **options)
            if self.when == "after" and self.concerns(given, options):
                self.happen(self.place, self.orders)
            return answer

        setattr(owner, name, passing)

    def concerns(self, given: Sequence[Any], options: Mapping[str, Any]) -> bool:
        connection = self.orders.get("connection")
        if connection is not None and not any(_is_of(it, connection) for it in (*given, *options.values())):
            return False
        if self.happen is _die:
            return True  # as often as it comes here
        with self.lock:
            self.left -= 1
            return self.left == 0


def _is_of(given: Any, connection: int) -> bool:
    """Whether what a function was given is a run of this Connection, or its Connection itself."""
    operation = getattr(given, "operation", None)
    return getattr(operation, "connection_id", None) == connection


def _stop(place: str, orders: Mapping[str, Any]) -> None:
    """Says where it is, and waits."""
    with socket.socket(socket.AF_UNIX) as post:
        post.connect(orders["post"])
        post.sendall(json.dumps({"place": place, "pid": os.getpid()}).encode() + b"\n")
        post.recv(1)


def _die(place: str, orders: Mapping[str, Any]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _full(place: str, orders: Mapping[str, Any]) -> None:
    """The disk is full, where no disk of the test's own can be filled."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class _Finder:
    """Carries changes out as soon as their modules are there."""

    def __init__(self, wanted: dict[str, list[Change]]) -> None:
        self.wanted = wanted

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        changes = self.wanted.pop(name, None)
        if changes is None:
            return None
        spec = PathFinder.find_spec(name, path, target)
        assert spec is not None, name
        assert spec.loader is not None, name
        loader: Any = spec.loader
        load = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            for change in changes:
                change(module)

        loader.exec_module = exec_module
        return spec


def obey_the_environment() -> None:
    """What sitecustomize.py of these tests calls in every Python that a process of the service starts."""
    if given := os.environ.get(ORDERS):
        obey(json.loads(given))
