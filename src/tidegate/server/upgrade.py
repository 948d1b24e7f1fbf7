"""`tidegate upgrade --check`: what an upgrade would do, and whether now is the time for it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import psycopg
from msgspec import Meta

from tidegate.config import Settings
from tidegate.server import start
from tidegate.server.backup import last_backup
from tidegate.server.postgres import open_database
from tidegate.server.postgres.upgrade import server_of


class UpgradeCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `upgrade --check`."""

    embedded: Annotated[bool, Meta(description="The server is Tidegate's own; a given one is upgraded by its owner.")]
    server: Annotated[str, Meta(description="The major version of the database; empty where there is none yet.")]
    brings: Annotated[str, Meta(description="The major version that this Tidegate brings; empty for a given one.")]
    server_due: Annotated[bool, Meta(description="`upgrade` would load the data into a newer server.")]
    programs: Annotated[str, Meta(description="Where the programs of the old version stand; empty where none do.")]
    needed_bytes: Annotated[int, Meta(description="Room that takes, at most; 0 where it is not due.")]
    free_bytes: Annotated[int, Meta(description="Room there is where the data lie.")]
    migrations: Annotated[
        list[str] | None, Meta(description="Migrations that wait; null where only the upgraded server can say.")
    ]
    workers: Annotated[int | None, Meta(description="Workers that live; null where nobody can say.")]
    last_backup: Annotated[datetime | None, Meta(description="When one was last made from this home.")]
    blocked: Annotated[str, Meta(description="Why it cannot be done as it is; empty where it can.")]


def check_upgrade(settings: Settings, programs: Path | None = None) -> UpgradeCheck:
    """Looks, and changes nothing. Raises DatabaseUnavailable where a given database cannot be reached."""
    if settings.database_url is not None:
        with open_database(settings) as database, psycopg.connect(database.url) as connection:
            major = str(connection.info.server_version // 10000)
            start.set_up_django(database)
            migrations, workers = _asked()
        return _answer(settings, embedded=False, server=major, migrations=migrations, workers=workers)
    server = server_of(settings.home, programs)
    migrations = workers = None
    blocked = ""
    if server.is_due:
        if server.programs is None:
            blocked = f"PostgreSQL {server.found}, which alone can read these data, is not on this machine."
        elif server.free < server.needed:
            blocked = "There is not enough room where the data lie."
    elif server.found:
        with open_database(settings) as database:
            start.set_up_django(database)
            migrations, workers = _asked()
    return _answer(
        settings,
        embedded=True,
        server=server.found,
        brings=server.ours,
        due=server.is_due,
        programs=str(server.programs or ""),
        needed=server.needed if server.is_due else 0,
        free=server.free,
        migrations=migrations,
        workers=workers,
        blocked=blocked,
    )


def _asked() -> tuple[list[str], int | None]:
    from django.db import connections

    from tidegate.reads.service import service

    try:
        missing = start.pending_migrations()
        return missing, None if missing else service().workers
    finally:
        connections.close_all()


def _answer(
    settings: Settings,
    *,
    embedded: bool,
    server: str,
    migrations: list[str] | None,
    workers: int | None,
    brings: str = "",
    due: bool = False,
    programs: str = "",
    needed: int = 0,
    free: int = 0,
    blocked: str = "",
) -> UpgradeCheck:
    return UpgradeCheck(
        embedded=embedded,
        server=server,
        brings=brings,
        server_due=due,
        programs=programs,
        needed_bytes=needed,
        free_bytes=free,
        migrations=migrations,
        workers=workers,
        last_backup=last_backup(settings.home),
        blocked=blocked,
    )
