"""`tidegate up`: starts the parts of the service as processes, starts again what dies, ends them all together.

Standard library only, and a process of its own: what keeps the others alive must not fall with what they import. It
stands in one thread around one selector. Parts say how far they are as services say it to systemd (notify.py); the
kernel says which part spoke. Each part holds a pipe that ends with us, so none outlives us (part.py).
"""

import argparse
import contextlib
import os
import re
import select
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.server.notify import SOCKET, heard, tell
from tidegate.server.part import FORCED, LIFELINE, MEND, SAME_SIGNAL, TOLD_BY

# Exit codes of a part that was asked wrongly, or waits for a person: before it ever was ready, trying again is no use.
HOPELESS = (2, MEND)

# Seconds: a part that dies is started again after a pause, doubled each time; one that lived long begins anew.
FIRST_PAUSE, LONGEST_PAUSE, SETTLED = 0.5, 30.0, 60.0
SECONDS_FOR_A_READER = 0.2
AS_LONG_AS_IT_TAKES = 3600.0

LONGEST_LINE = 64 * 1024
CREDENTIALS = struct.Struct("3i")
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Command:
    """One part: its name, and what starts it."""

    name: str
    words: Sequence[str]


class Part:
    """One part and its process, if it has one."""

    def __init__(self, command: Command) -> None:
        self.name, self.words = command.name, command.words
        self.process: subprocess.Popen[bytes] | None = None
        self.handle = self.output = -1
        self.rest = b""
        self.ready = self.was_ready = False
        self.began = 0.0
        self.pause = FIRST_PAUSE
        self.again_at: float | None = None


