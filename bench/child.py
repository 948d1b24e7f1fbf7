"""A process of its own for what is measured: what the bench itself holds is not in its memory."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_spawn = multiprocessing.get_context("spawn")  # a fork would begin with all that the bench holds
MEGABYTE = 10**6


class ChildFailed(Exception):
    """What was asked of a child did not come to its end there; says what it said."""


class Child:
    """Makes a thing in a new process and calls its methods there, one after the other.

    `kind` says what, as "module:name": it is imported there, and what models it needs once Django is set up.

    With `url` the process has that database and Django set up, as a worker has.
    """

    def __init__(self, kind: str, *given: Any, url: str = "", **environment: str) -> None:
        self._pipe, theirs = _spawn.Pipe()
        environment |= {"TIDEGATE_DATABASE_URL": url} if url else {}
        self._process = _spawn.Process(target=_live, args=(theirs, environment, kind, given), daemon=True)
        self._process.start()
        theirs.close()
        self._answer()

    def ask(self, method: str, *given: Any) -> Any:
        """What the method gives back, which must be plain."""
        self.begin(method, *given)
        return self._answer()

    def begin(self, method: str, *given: Any) -> None:
        """Asks, and does not wait."""
        self._pipe.send((method, given))

    def kill(self) -> None:
        """As the system kills: nothing of it runs any more."""
        if self._process.pid:
            os.kill(self._process.pid, signal.SIGKILL)
        self._process.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pipe.close()
        self._process.join(30)
        if self._process.is_alive():
            self.kill()

    def _answer(self) -> Any:
        try:
            good, answer = self._pipe.recv()
        except EOFError:
            raise ChildFailed("The process died.") from None
        if not good:
            raise ChildFailed(answer)
        return answer


def _live(pipe: Pipe, environment: dict[str, str], kind: str, given: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the bench, which ends us
    os.environ.update(environment)
    if "TIDEGATE_DATABASE_URL" not in environment:
        _serve(pipe, kind, given)
        return
    from tidegate.config import Settings
    from tidegate.server.start import started

    with started(Settings()):
        _serve(pipe, kind, given)


def _serve(pipe: Pipe, kind: str, given: tuple[Any, ...]) -> None:
    try:
        what = named(kind)(*given)
        pipe.send((True, None))
        while True:
            method, words = pipe.recv()
            pipe.send((True, getattr(what, method)(*words)))
    except EOFError:
        return
    except BaseException:  # noqa: BLE001 - told to whoever asked
        pipe.send((False, traceback.format_exc()))


def named(kind: str) -> Callable[..., Any]:
    """What "module:name" names."""
    module, _, name = kind.partition(":")
    return getattr(importlib.import_module(module), name)


def forget_peak() -> None:
    """From now on the kernel notes the most memory anew (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_megabytes() -> float:
    """The most memory this process had at once, since `forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM"))
    return int(peak.split()[1]) * 1024 / MEGABYTE


class Watch:
    """A stopwatch that counts only inside `with`."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._began = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds += time.perf_counter() - self._began
