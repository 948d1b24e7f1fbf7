"""The life of one Operation in this process: claimed, beaten alive, logged, ended; whatever happens in between."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Protocol, Self

import psycopg
from django.db import connection as database

from tidegate.rules.progress import progress_in_words
from tidegate.store.models import Lease, Operation
from tidegate.store.writers.operation import (
    DEBUG_LINES,
    LOG_LINES,
    Claim,
    LineOfLog,
    kept_log,
    save_last_line,
    save_log,
    spend,
)

from .heart import HEART

PHASE_LETTERS: Final = 200
"""Of a phase that is shown: a vendor's name may be a megabyte long, and a notification holds 8,000 bytes."""

TELL_SECONDS: Final = 1.0
CANCEL_SECONDS: Final = 2.0
FROZEN_AFTER: Final = "60s"
"""A process that is frozen inside its transaction keeps its locks no longer: a run never thinks that long in one."""


class Progress(Protocol):
    """Told how far an Operation is: what it does, how much is done, of how much where that is known, and what else can
    be said of it in words."""

    def __call__(self, phase: str, done: int, total: int | None, beside: str = "") -> None: ...


def no_progress(phase: str, done: int, total: int | None, beside: str = "") -> None:
    """Tells nobody."""


class Cancelled(Exception):
    """Somebody asked for the end of the Operation; what was applied stays, what was not is not begun."""


class HandedBack(Exception):
    """The run ends here and the Operation does not: it goes on wherever the next worker looks at it."""


@dataclass
class Ending:
    """How an Operation ended: its status, the sentence that says why, and what it counted."""

    status: str
    why: str = ""
    counts: dict[str, int] = field(default_factory=dict[str, int])
    complete: bool = False
    cause: str = ""


