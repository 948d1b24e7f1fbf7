"""Being a part of the service (web, scheduler, worker): told to stop by a signal, or by the end of whoever started it.

A part says when it is ready, and ends in order when it is told to. Nothing here knows what the part does.
"""

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from tidegate.server.notify import tell

# The number of an open pipe; its other end is held by `tidegate up` alone, so it ends when that does, however it ends.
LIFELINE = "TIDEGATE_LIFELINE"
# The exit code of a part that cannot start until a person mends something: EX_CONFIG, which systemd knows as well.
MEND = 78
FORCED = 130
# A second signal within so many seconds is the same one, handed on twice (by `uv run`, by a shell).
SAME_SIGNAL = 1.0
TOLD_BY = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
STOP, END = b"s", b"e"


@contextlib.contextmanager
def being_part(grace: float) -> Iterator["Part"]:
    """Listens for the end while open. Until `begin()` a signal leaves at once, by SystemExit; then it sets `stop`."""
    part = Part(grace)
    before = {number: signal.getsignal(number) for number in TOLD_BY}
    for number, handler in before.items():
        if number != signal.SIGHUP or handler != signal.SIG_IGN:  # under nohup a closed terminal means nothing
            signal.signal(number, part.signalled)
    part.ear.start()
    try:
        yield part
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        part.close()


class Part:
    """What a running part knows of its own end. After an orphan's grace it is over, whatever hangs."""

    def __init__(self, grace: float) -> None:
        self.grace = grace
        self.stop = threading.Event()
        self.begun = False
        self._is_ready = False
        self._told_at: float | None = None
        self._listening, self._speaking = os.pipe()
        self._lifeline = _lifeline()
        self.ear = threading.Thread(target=self._listen, name="ear", daemon=True)

    def begin(self) -> None:
        """From here on the part looks at `stop` itself."""
        self.begun = True

    def ready(self) -> None:
        """Says, once, that the part does what it is there for."""
        if not self._is_ready:
            self._is_ready = True
            tell(READY="1", STATUS="Ready.")

    def signalled(self, _number: int, _frame: FrameType | None) -> None:
        """Runs between two steps of the main thread, which may hold any lock: so it only writes to a pipe."""
        now, first = time.monotonic(), self._told_at
        self._told_at = first or now
        if not self.begun:
            raise SystemExit(0)
        if first is not None and now - first > SAME_SIGNAL:
            os._exit(FORCED)
        with contextlib.suppress(OSError):
            os.write(self._speaking, STOP)

    def close(self) -> None:
        """Stops listening."""
        os.write(self._speaking, END)
        self.ear.join()
        for pipe in (self._listening, self._speaking):
            os.close(pipe)

    def _listen(self) -> None:
        watched = [self._listening] if self._lifeline is None else [self._listening, self._lifeline]
        while True:
            ended = select.select(watched, [], [])[0]
            if self._lifeline in ended:
                watched.remove(self._lifeline)
                self._orphaned()
            elif os.read(self._listening, 1) == END:
                return
            else:
                tell(STOPPING="1")
                self.stop.set()

    def _orphaned(self) -> None:
        """Whoever started us is gone: nobody reads what we say, and nobody would kill us if we hung."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(nowhere, stream)
        os.close(nowhere)
        last = threading.Timer(self.grace, os._exit, [1])
        last.daemon = True
        last.start()
        if main := threading.main_thread().ident:
            signal.pthread_kill(main, signal.SIGTERM)


def _lifeline() -> int | None:
    given: Any = os.environ.pop(LIFELINE, "")
    if not given.isdigit():
        return None
    number = int(given)
    try:
        os.set_inheritable(number, False)
    except OSError:  # not ours to have
        return None
    return number
