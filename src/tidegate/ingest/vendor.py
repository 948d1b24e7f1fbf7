"""The vendor's side of one Operation: an event loop in a thread of its own, where the database never waits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from tidegate.config import load_settings
from tidegate_sdk import AddressPolicy, Tool
from tidegate_sdk.proxy import operators_proxy
from tidegate_sdk.session import Session

from .pace import SharedPace
from .run import Run

T = TypeVar("T")

LOOK_EVERY_SECONDS: Final = 0.2


def _nobody_asks() -> None:
    """Where a reading runs to its end."""


def way_out() -> dict[str, Any]:
    """What of the network this service lets its Tools call, a location being what a person entered, and by which proxy.

    Said to Sessions.
    """
    settings = load_settings()
    return {
        "policy": AddressPolicy(settings.private_networks),
        "proxy": operators_proxy(settings.proxy) if settings.proxy else None,
    }


@contextmanager
def visiting(run: Run, tool: Tool[Any]) -> Generator[Vendor]:
    """The vendor as a run sees it: it logs there, every wait ends with the run, and the time it took is noted."""
    with Vendor(tool, run.vendor_log, run.look) as vendor:
        try:
            yield vendor
        finally:
            run.note_vendor(vendor.blocked, vendor.session.seconds, vendor.session.calls)


class Vendor:
    """One Session, open while this is. `log` is called in the loop's thread.

    Every wait for it looks now and then whether the run must end: `look` raises what ends it.
    """

    def __init__(
        self, tool: Tool[Any], log: Callable[..., None], look: Callable[[], None] = _nobody_asks, **session: Any
    ) -> None:
        self.tool = tool
        self.blocked = 0.0
        """Seconds in which nothing else was done than to wait for what is read."""
        self._look = look
        self._turnstile = SharedPace()
        self._options = {"log": log, "turnstile": self._turnstile, **way_out(), **session}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"vendor-{tool.slug}", daemon=True)
        self.session: Session

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self.session = self.tool.open(**self._options)
            self.call(self.session.__aenter__())
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.submit(self._cancel_all()).result()
            self.submit(self.session.__aexit__(None, None, None)).result()
        finally:
            self._stop()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begins to read; the result comes when it comes."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Reads and waits for the result."""
        return self.result(self.submit(work))

    def result(self, future: Future[T]) -> T:
        """Waits for what was begun; where the run must end meanwhile, the reading ends first."""
        began = time.monotonic()
        try:
            return self._result(future)
        finally:
            self.blocked += time.monotonic() - began

    def _result(self, future: Future[T]) -> T:
        while True:
            try:
                return future.result(LOOK_EVERY_SECONDS)
            except TimeoutError:
                if future.done():  # it was the work's own
                    raise
            try:
                self._look()
            except BaseException:
                self.submit(self._cancel_all()).result()  # nobody writes into a spool that is closed now
                raise

    async def _cancel_all(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        # Not `shutdown_default_executor`: it would wait for a thread that hangs in the network.
        self._loop.close()
        self._turnstile.close()
