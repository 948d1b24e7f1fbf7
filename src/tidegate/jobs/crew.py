"""The hands of one worker process: threads that each run one Operation; a dangerous one gets a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final

import structlog
from django.db import Error as DatabaseFailure
from django.db import connections

from tidegate.config import load_settings
from tidegate.ingest.heart import HEART
from tidegate.ingest.operation import run_claimed
from tidegate.ingest.run import HandedBack, worker_name
from tidegate.jobs.works import know_all_works
from tidegate.store.clock import newer_migration
from tidegate.store.statement import rows_of
from tidegate.store.writers.operation import claim_operation, reconcile, suspected

SLICE_SECONDS: Final = 600.0
"""After so long a Sync lets others go first where they wait, and goes on after them; it happens between two Records."""

LOOK_SECONDS: Final = 5.0
LOOK_AT_STOP_SECONDS: Final = 0.2
PATIENT_PART: Final = 0.7
"""Of the grace; what is still in a statement after that loses it, and only that."""

STOPS: Final = "this worker stops."

_log = structlog.get_logger(__name__)


class OldWorker(Exception):
    """A newer Tidegate has migrated the database: this one takes no more work."""

    for_a_person = True

    def __init__(self, newer: str) -> None:
        self.cause = f"The database was brought up by a newer Tidegate ({newer}), so this worker takes no more work."
        self.next_step = "Start the new version's worker; what waits is waiting for it, and nothing is lost."
        super().__init__(f"{self.cause} {self.next_step}")


class Crew:
    """Looks at Operations that are offered, each in a thread, and runs those that are this worker's to run."""

    def __init__(self, hands: int, slice_seconds: float = SLICE_SECONDS) -> None:
        know_all_works()
        self.old: OldWorker | None = None
        self.stopping = threading.Event()
        self._slice = slice_seconds
        self._threads = ThreadPoolExecutor(hands, thread_name_prefix="operation")
        self._at_work: set[Future[None]] = set()
        self._alone: set[int] = set()

    def look_at(self, operation_id: int) -> Future[None]:
        """Begins to look at it; done when the Operation is done, is another's, or was handed back."""
        work = self._threads.submit(self._look, operation_id)
        self._at_work.add(work)
        work.add_done_callback(self._at_work.discard)
        return work

    def stop(self, grace: float) -> bool:
        """Hands back what runs and waits up to `grace` seconds for it; whether all of it came to its end."""
        self.hand_back()
        began, late = time.monotonic(), set(self._at_work)
        while late and time.monotonic() - began < grace:
            self.hand_back()  # again: one may just have been claimed
            if time.monotonic() - began > grace * PATIENT_PART:
                for run in HEART.running():
                    run.cancel_statement()
            late = wait(late, timeout=LOOK_AT_STOP_SECONDS).not_done
        self._threads.shutdown(wait=not late, cancel_futures=True)
        _offer_again()
        return not late

    def hand_back(self) -> None:
        """Takes nothing more, and tells what runs to end at its next check."""
        self.stopping.set()
        for run in HEART.running():
            run.interrupt(HandedBack(STOPS))

    def _look(self, operation_id: int) -> None:
        if self.stopping.is_set():
            return
        try:
            if newer := newer_migration():
                self.old = OldWorker(newer)
            elif suspected(operation_id):
                self._run_alone(operation_id)
            else:
                self._run(operation_id)
        except DatabaseFailure as error:
            _log.warning("database.failed", operation=operation_id, error=str(error).strip())
        except Exception:  # noqa: BLE001 - the last stop before the thread
            # It is written down as failed by now, if it could be; the next Operation is not to blame.
            _log.exception("operation.fault", operation=operation_id)
        finally:
            connections.close_all()

    def _run(self, operation_id: int) -> None:
        claim = claim_operation(operation_id, worker_name(), load_settings().lease_seconds, solitary=False)
        if claim is not None and run_claimed(claim, may_yield=self._may_yield(), patience=float("inf")) == "lost":
            _log.warning("operation.lost", operation=operation_id, told="Another process has it; nothing was written.")

    def _may_yield(self) -> Callable[[float], bool]:
        """Says, asked between two Records, whether the run has had its slice while others wait for a free hand."""
        looked_at, waited = 0.0, False

        def may_yield(seconds: float) -> bool:
            nonlocal looked_at, waited
            if self.stopping.is_set():
                raise HandedBack(STOPS)
            if seconds < self._slice or time.monotonic() - looked_at < LOOK_SECONDS:
                return False
            # Twice: a job that has only just been made is taken by a free hand at once.
            before, waited = waited, bool(rows_of("others_wait"))
            looked_at = time.monotonic()
            return before and waited

        return may_yield

    def _run_alone(self, operation_id: int) -> None:
        """A worker died with it: if it happens again, only a process of its own goes, and no neighbour is blamed.

        One such process at a time: until it has claimed, every tick offers the Operation again, and each would take
        another hand.
        """
        if operation_id in self._alone:
            return
        self._alone.add(operation_id)
        alive, ours = os.pipe()
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tidegate.cli", "worker", "--operation", str(operation_id)],
                env=os.environ | {"TIDEGATE_LIFELINE": str(alive)},
                pass_fds=[alive],
                stdin=subprocess.DEVNULL,
            )
            while process.poll() is None:
                if self.stopping.wait(0.1):
                    process.terminate()
                    process.wait()
        finally:
            self._alone.discard(operation_id)
            os.close(alive)
            os.close(ours)
        if process.returncode:
            _log.warning("operation.ended_its_process", operation=operation_id, code=process.returncode)


def _offer_again() -> None:
    """What this worker fetched while it stopped (even what it had just handed back) does not wait for the next tick."""
    try:
        reconcile()
    except DatabaseFailure as error:
        _log.warning("database.failed", error=str(error).strip())
    finally:
        connections.close_all()


def run_alone(operation_id: int, stop: threading.Event) -> None:
    """Runs one Operation in this process, and hands it back where that is told to stop."""
    know_all_works()
    claim = claim_operation(operation_id, worker_name(), load_settings().lease_seconds)
    if claim is None:
        return
    ended = threading.Event()

    def listen() -> None:
        while not ended.wait(0.1):
            if stop.is_set():
                for run in HEART.running():
                    run.interrupt(HandedBack(STOPS))
                return

    ear = threading.Thread(target=listen, name="stop", daemon=True)
    ear.start()
    try:
        run_claimed(claim, patience=float("inf"))
    finally:
        ended.set()
        ear.join()
