"""What the doctor looks at: the queue, the clocks, the places at the database, the routes, and what lies about here."""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import TZPATH

from tidegate.reads.service import service
from tidegate.store import models
from tidegate.store.statement import rows_of

SILENT_SECONDS: Final = 60
OLD_SECONDS: Final = 3600
"""A spool younger than that may be one that is just being made."""


class House(NamedTuple):
    """How the service's database is, seen from this machine."""

    skew_seconds: float
    """How far this machine's clock is ahead of the database's."""
    places: int
    """Connections that the database allows us and others."""
    taken: int
    stuck: int
    """Jobs that a worker took along when it died."""
    lifeless: int
    """Operations that run, by their row, and that nobody beats for."""
    unlooked: int
    """Operations whose time has come and that no job tells of."""
    waiting: int
    planned: int
    """Schedules that are on."""
    workers: int
    scheduler: bool


def house() -> House:
    """How it is now."""
    before = datetime.now(UTC)
    (row,) = rows_of("house_seen", silent=SILENT_SECONDS)
    # The database's answer is as old as half the question took, at most.
    middle = before + (datetime.now(UTC) - before) / 2
    life = service()
    skew = (middle - row.pop("now")).total_seconds()
    return House(skew_seconds=skew, workers=life.workers, scheduler=life.scheduler, **row)


def failing_routes() -> tuple[int, list[str]]:
    """How many routes are on, and the names of those that news do not arrive over."""
    routes = models.Route.objects.filter(off_at=None).order_by("name")
    return len(routes), [route.name for route in routes if route.failing_since is not None]


def orphaned_spools() -> list[Path]:
    """Files of ours in the folder for temporary ones that no living process has open.

    A spool has no name as soon as it is open, so nothing should ever lie there; where the file system could not do
    that, a process that was killed may leave one.
    """
    folder = Path(tempfile.gettempdir())
    ours: list[Path] = []
    for path in folder.glob("tidegate-*"):
        with suppress(FileNotFoundError):  # gone meanwhile, as it should be
            seen = path.lstat()
            old = time.time() - seen.st_mtime > OLD_SECONDS
            if stat.S_ISREG(seen.st_mode) and seen.st_uid == os.geteuid() and old:
                ours.append(path)
    return sorted(set(ours) - _open_files()) if ours and Path("/proc/self/fd").exists() else []


def _open_files() -> set[Path]:
    return set(_each_open_file())


def _each_open_file() -> Iterator[Path]:
    """What processes have open, as far as this user may see it: a file of ours is opened by our processes."""
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            for link in folder.iterdir():
                with suppress(OSError):
                    yield link.readlink()
        except OSError:
            continue  # another user's process, or one that has just ended


def zones_of() -> str:
    """The version of the time zone data in use, as 2026b; "" where it does not say so."""
    for folder in map(Path, TZPATH):
        with suppress(OSError), (folder / "tzdata.zi").open(encoding="utf-8") as data:
            return data.readline().removeprefix("# version").strip()
        if (folder / "UTC").exists():
            return ""  # this folder is in use, and says no version
    year, number, *_ = version("tzdata").split(".")
    return f"{year}{chr(ord('a') + int(number) - 1)}"
