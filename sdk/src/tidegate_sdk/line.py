"""What a Session and its readings share: the open door, its pace, its limits, and what scrubs."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from .ask import Ask, Page, Row, Wait
from .doors import Stream, Way
from .errors import ConnectorError, VendorChanged, VendorDown
from .limits import Limits
from .pace import Pace
from .redaction import Redactor
from .steps import brief, question

_THREAD_ENDS = 0.5  # seconds that a cancelled reader gets to hand over its rows


@dataclass(slots=True)
class Line:
    """An open line to a vendor. Its errors are not scrubbed yet."""

    way: Way
    pace: Pace
    limits: Limits
    redactor: Redactor

    async def rest(self, wait: Wait) -> Page:
        """Honours a Wait; nobody is made to wait longer than the limit says."""
        seconds = cast("object", wait.seconds)
        if not isinstance(seconds, int | float) or (isinstance(seconds, float) and math.isnan(seconds)):
            raise VendorChanged(f"The connector waits for {type(seconds).__name__} where seconds are due.")
        await self.pace.rest(min(seconds, self.limits.longest_wait))
        return Page()

    async def page(self, step: Ask | Wait) -> Page:
        """The answer to one step of a talk. A reader gives it at most one batch of rows."""
        if isinstance(step, Wait):
            return await self.rest(step)
        answer = await self.way.ask(question(step))
        if answer.stream is None:
            return Page(answer.body, headers=answer.headers)
        try:
            with Pump(step.path, answer.stream, self.limits.batch) as pump:
                rows = await pump.pull()
                if await pump.pull():
                    raise VendorChanged(f"{step.path} has more than {self.limits.batch:,} rows, too many for a talk.")
        finally:
            answer.stream.close()
        return Page(None, tuple(Row(row) for row in rows), len(rows), answer.headers)


class Pump:
    """Pulls the rows of a body on disk in batches, each in a thread, so that the event loop lives."""

    def __init__(self, path: str, stream: Stream, batch: int) -> None:
        self._path, self._stream, self._batch = path, stream, batch
        self._rows: Iterator[Any] | None = None
        self._given_up = False

    def __enter__(self) -> Pump:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._given_up and (end := getattr(self._rows, "close", None)) is not None:
            end()

    async def pull(self) -> list[Any]:
        """The next rows, none at the end; raises Incomplete where the file changed meanwhile."""
        thread = asyncio.ensure_future(asyncio.to_thread(self._pull))
        try:
            rows = await asyncio.shield(thread)
        except asyncio.CancelledError:
            await self._give_up(thread)
            raise
        self._stream.check()
        return rows

    async def _give_up(self, thread: asyncio.Future[list[Any]]) -> None:
        """A thread cannot be cancelled. It ends with its batch, or else at its next look at the file, which is closed.

        Closing is safe under a reader: a buffered file does it between two reads, never during one.
        """
        thread.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody else asks for it
        self._given_up = True
        try:
            ended, _ = await asyncio.wait([thread], timeout=_THREAD_ENDS)
            self._given_up = not ended
        finally:
            if self._given_up:
                thread.cancel()
                self._stream.close()

    def _pull(self) -> list[Any]:
        try:
            if self._rows is None:
                self._rows = iter(self._stream.rows())
            return list(islice(self._rows, self._batch))
        except ConnectorError:
            raise
        except OSError as error:
            raise VendorDown(f"{self._path} cannot be read: {error.strerror or error}.") from None
        except Exception as error:  # noqa: BLE001 - see steps.move(): a reader is a connector's code too
            raise VendorChanged(f"{self._path} could not be read ({brief(error)}).") from None