class Supervisor:
    """Runs the parts. The first goes ahead: it opens the database, and the others follow once it is ready."""

    def __init__(self, commands: Iterable[Command], *, grace: float, welcome: Sequence[str]) -> None:
        self.parts = [Part(command) for command in commands]
        self.grace, self.welcome = grace, welcome
        self.width = max(len(part.name) for part in self.parts)
        self.selector = selectors.DefaultSelector()
        self.code = 0
        self.announced = self.unheard = False
        self.told_at: float | None = None
        self.stopping_at: float | None = None
        self.killed = False

    def run(self) -> int:
        """Until somebody says stop, or a part cannot start. The exit code: 0, or that part's."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.selector)
            self._hear_signals(stack)
            self._hear_parts(stack)
            stack.callback(self._kill_all)
            self._start(self.parts[0])
            while not self._is_over():
                for key, _ in self.selector.select(self._seconds_to_next()):
                    key.data()
                self._keep_time()
            return self.code

    # What is heard

    def _hear_signals(self, stack: contextlib.ExitStack) -> None:
        listening, speaking = socket.socketpair()
        for end in (listening, speaking):
            end.setblocking(False)
            stack.enter_context(end)
        stack.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(speaking.fileno(), warn_on_full_buffer=False))
        for number in (*TOLD_BY, signal.SIGCHLD):
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # under nohup a closed terminal means nothing
            stack.callback(signal.signal, number, signal.signal(number, _just_wake))
        self.selector.register(listening, selectors.EVENT_READ, lambda: self._signalled(listening.recv(4096)))

    def _hear_parts(self, stack: contextlib.ExitStack) -> None:
        ear = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC))
        ear.setblocking(False)
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        ear.bind("")  # the kernel gives it a name that is no file: none is left behind
        self.ear = f"@{ear.getsockname()[1:].decode()}"
        self.selector.register(ear, selectors.EVENT_READ, lambda: self._told(ear))
        # Never written to. Its end in our hands is closed by the kernel however we end, and that is what they notice.
        self.lifeline, ours = os.pipe()
        stack.callback(os.close, self.lifeline)
        stack.callback(os.close, ours)

    def _signalled(self, numbers: bytes) -> None:
        for number in numbers:
            if number == signal.SIGCHLD:
                self._reap_orphans()
            elif self.told_at is None:
                self.told_at = time.monotonic()
                self._say("Stopping: what runs is handed back and goes on at the next start.")
                self._stop()
            elif time.monotonic() - self.told_at > SAME_SIGNAL:
                self.code = FORCED
                self._kill_all()

    def _told(self, ear: socket.socket) -> None:
        try:
            message, ancillary, _, _ = ear.recvmsg(4096, socket.CMSG_SPACE(CREDENTIALS.size))
        except BlockingIOError:
            return
        speakers = [
            CREDENTIALS.unpack(data[: CREDENTIALS.size])[0]
            for level, kind, data in ancillary
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS)
        ]
        words = heard(message)
        for part in self.parts:
            if part.process and part.process.pid in speakers and words.get("READY") == "1" and not part.ready:
                self._is_ready(part)

    def _is_ready(self, part: Part) -> None:
        back = part.was_ready
        part.ready = part.was_ready = True
        if back and self.told_at is None:
            self._say(f"{part.name} is back.")
        if part is self.parts[0] and not back:
            for other in self.parts[1:]:
                if other.process is None:
                    self._start(other)
        self._announce()

    def _announce(self) -> None:
        if self.stopping_at is not None or not all(part.ready for part in self.parts):
            return
        tell(READY="1", STATUS=self.welcome[0])
        if not self.announced:
            self.announced = True
            self._say("", *self.welcome, "")

    # Starting, and starting again

    def _start(self, part: Part) -> None:
        part.again_at, part.ready, part.began, part.rest = None, False, time.monotonic(), b""
        environment = os.environ | {SOCKET: self.ear, LIFELINE: str(self.lifeline)}
        try:
            # Its own session: Ctrl-C reaches us alone, and we tell the parts; no input, so nobody fights for the keys.
            part.process = subprocess.Popen(
                part.words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=[self.lifeline],
                start_new_session=True,
            )
        except OSError as error:
            self._again(part, f"could not be started ({error.strerror})")
            return
        assert part.process.stdout  # noqa: S101 - PIPE, above
        part.output = part.process.stdout.fileno()
        os.set_blocking(part.output, False)
        part.handle = os.pidfd_open(part.process.pid)
        self.selector.register(part.output, selectors.EVENT_READ, lambda: self._read(part))
        self.selector.register(part.handle, selectors.EVENT_READ, lambda: self._ended(part))

    def _ended(self, part: Part) -> None:
        process = part.process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(
                process.pid, signal.SIGKILL
            )  # what it started goes with it; not reaped yet, so the number is its own
        code = process.wait()
        self._read(part)
        self._let_go(part)
        if self.stopping_at is not None:
            return
        if code in HOPELESS and not part.was_ready:
            self.code = code
            self._say(f"Tidegate did not start: {part.name} says above why not, and what to do.")
            self._stop()
            return
        self._again(part, f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}")

    def _again(self, part: Part, how: str) -> None:
        now = time.monotonic()
        if now - part.began > SETTLED:
            part.pause = FIRST_PAUSE
        part.again_at, pause = now + part.pause, part.pause
        part.pause = min(part.pause * 2, LONGEST_PAUSE)
        sentence = f"{part.name} {how}; it starts again in {pause:g} s."
        self._say(sentence)
        tell(STATUS=sentence)

    def _let_go(self, part: Part) -> None:
        for number in (part.output, part.handle):
            with contextlib.suppress(KeyError):
                self.selector.unregister(number)
        os.close(part.handle)
        if part.rest:
            self._pass_on(part, part.rest)
        if part.process and part.process.stdout:
            part.process.stdout.close()
        part.process, part.ready, part.rest = None, False, b""

    def _reap_orphans(self) -> None:
        """As a container's first process we inherit the processes of others, and must take their ends."""
        ours = {part.process.pid for part in self.parts if part.process}
        with contextlib.suppress(ChildProcessError):
            while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if found.si_pid in ours:
                    return  # its handle says so as well, and looks again for others
                os.waitpid(found.si_pid, 0)

    # Ending

    def _stop(self) -> None:
        tell(STOPPING="1")
        self.stopping_at = time.monotonic()
        for part in self.parts:
            part.again_at = None
            if part.process:
                _send(part, signal.SIGTERM)

    def _kill_all(self) -> None:
        self.killed = True
        for part in self.parts:
            if part.process:
                _send(part, signal.SIGKILL)
                part.process.wait()
                self._let_go(part)

    def _is_over(self) -> bool:
        return self.stopping_at is not None and not any(part.process for part in self.parts)

    # Time

    def _seconds_to_next(self) -> float:
        times = [part.again_at for part in self.parts if part.again_at is not None]
        if self.stopping_at is not None and not self.killed:
            times.append(self.stopping_at + self.grace)
        return max(0.0, min(times, default=time.monotonic() + AS_LONG_AS_IT_TAKES) - time.monotonic())

    def _keep_time(self) -> None:
        now = time.monotonic()
        for part in self.parts:
            if part.again_at is not None and part.again_at <= now:
                self._start(part)
        if self.stopping_at is not None and not self.killed and now >= self.stopping_at + self.grace:
            late = " and ".join(part.name for part in self.parts if part.process)
            if late:
                self._say(f"After {self.grace:g} s {late} had not ended, and was killed; nothing half done was kept.")
            self._kill_all()

    # What the parts say

    def _read(self, part: Part) -> None:
        while True:
            try:
                words = os.read(part.output, 65536)
            except (BlockingIOError, OSError):
                return
            if not words:
                with contextlib.suppress(KeyError):
                    self.selector.unregister(part.output)
                return
            *lines, part.rest = (part.rest + words).split(b"\n")
            if len(part.rest) > LONGEST_LINE:
                lines, part.rest = [*lines, part.rest], b""
            for line in lines:
                self._pass_on(part, line)

    def _pass_on(self, part: Part, line: bytes) -> None:
        """A line of structured log stays as it is, for whoever reads it; any other gets the name of its part."""
        text = UNSEEN.sub("\N{REPLACEMENT CHARACTER}", line.decode(errors="replace").rstrip("\r"))
        self._say(text if text.startswith("{") and text.endswith("}") else f"{part.name:<{self.width}} | {text}")

    def _say(self, *lines: str) -> None:
        """To the terminal. A reader that has stopped reading (Ctrl-S, a stuck pipe) stops nothing: it misses lines."""
        for line in lines:
            words = f"{line}\n".encode(errors="replace")
            while words:
                patience = 0 if self.unheard else SECONDS_FOR_A_READER
                try:
                    self.unheard = not select.select([], [2], [], patience)[1]
                    if self.unheard:
                        return
                    words = words[os.write(2, words[: select.PIPE_BUF]) :]
                except OSError:  # nobody is there any more
                    return


