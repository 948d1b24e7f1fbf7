"""The vendor's side of one Operation: an event loop in a thread of its own, where the database never waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar

from tidegate.config import load_settings
from tidegate_sdk import AddressPolicy, Tool
from tidegate_sdk.session import Session

T = TypeVar("T")


def address_policy() -> AddressPolicy:
    """What of the network this service lets its Tools call: a location is what a person entered."""
    return AddressPolicy(load_settings().private_networks)


class Vendor:
    """One Session, open while this is. `log` is called in the loop's thread."""

    def __init__(self, tool: Tool[Any], log: Callable[..., None], **session: Any) -> None:
        self.tool = tool
        self._options = {"log": log, "policy": address_policy(), **session}
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
            self.call(self._cancel_all())
            self.call(self.session.__aexit__(None, None, None))
        finally:
            self._stop()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begins to read; the result comes when it comes."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Reads and waits for the result."""
        return self.submit(work).result()

    async def _cancel_all(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()
