"""The scheduler: one process at a time keeps the time for all, and does what its hour has come for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog
from django.db import Error as DatabaseFailure
from django.db import connections, transaction

from tidegate.config import Settings
from tidegate.delivery.deliver import deliver_news
from tidegate.delivery.watch import note_time
from tidegate.store.clock import being_the_scheduler, database_now, newer_migration
from tidegate.store.writers.decision import expire_acceptances
from tidegate.store.writers.open_day import note_open
from tidegate.store.writers.operation import reconcile
from tidegate.store.writers.pace import forget_hosts
from tidegate.store.writers.retention import retain
from tidegate.store.writers.schedule import request_due
from tidegate.store.writers.tally import add_up_tallies
from tidegate.store.writers.words import index_words

from .crew import OldWorker

TICK_SECONDS: Final = 5.0
MINUTE: Final = 60.0
HOUR: Final = 3600.0
PATIENCE_SECONDS: Final = 6.0
"""How long news that are on their way, and a chore that is being done, have when the process ends."""

WORDS_SECONDS: Final = 3.0
"""How long search is filled at a time; whatever else is to be done waits no longer for it."""

_log = structlog.get_logger(__name__)


@dataclass
class Duty:
    """Something that is done every so many seconds, in transactions of its own; `do` is told the database's time."""

    name: str
    every: float
    do: Callable[[datetime], object]
    next_at: float = field(default=0.0)


def duties() -> list[Duty]:
    """What somebody waits for, in the order of a tick; all of it together takes less than a second."""
    return [
        Duty("due", TICK_SECONDS, request_due),
        Duty("reconcile", TICK_SECONDS, lambda now: reconcile()),
        Duty("acceptances", MINUTE, _expire_acceptances),
    ]


def chores() -> list[Duty]:
    """What may take longer, and keeps nobody waiting."""
    return [
        Duty("words", TICK_SECONDS, lambda now: index_words(seconds=WORDS_SECONDS)),
        Duty("tallies", MINUTE, _add_up_tallies),
        Duty("news", MINUTE, note_time),
        Duty("open findings", 15 * MINUTE, lambda now: note_open(now.date())),
        Duty("hosts", HOUR, forget_hosts),
        Duty("retention", HOUR, retain),
    ]


def keep_time(settings: Settings, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Does its duties until `stop` is set. Any number of these may run: one keeps the time, the others stand by; each
    of them sends news.

    Raises OldWorker where the database has become a newer Tidegate's.
    """
    ended, held = threading.Event(), threading.Event()
    beside = [
        threading.Thread(target=_deliver, args=(ended,), name="courier", daemon=True),
        threading.Thread(target=_do_chores, args=(ended, held), name="chores", daemon=True),
    ]
    for thread in beside:
        thread.start()
    try:
        _keep_time(stop, held, ready)
    finally:
        ended.set()
        for thread in beside:
            thread.join(PATIENCE_SECONDS)
        connections.close_all()


def _keep_time(stop: threading.Event, held: threading.Event, ready: Callable[[], None]) -> None:
    planned = duties()
    while not stop.is_set():
        try:
            with being_the_scheduler() as ours:
                ready()
                while ours and not stop.is_set():
                    held.set()
                    tick(planned)
                    stop.wait(TICK_SECONDS)
            stop.wait(TICK_SECONDS)
        except DatabaseFailure as error:
            _log.warning("scheduler.database_away", error=str(error).strip())
            connections.close_all()
            stop.wait(1.0)
        finally:
            held.clear()


def _do_chores(ended: threading.Event, held: threading.Event) -> None:
    """Does them beside the tick, while this process keeps the time."""
    planned = chores()
    while not ended.wait(TICK_SECONDS):
        if held.is_set():
            try:
                tick(planned)
            except OldWorker:
                break  # the tick says so, and ends the process
            except DatabaseFailure as error:
                _log.warning("scheduler.database_away", error=str(error).strip())
                connections.close_all()
    connections.close_all()


def _deliver(ended: threading.Event) -> None:
    """Sends news; a fault there is told, and a minute later it goes on."""
    while not ended.is_set():
        try:
            deliver_news(ended)
        except Exception:  # noqa: BLE001 - what cannot be told must not end the time
            _log.exception("scheduler.courier_fault")
            ended.wait(MINUTE)


def tick(planned: list[Duty]) -> None:
    """Does what is due. A duty that fails keeps no other from being done, and is due again at its next time."""
    if newer := newer_migration():
        raise OldWorker(newer)
    now = database_now()
    for duty in planned:
        if time.monotonic() < duty.next_at:
            continue
        began = time.monotonic()
        duty.next_at = began + duty.every - TICK_SECONDS / 2
        try:
            done = duty.do(now)
        except DatabaseFailure:
            raise
        except Exception:  # noqa: BLE001 - time goes on
            _log.exception("scheduler.fault", duty=duty.name)
        else:
            _log.debug("scheduler.done", duty=duty.name, done=done, seconds=round(time.monotonic() - began, 3))


def _add_up_tallies(now: datetime) -> int:
    with transaction.atomic():
        return add_up_tallies()


def _expire_acceptances(now: datetime) -> int:
    with transaction.atomic():
        return expire_acceptances(now)
