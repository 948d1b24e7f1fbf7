"""The keeper: a small process that starts a home's server, starts it again if it dies, and ends it with its last user.

It lives in its own session, so neither Ctrl-C nor a closed terminal reaches it. Two locks are its whole protocol:
`keeper.lock`, held exclusively for its life (taken by whoever starts it and inherited), so there is one at most; and
`holders.lock`, held shared by every user of the database. The kernel drops a killed user's lock, so once the keeper can
get that lock exclusively nobody is left. A user that leaves last does the same by itself (embedded.py).
"""

import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .binaries import programs_folder
from .cluster import (
    acting_as_owner_of,
    become_able_to_act,
    prepare_cluster,
    refuse_other_version,
    start_postmaster,
)
from .failure import DatabaseUnavailable, from_output, from_system
from .place import Place
from .postmaster import end_leftover_backends, living_postmaster, status, stop_postmaster

# Seconds between looks at the locks. A user that leaves in order does not wait for them; a killed one costs this.
LOOK = 0.5
LOOK_WHILE_STARTING = 0.01
# A server that dies within so many seconds is started again after a pause, doubled each time up to the longest.
SETTLED, FIRST_PAUSE, LONGEST_PAUSE = 60.0, 0.1, 30.0
# Bytes; the log and the one before it (log.1) take twice as much.
LONGEST_LOG = 8 * 1024 * 1024

LEFTOVER_BACKENDS = "pre-existing shared memory block"


def main() -> None:
    """Run as a keeper, as told by the JSON of the last argument. Reports go to standard output, a line of JSON each."""
    plan = json.loads(sys.argv[-1])
    if os.fork():
        os._exit(0)  # whoever started us has no child to wait for
    os.umask(0o077)
    place = Place(Path(plan["home"]), Path(plan["cluster"]), plan["user"], plan["group"])
    Keeper(place).run(Path(plan["site"]), plan["version"])


