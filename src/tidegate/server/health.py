"""/healthz says that this process lives; /readyz whether Tidegate can work, and every reason why it cannot.

Neither says anything a stranger may not know. However often they are asked, the database is asked once at a time.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec
from django.db import Error as DatabaseError
from django.db import connections

from tidegate.config import Settings
from tidegate.guard.keys import KeyProblem, the_key
from tidegate.reads import service
from tidegate.server.start import SchemaTooNew, pending_migrations

SECONDS_TO_ANSWER = 3.0
SECONDS_AN_ANSWER_IS_GOOD = 1.0
NO_SPACE = 64 * 1024**2

SILENT = f"The database did not answer within {SECONDS_TO_ANSWER:g} seconds."
UNREACHABLE = "The database cannot be reached."


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether Tidegate can work. `scheduler` and `workers` are for information: parts may run elsewhere, or later."""

    ready: bool
    reasons: list[str]
    scheduler: bool | None = None
    workers: int | None = None


class Health:
    """Asks what /readyz wants to know, in one thread of its own; who asks meanwhile shares the answer."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.asking: Future[Readiness] | None = None
        self.asked_at = 0.0
        self.executor = ThreadPoolExecutor(1, "readiness")

    async def readiness(self) -> Readiness:
        """The answer, or that there is none in time. A database that hangs holds up one thread, not each asker's."""
        now = time.monotonic()
        if self.asking is None or (self.asking.done() and now - self.asked_at > SECONDS_AN_ANSWER_IS_GOOD):
            self.asked_at = now
            self.asking = self.executor.submit(look, self.settings)
        asked = asyncio.wrap_future(self.asking)
        await asyncio.wait([asked], timeout=SECONDS_TO_ANSWER)
        return asked.result() if asked.done() else Readiness(ready=False, reasons=[SILENT])

    def close(self) -> None:
        """Asks no more."""
        self.executor.shutdown(wait=False, cancel_futures=True)


def look(settings: Settings) -> Readiness:
    """Everything that has to be in order, looked at now."""
    try:
        life, sealed = service.service(), service.secrets_are_stored()
        reasons = [*migrations(), *_said(lambda: key(settings, sealed=sealed)), *disk(settings.home)]
        return Readiness(ready=not reasons, reasons=reasons, scheduler=life.scheduler, workers=life.workers)
    except DatabaseError:
        return Readiness(ready=False, reasons=[*_unreachable(), *disk(settings.home)])
    finally:
        connections.close_all()


def _unreachable() -> list[str]:
    """A database that answers and lacks our tables is another reason than one that does not answer."""
    try:
        return migrations() or [UNREACHABLE]
    except DatabaseError:
        return [UNREACHABLE]


def _said(ask: Callable[[], list[str]]) -> list[str]:
    try:
        return ask()
    except KeyProblem as problem:
        return [problem.cause]


def migrations() -> list[str]:
    """Neither behind nor ahead of this version."""
    try:
        missing = len(pending_migrations())
    except SchemaTooNew as newer:
        return [newer.cause]
    return [f"The database lacks {missing} migrations; run: tidegate migrate"] if missing else []


def key(settings: Settings, *, sealed: bool) -> list[str]:
    """Where secrets are stored, the key that sealed them is here. Raises KeyProblem."""
    lost = sealed and the_key(settings) is None
    return ["The key that sealed the stored secrets is missing; put it back from a backup."] if lost else []


def disk(home: Path) -> list[str]:
    """There is room where the home lies."""
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    return ["The disk that holds TIDEGATE_HOME is full."] if shutil.disk_usage(place).free < NO_SPACE else []
