"""The pace that all workers share: places in the queue for a host, in the database, so that its rate holds for all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from django.db import Error, connections

from tidegate.store.writers.pace import hold_host, take_turn

T = TypeVar("T")

_THREAD: Final = ThreadPoolExecutor(1, "pace")
"""Where the database is asked: an event loop must not wait for it, and one connection is enough for a process."""

_open: Final = set["SharedPace"]()
_lock: Final = threading.Lock()


class SharedPace:
    """A Turnstile for one Session, which is to be closed: with the last of them the process closes its connection."""

    def __init__(self) -> None:
        with _lock:
            _open.add(self)

    def close(self) -> None:
        """No more questions; nobody waits for the connection's end, as its database may hang."""
        with _lock:
            _open.discard(self)
            if not _open:
                _THREAD.submit(connections.close_all)

    async def turn(self, host: str, gap: float) -> float:
        """The seconds until this question's place."""
        return await _in_thread(lambda: take_turn(host, gap))

    async def hold(self, host: str, seconds: float) -> None:
        """Nobody asks the host for so long."""
        await _in_thread(lambda: hold_host(host, seconds))


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_THREAD, _on_a_living_connection, work)


def _on_a_living_connection(work: Callable[[], T]) -> T:
    """Whatever failed, the next question gets a new connection: this one may have been cut."""
    try:
        return work()
    except Error:
        connections.close_all()
        raise