class Keeper:
    """Keeps one server up for as long as somebody holds the home."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.told_to_stop = False
        self.server: subprocess.Popen[Any] | None = None  # None: started by an earlier keeper, or not yet
        self.handle = -1  # of the server's process; readable once it has ended
        self.log = self.holders = -1
        self.log_start = 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop_asked)

    def run(self, site: Path, version: str) -> None:
        """Make, start and keep the server; returns when it has ended and nobody needs it."""
        try:
            self._open_files()
            self.programs = programs_folder(site, version, os.getuid())
            # Before a living server is taken over: an upgrade that was killed may have left an old one running.
            refuse_other_version(self.place, self.programs)
            if living_postmaster(self.place.data) is None:
                prepare_cluster(self.place, self.programs, lambda text: self._report("progress", text))
            wanted = self._bring_up()
        except (DatabaseUnavailable, OSError) as error:
            failure = from_system(error, self.place.cluster) if isinstance(error, OSError) else error
            self._report("failed", failure.cause, failure.next_step)
            if self.server:
                self._stop()
            return
        self._report("ready")
        os.dup2(self.log, 1)
        os.dup2(self.log, 2)
        if wanted:
            self._keep_up()
        self._stop()

    def _open_files(self) -> None:
        become_able_to_act(self.place)
        with acting_as_owner_of(self.place.folder):
            self.log = os.open(self.place.log, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            self.holders = os.open(self.place.folder / "holders.lock", os.O_RDWR | os.O_NOFOLLOW)

    def _bring_up(self) -> bool:
        """Start a server, or take over the living one, and wait until it is ready, however long it recovers.

        False as soon as nobody wants it any more. Raises DatabaseUnavailable if it ends instead.
        """
        self._start()
        while status(self.place.data) != "ready":
            if not self._wanted():
                return False
            if self._ended_within(LOOK_WHILE_STARTING):
                self._make_way(self._said_since_start())
                self._start()
        return True

    def _make_way(self, said: str) -> None:
        """Deal with what ended a start, so that the next can go better. Raises DatabaseUnavailable if we cannot."""
        if self.server is None:
            return  # it was not ours: we came while somebody shut it down
        if LEFTOVER_BACKENDS not in said:
            raise from_output(said, self.place.data, self.place.log)
        self._report("progress", "Waiting for the last processes of a killed PostgreSQL to end.")
        end_leftover_backends(self.place.data)
        self._pause(LOOK / 2)

    def _start(self) -> None:
        self._bound_log()
        self.log_start = os.fstat(self.log).st_size
        process, self.server = living_postmaster(self.place.data), None
        if process is None:
            self.server = start_postmaster(self.place, self.programs, self.log)
            process = self.server.pid
        if self.handle >= 0:
            os.close(self.handle)
        self.handle = os.pidfd_open(process)

    def _keep_up(self) -> None:
        """Watch the server and start it again if it dies; returns when nobody wants it, or it cannot be started."""
        pause, up_since = FIRST_PAUSE, time.monotonic()
        while self._wanted():
            self._bound_log()
            if not self._ended_within(LOOK):
                continue
            pause = FIRST_PAUSE if time.monotonic() - up_since > SETTLED else min(pause * 2, LONGEST_PAUSE)
            if not self._wanted() or not self._pause(pause):
                return
            self._note("PostgreSQL ended without being asked; starting it again")
            try:
                if not self._bring_up():
                    return
            except (DatabaseUnavailable, OSError) as error:
                self._note(f"giving up: {error}")
                return
            up_since = time.monotonic()

    def _wanted(self) -> bool:
        """Whether somebody holds the home. Once False the exclusive lock is ours, or a leaver's who stops it."""
        if self.told_to_stop:
            return False
        for mode, somebody in ((fcntl.LOCK_EX, False), (fcntl.LOCK_SH, True)):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self.holders, mode | fcntl.LOCK_NB)
                if somebody:
                    fcntl.flock(self.holders, fcntl.LOCK_UN)
                return somebody
        return False

    def _stop(self) -> None:
        if self.server:
            # Signalled as our child, not through its pid file: one that has just been started has not written that yet,
            # and we would wait for ever, with the lock that every newcomer waits for.
            self.server.send_signal(signal.SIGINT)
            self.server.wait()
        stop_postmaster(self.place.data)
        if self.place.socket_folder.parent != self.place.cluster:
            with contextlib.suppress(OSError), acting_as_owner_of(self.place.socket_folder):
                self.place.socket_folder.rmdir()

    def _ended_within(self, seconds: float) -> bool:
        """Whether the server's process has ended, waiting up to `seconds` for it."""
        ended = bool(select.select([self.handle], [], [], seconds)[0])
        if ended and self.server:
            self.server.wait()
        return ended

    def _pause(self, seconds: float) -> bool:
        """Wait; False as soon as nobody wants the server."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not self._wanted():
                return False
            time.sleep(min(LOOK, seconds))
        return True

    def _said_since_start(self) -> str:
        length = max(0, os.fstat(self.log).st_size - self.log_start)
        return os.pread(self.log, length, self.log_start).decode(errors="replace")

    def _bound_log(self) -> None:
        length = os.fstat(self.log).st_size
        if length <= LONGEST_LOG:
            return
        # Copied and emptied, not renamed: PostgreSQL has this very file open. On a full disk the older part is lost.
        with contextlib.suppress(OSError), acting_as_owner_of(self.place.folder):
            older = os.open(self.place.folder / "log.1", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(older, "wb") as file:
                os.sendfile(file.fileno(), self.log, 0, length)
        os.ftruncate(self.log, 0)

    def _report(self, *words: str) -> None:
        # Nobody listens any more if the process that started us was killed; that ends nothing by itself.
        with contextlib.suppress(BrokenPipeError):
            os.write(1, json.dumps(words).encode() + b"\n")

    def _note(self, text: str) -> None:
        now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        with contextlib.suppress(OSError):
            os.write(self.log, f"{now} UTC [{os.getpid()}] keeper: {text}\n".encode())

    def _stop_asked(self, *_: object) -> None:
        self.told_to_stop = True