class Run:
    """An Operation that this process runs, kept alive by the heart; `say` writes a line of its log.

    Whatever must end it (a lost lease, a cancellation, a process that stops) comes by `interrupt`, from any thread, and
    is raised at the next `check`. Every wait of a run looks for it, and a statement that takes long is cancelled.
    """

    def __init__(
        self, claim: Claim, *, progress: Progress = no_progress, may_yield: Callable[[float], bool] | None = None
    ) -> None:
        self.claim = claim
        self.operation = Operation.objects.get(pk=claim.operation)
        self.ended = False
        self.counts: Counter[str] = Counter()
        self.differences = 0
        """Kept of this preview."""
        self.causes: set[str] = set()
        """What kept Records or Families from being read (rules/cause.py)."""
        self._may_yield = may_yield
        self._tell = progress
        self._shown: dict[str, Any] = {}
        self._rows: Callable[[], int] = lambda: 0
        self._lines: list[LineOfLog] = []
        kept = kept_log(claim.operation)
        self._next_line, self._details = kept.last + 1, kept.debug
        self._left_out = 0
        self._seconds: dict[str, float] = {}
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._interruption: Exception | None = None
        self._interrupted_at = 0.0
        self._told_at = 0.0
        self._statement_of: psycopg.Connection[Any] | None = None
        self.started = time.monotonic()

    def __enter__(self) -> Self:
        HEART.add(self)
        if self.claim.died:
            self.say(f"Taken up again, attempt {self.claim.attempt}: the process that ran it before died.")
        elif self.claim.resumed:
            self.say(f"Taken up again, attempt {self.claim.attempt}: it was handed back. What is left is done now.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended = True
        HEART.remove(self)
        self.flush()

    # The log

    def say(self, text: str, level: str = "info", **facts: Any) -> None:
        """Writes a line into the Operation's log; may be called from any thread."""
        with self._lock:
            details = level == "debug"
            if self._next_line >= LOG_LINES or (details and self._details >= DEBUG_LINES):
                self._left_out += 1
                return
            self._lines.append((self._next_line, datetime.now(UTC), level, text, facts))
            self._next_line += 1
            self._details += details

    def vendor_log(self, event: str, **facts: Any) -> None:
        """The Session's log, scrubbed by it already. A `note` is a sentence for people, and stands for the event."""
        level = str(facts.pop("level", "debug"))
        self.say(str(facts.pop("note", event)), level, **{name: _plain(fact) for name, fact in facts.items()})

    def flush(self) -> None:
        """Writes the lines that wait; where lines had to be left out, the last one says how many."""
        with self._lock:
            lines, self._lines = self._lines, []
            left_out = self._left_out
        if lines:
            save_log(self.claim.operation, lines)
        if left_out and self.ended:
            save_last_line(self.claim.operation, datetime.now(UTC), left_out)

    # How far it is

    def show(self, phase: str, done: int = 0, total: int | None = None, rows: Callable[[], int] | None = None) -> None:
        """Shows how far it is: to the caller at once, to others with the next beat. `rows` counts what is read now."""
        self._rows = rows or (lambda: 0)
        self._shown = {"phase": phase[:PHASE_LETTERS], "done": done, "total": total}
        self._tell_now()

    def _tell_now(self) -> None:
        self._told_at = time.monotonic()
        shown = self._shown
        self._tell(shown["phase"], shown["done"], shown["total"], progress_in_words(self.progress()))

    def progress(self) -> dict[str, Any]:
        """How far it is by now: phase, done, total, findings read and how many a second, seconds left where that can be
        told, and the counts so far."""
        shown = dict(self._shown)
        seconds = max(time.monotonic() - self.started, 0.001)
        seen = self.counts["seen"] + self._rows()
        told: dict[str, Any] = {
            "seconds": round(seconds, 1),
            "seen": seen,
            "rate": round(seen / seconds, 1),
            "counts": dict(self.counts),
        }
        if shown.get("total") and shown["done"]:
            told["left"] = round(seconds / shown["done"] * (shown["total"] - shown["done"]), 1)
        return shown | told

    # Where the time goes

    @contextmanager
    def in_database(self) -> Generator[None]:
        """What is done in here is time of the database."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._spent("database", time.monotonic() - began)

    def note_vendor(self, blocked: float, seconds: Mapping[str, float], calls: Mapping[str, int]) -> None:
        """What a Session waited for, and what the vendor answered. Only waiting that held the run up counts: while one
        Record is applied others are read. What is left of `blocked` was work on what had come."""
        waited = sum(seconds.values())
        for word, number in seconds.items():
            self._spent(word, number * min(1.0, blocked / waited) if waited else 0.0)
        self._calls.update(calls)

    def _spent(self, word: str, seconds: float) -> None:
        self._seconds[word] = self._seconds.get(word, 0.0) + seconds

    def account(self) -> None:
        """Notes where the time of this attempt went; what is not waiting is work. Says so, where it took a while."""
        whole = time.monotonic() - self.started
        waited = {word: min(number, whole) for word, number in self._seconds.items()}
        worked = max(0.0, whole - sum(waited.values()))
        spend(self.claim, {word: round(number, 3) for word, number in (waited | {"work": worked}).items()}, self._calls)
        told = ", ".join(f"{number:,.1f} s {_WAITS[word]}" for word, number in waited.items() if number >= 0.05)
        self.say(f"This took {whole:,.1f} s: {told + ', ' if told else ''}{worked:,.1f} s working.")

    # What may end it

    def interrupt(self, why: Exception) -> None:
        """Ends the run at its next check; the first reason counts. May be called from any thread."""
        with self._lock:
            if self._interruption is None:
                self._interruption, self._interrupted_at = why, time.monotonic()

    def cancel(self, actor: str) -> None:
        """Somebody asked for the end."""
        self.interrupt(Cancelled(f"Cancelled by {actor}."))

    @property
    def interruption(self) -> Exception | None:
        """Why it must end, or None."""
        return self._interruption

    def look(self) -> None:
        """What every wait calls, now and then: raises what must end the run, and tells how far it is by now."""
        self.raise_if_interrupted()
        if self._shown and time.monotonic() - self._told_at > TELL_SECONDS:
            self._tell_now()

    def raise_if_interrupted(self) -> None:
        """Raises what must end the run; asks nobody."""
        if self._interruption is not None:
            raise self._interruption

    def check(self) -> None:
        """Raises Lost where the lease is another's by now, Cancelled where somebody asked for the end, HandedBack where
        this process stops or others wait for their turn. Between two Records it asks the database itself."""
        self.raise_if_interrupted()
        lease = Lease.objects.filter(pk=self.claim.operation, attempt=self.claim.attempt)
        if cancelled_by := lease.values_list("cancelled_by", flat=True).first():
            raise Cancelled(f"Cancelled by {cancelled_by}.")
        if self._may_yield is not None and self._may_yield(time.monotonic() - self.started):
            raise HandedBack("Others wait for their turn: this goes on after them.")

    @contextmanager
    def cancellable(self) -> Generator[None]:
        """A statement that runs in here, in this thread, is cancelled where the run must end and does not by itself."""
        database.ensure_connection()
        with database.cursor() as cursor:
            cursor.execute("SELECT set_config('idle_in_transaction_session_timeout', %s, false)", [FROZEN_AFTER])
        with self._lock:
            self._statement_of = database.connection
        try:
            yield
        finally:
            with self._lock:
                self._statement_of = None

    def cancel_statement_if_late(self, patience: float) -> None:
        """Cancels the statement of a run that was to be cancelled (or lost its lease) and did not come to a check."""
        if not isinstance(self._interruption, HandedBack | None) and (
            time.monotonic() - self._interrupted_at > patience
        ):
            self.cancel_statement()

    def cancel_statement(self) -> None:
        """Cancels the statement that runs, if one does. What it did is rolled back."""
        with self._lock:
            if self._statement_of is not None:
                try:
                    self._statement_of.cancel_safe(timeout=CANCEL_SECONDS)
                except psycopg.Error:
                    return  # it is gone, and its statement with it


_WAITS: Final = {
    "vendor": "waiting for the tool",
    "rate": "waiting for the rate the tool allows",
    "database": "in the database",
}


def worker_name() -> str:
    """Who runs: the machine and the process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _plain(fact: object) -> object:
    return fact if isinstance(fact, str | int | float | bool | None) else str(fact)
