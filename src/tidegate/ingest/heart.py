"""Beats for all Operations that this process runs, from one thread with one database connection.

Each beat keeps the leases alive, shows how far the runs are, writes their logs, and brings back what was said
meanwhile: that a run lost its lease, or that somebody asked for its end.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import structlog
from django.db import Error as DatabaseFailure
from django.db import connections, transaction

from tidegate.store.writers.operation import Beat, Lost, beat

if TYPE_CHECKING:
    from .run import Run

BEAT_SECONDS: Final = 1.0
"""Progress is written at most so often, and a cancelled run notices as soon."""

BEATS_PER_LEASE: Final = 3

PATIENCE_SECONDS: Final = 1.5
"""How long a run that is to be cancelled has to come to a check by itself, before its statement is cancelled."""


_log = structlog.get_logger(__name__)


class Heart:
    """One a process; its thread lives as long as there is a run. Threads share it."""

    def __init__(self) -> None:
        self._runs: dict[int, Run] = {}
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None

    def add(self, run: Run) -> None:
        """Beats for the run from now on."""
        with self._lock:
            self._runs[run.claim.operation] = run
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat_on, name="heart", daemon=True)
                self._thread.start()

    def remove(self, run: Run) -> None:
        """Beats for it no longer."""
        with self._lock:
            if self._runs.get(run.claim.operation) is run:
                del self._runs[run.claim.operation]
            self._wake.notify()

    def running(self) -> list[Run]:
        """The runs of this process."""
        with self._lock:
            return list(self._runs.values())

    def _beat_on(self) -> None:
        try:
            while True:
                with self._lock:
                    leases = [run.claim.seconds / BEATS_PER_LEASE for run in self._runs.values()]
                    self._wake.wait(min([BEAT_SECONDS, *leases]))
                    if not self._runs:
                        self._thread = None
                        return
                self._beat_once(self.running())
        finally:
            with self._lock:
                self._thread = None  # whatever ended it, the next run gets another
            connections.close_all()

    def _beat_once(self, runs: list[Run]) -> None:
        try:
            with transaction.atomic():
                heard = beat([Beat(run.claim, run.progress()) for run in runs])
            for run in runs:
                if run.ended:
                    continue
                if run.claim.operation not in heard:
                    run.interrupt(Lost(f"Operation {run.claim.operation} is run by another process now."))
                elif actor := heard[run.claim.operation]:
                    run.cancel(actor)
                run.flush()
        except DatabaseFailure as error:
            # The database may be restarting; the fence in every apply decides whether we may still write.
            _log.warning("heart.database_away", error=str(error).strip())
            connections.close_all()
        for run in runs:
            run.cancel_statement_if_late(PATIENCE_SECONDS)


HEART: Final = Heart()