def _just_wake(*_: object) -> None:
    """The wake-up pipe has the number already."""


def _send(part: Part, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(part.handle, number)


# From the command line


def tidegate(*words: str) -> list[str]:
    """What runs a command of Tidegate in a process of its own, whatever lies in the folder we stand in."""
    return [sys.executable, "-P", "-m", "tidegate.cli", *words]


def replace_this_process(*words: str) -> None:
    """Become the supervisor: the process that checked the settings, with all it imported, is no more."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", "tidegate.server.up", *words])  # noqa: S606 - no shell wanted


def main(given: Sequence[str] | None = None) -> int:
    """Supervise web, scheduler and worker. `tidegate up` has checked what is given."""
    parser = argparse.ArgumentParser(prog="tidegate up")
    text: dict[str, Any] = {"required": True}
    for name in ("host", "port", "concurrency", "grace", "where"):
        parser.add_argument(f"--{name}", **text)
    asked = parser.parse_args(given)
    address = ("--host", asked.host, "--port", asked.port)
    parts = [
        Command("web", tidegate("web", *address)),
        Command("scheduler", tidegate("scheduler")),
        Command("worker", tidegate("worker", "--concurrency", asked.concurrency)),
    ]
    welcome = [
        f"Tidegate is up: {url_of(asked.host, asked.port)}",
        f"What it stores lies in {asked.where}.",
        "Stop it with Ctrl-C: what runs is handed back, and goes on at the next start.",
    ]
    return Supervisor(parts, grace=float(asked.grace), welcome=welcome).run()


def url_of(host: str, port: str | int) -> str:
    """Where a person on this machine finds the page."""
    everywhere = {"0.0.0.0": "localhost", "::": "localhost"}  # noqa: S104 - how it is called, not where we listen
    name = everywhere.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/"


if __name__ == "__main__":
    sys.exit(main())
