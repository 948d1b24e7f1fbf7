"""The life of one Operation in this process: claimed, beaten alive, logged, ended; whatever happens in between."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Protocol, Self

from django.db import DatabaseError, connections

from tidegate.store.models import Operation
from tidegate.store.writers.operation import Claim, Lost, beat, next_log_number, save_log

BEATS_PER_LEASE: Final = 3


class Progress(Protocol):
    """Told how far an Operation is: what it does, how much is done, and of how much where the vendor says."""

    def __call__(self, phase: str, done: int, total: int | None) -> None: ...


def no_progress(phase: str, done: int, total: int | None) -> None:
    """Tells nobody."""


class Cancelled(Exception):
    """Somebody asked for the end of the Operation; what was applied stays, what was not is not begun."""


@dataclass
class Ending:
    """How an Operation ended: its status, the sentence that says why, and what it counted."""

    status: str
    why: str = ""
    counts: dict[str, int] = field(default_factory=dict[str, int])
    complete: bool = False


class Run:
    """An Operation that this process runs. Beats for its lease in a thread; `say` writes a line of its log.

    Losing the lease (another attempt was claimed) raises Lost at the next `check`.
    """

    def __init__(self, claim: Claim, *, lease_seconds: float, progress: Progress = no_progress) -> None:
        self.claim = claim
        self.operation = Operation.objects.get(pk=claim.operation)
        self._lease_seconds = lease_seconds
        self._tell = progress
        self._progress: dict[str, Any] = {}
        self._lines: list[tuple[int, datetime, str, str, Mapping[str, Any]]] = []
        self._next_line = next_log_number(claim.operation)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._lost: Exception | None = None
        self._beater = threading.Thread(target=self._beat, name=f"lease-{claim.operation}", daemon=True)
        self.started = time.monotonic()

    def __enter__(self) -> Self:
        self._beater.start()
        if self.claim.resumed:
            self.say(f"Taken up again, attempt {self.claim.attempt}: the process that ran it before died.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._beater.join()
        self.flush()

    def say(self, text: str, level: str = "info", **facts: Any) -> None:
        """Writes a line into the Operation's log; may be called from any thread."""
        with self._lock:
            self._lines.append((self._next_line, datetime.now(UTC), level, text, facts))
            self._next_line += 1

    def vendor_log(self, event: str, **facts: Any) -> None:
        """The Session's log, scrubbed by it already. A `note` is a sentence for people, and stands for the event."""
        level = str(facts.pop("level", "debug"))
        self.say(str(facts.pop("note", event)), level, **{name: _plain(fact) for name, fact in facts.items()})

    def show(self, phase: str, done: int = 0, total: int | None = None) -> None:
        """Shows how far it is: to the caller at once, to others with the next beat."""
        self._progress = {"phase": phase, "done": done, "total": total}
        self._tell(phase, done, total)

    def check(self) -> None:
        """Raises Lost where the lease is another's by now, Cancelled where somebody asked for the end."""
        if self._lost is not None:
            raise self._lost
        cancelled_by = Operation.objects.filter(pk=self.claim.operation).values_list("cancelled_by", flat=True).get()
        if cancelled_by:
            raise Cancelled(f"Cancelled by {cancelled_by}.")

    def flush(self) -> None:
        """Writes the lines that wait."""
        with self._lock:
            lines, self._lines = self._lines, []
        if lines:
            save_log(self.claim.operation, lines)

    def _beat(self) -> None:
        try:
            while not self._ended.wait(self._lease_seconds / BEATS_PER_LEASE):
                try:
                    beat(self.claim, self._lease_seconds, self._progress)
                    self.flush()
                except Lost as error:
                    self._lost = error
                    return
                except DatabaseError:
                    # The database may be restarting; the fence in every apply decides whether we may still write.
                    connections["default"].close()
        finally:
            connections.close_all()


def worker_name() -> str:
    """Who runs: the machine and the process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _plain(fact: object) -> object:
    return fact if isinstance(fact, str | int | float | bool | None) else str(fact)


Runner = Callable[[Run], Ending]
