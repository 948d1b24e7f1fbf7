"""The only way to a vendor: asks what a Tool wants to know, hands over what came, and keeps the accounts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import httpx2

from .address import AddressPolicy
from .ask import Ask, Branch, Branches, Family, List, Page, SharedFamily, Skipped, Talk, Wait
from .branch import Listed
from .doors.bucket import BucketDoor
from .doors.folder import FolderDoor
from .doors.http import HttpDoor
from .errors import ConnectorError, VendorChanged
from .finding import Vep
from .limits import Limits
from .line import Line
from .listing import Listing
from .one_walk import Share, ShareListing
from .pace import Pace, Turnstile, no_log
from .proxy import DIRECT, Proxy
from .reading import Odd
from .redaction import Redactor
from .shared import SharedListing
from .steps import End, close, make, move
from .tool import Bucket, Door, Http, Tool

T = TypeVar("T")
F = TypeVar("F", Family, SharedFamily)
_LIMITS, _POLICY = Limits(), AddressPolicy()


class Session:
    """One run's way to one vendor. `async with tool.open() as session: …`; shared by the tasks of one event loop.

    `turnstile`: the pace of the vendor's host is shared with other Sessions through it; without one it is kept here.
    `proxy`: for doors that name none of their own; no proxy of the environment is used. A task that is cancelled ends
    at once, wherever it waits. Nothing leaves the Session with a secret in it: errors, log, odd rows and outcomes are
    scrubbed.
    """

    def __init__(
        self,
        tool: Tool[Any],
        *,
        limits: Limits = _LIMITS,
        policy: AddressPolicy = _POLICY,
        log: Callable[..., object] = no_log,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        transport: httpx2.AsyncBaseTransport | None = None,
        turnstile: Turnstile | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        self.tool, self.limits = tool, limits
        self._turnstile = turnstile
        self._policy, self._sleep, self._transport = policy, sleep, transport
        self._unscrubbed_log = log
        self._proxy = proxy
        self._redactor = Redactor((*tool.secrets(), *(proxy.secrets() if proxy else ())))
        self._line: Line | None = None

    async def __aenter__(self) -> Self:
        """Opens the door; nothing is asked yet. Raises ConnectorError where the Tool cannot name its door."""
        try:
            self._line = self._open(make(self.tool.door, self.tool.name))
        except ConnectorError as error:
            failure = self._redactor.error(error)
        else:
            return self
        raise failure

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.way.aclose()

    @property
    def seconds(self) -> dict[str, float]:
        """Where the time went, by the clock on the wall: tasks that wait at the same time are not added up.

        "vendor": at least one question was in flight (sent, and its answer not here to the last byte), or the vendor's
        own wish was honoured: Wait, Retry-After, back-off. "rate": nothing was in flight, and at least one question
        waited for its place in the rate, our own or the shared one. The rest of a run is neither: our own work, the
        database. So `vendor` grows where the tool is slow, `rate` where more questions a second would help, and the
        two never pass the run's duration together. To be read at any time, from any thread.
        """
        return self._opened.pace.stopwatch.seconds

    @property
    def calls(self) -> Counter[str]:
        """Answers by status ("200", "429"), repetitions and redirects included; "none" where none came.

        A folder has no statuses, so nothing is counted for it.
        """
        return self._opened.way.calls

    @property
    def requests(self) -> int:
        """Questions sent, with every repetition and redirect."""
        return self._opened.way.requests

    async def talk(self, talk: Talk[T]) -> T:
        """What a Talk returns. A failure is thrown into it first: it may know better (a 404 that means "no").

        Raises ConnectorError, scrubbed.
        """
        try:
            step = move(lambda: next(talk), self.tool.name)
            for _ in range(self.limits.questions):
                if isinstance(step, End):
                    return cast("T", step.value)
                step = await self._after(step, talk)
            raise VendorChanged(f"{self.tool.name} was asked {self.limits.questions:,} times without an end.")
        except ConnectorError as error:
            failure = self._redactor.error(error)
        finally:
            close(talk)
        raise failure

    def read(self, listing: List[T], *, off: frozenset[int] = frozenset(), keep_raw: bool = True) -> Listing[T]:
        """Reads one list. `off`: statuses that mean "not enabled here"; `keep_raw=False`: odd rows keep no raw form."""
        if isinstance(listing, Share):
            return ShareListing(self._opened, listing, off=off, keep_raw=keep_raw)
        return Listing(self._opened, listing, off=off, keep_raw=keep_raw)

    def read_shared(self, family: SharedFamily) -> SharedListing:
        """Reads a walk that serves many VEPs: batches of (VEP, Finding | Odd | Skip). See Housed."""
        return SharedListing(self._opened, family)

    async def families(
        self, vep: Vep, *, listed: Callable[[Listed], object] | None = None
    ) -> AsyncGenerator[Family | Skipped]:
        """The Families of one VEP as the Tool names them, failures thrown into it first as into a Talk.

        `listed` is told of the list of branches, where the Tool asks for it. Raises ConnectorError, scrubbed.
        """
        async with aclosing(self._named(lambda: self.tool.families(vep), Family, listed)) as named:
            async for family in named:
                yield family

    async def shared(self, veps: Sequence[Vep]) -> AsyncGenerator[SharedFamily | Skipped]:
        """The Families that serve many of these VEPs in one walk each, as families(); none where there is no VEP.

        Each is read by read_shared(). covered() tells which VEPs it serves.
        """
        if veps:
            async with aclosing(self._named(lambda: self.tool.shared(veps), SharedFamily)) as named:
                async for family in named:
                    yield family

    def covered(self, family: SharedFamily | Skipped, veps: Sequence[Vep]) -> list[Vep]:
        """Those of the VEPs that a shared Family serves, or that it is skipped for.

        Raises ConnectorError, scrubbed, where the Tool cannot tell.
        """
        try:
            return make(lambda: [vep for vep in veps if family.covers(vep)], self.tool.name)
        except ConnectorError as error:
            failure = self._redactor.error(error)
        raise failure

    async def branches(self, asked: Branches) -> Listed:
        """Reads a list of branches; its failure is in the outcome, as of every list."""
        rows: list[Branch | Odd] = []
        reading = self.read(asked.list)
        async for batch in reading:
            rows += batch
        return Listed(asked, tuple(rows), reading.outcome)

    async def _named(
        self,
        begin: Callable[[], Generator[Any, Any, None]],
        kind: type[F],
        listed: Callable[[Listed], object] | None = None,
    ) -> AsyncGenerator[F | Skipped]:
        """What a Tool's generator names; it may ask on the way."""
        talk: Generator[Any, Any, None] | None = None
        try:
            talk = make(begin, self.tool.name)
            step = move(lambda: next(talk), self.tool.name)
            for _ in range(self.limits.pages):
                if isinstance(step, End):
                    return
                if isinstance(step, (kind, Skipped)):
                    yield self._scrubbed(step) if isinstance(step, Skipped) else step
                    step = move(lambda: talk.send(Page()), self.tool.name)
                elif kind is Family and isinstance(step, Branches) and self.tool.has_branches:
                    step = await self._after_branches(step, talk, listed)
                else:
                    step = await self._after(cast("Ask | Wait", step), talk)
            raise VendorChanged(f"{self.tool.name} names Families without an end.")
        except ConnectorError as error:
            failure = self._redactor.error(error)
        finally:
            if talk is not None:
                close(talk)
        raise failure

    def _open(self, door: Door) -> Line:
        pace = Pace(self.limits, self._sleep, self._turnstile, self._log)
        if isinstance(door, Http):
            way = self._open_http(door, pace)
        elif isinstance(door, Bucket):
            way = BucketDoor(self._open_http(door.http, pace), door.prefix, limits=self.limits)
        else:
            way = FolderDoor(door.root, limits=self.limits, log=self._log, stopwatch=pace.stopwatch)
        return Line(way, pace, self.limits, self._redactor)

    def _open_http(self, door: Http, pace: Pace) -> HttpDoor:
        pace.bound(door.per_second)
        return HttpDoor(
            door,
            limits=self.limits,
            policy=self._policy,
            pace=pace,
            redactor=self._redactor,
            log=self._log,
            refusal=self._refusal,
            transport=self._transport,
            proxy=self._proxy_of(door),
        )

    def _proxy_of(self, door: Http) -> Proxy | None:
        return door.proxy if isinstance(door.proxy, Proxy) else None if door.proxy == DIRECT else self._proxy

    async def _after(self, step: Ask | Wait, talk: Generator[Any, Page, Any]) -> Any:
        """The step that follows the answer to this one, or its failure."""
        where = step.path or "the location" if isinstance(step, Ask) else self.tool.name
        try:
            page = await self._opened.page(step)
        except ConnectorError as error:
            failure = self._redactor.error(error)
        else:
            return move(lambda: talk.send(page), where)
        return move(lambda: talk.throw(failure), where)

    async def _after_branches(
        self, asked: Branches, talk: Generator[Any, Any, Any], listed: Callable[[Listed], object] | None
    ) -> Any:
        """The step that follows a list of branches, or its failure."""
        found = await self.branches(asked)
        if (failure := found.outcome.error) is not None:
            return move(lambda: talk.throw(failure), self.tool.name)
        if listed is not None:
            listed(found)
        return move(lambda: talk.send(found.branches), self.tool.name)

    def _refusal(self, body: Any) -> ConnectorError | None:
        return make(lambda: self.tool.refusal(body), self.tool.name)

    def _scrubbed(self, skipped: Skipped) -> Skipped:
        return replace(skipped, because=self._redactor.text(skipped.because))

    def _log(self, event: str, **facts: object) -> None:
        self._unscrubbed_log(event, **{name: self._redactor.fact(fact) for name, fact in facts.items()})

    @property
    def _opened(self) -> Line:
        if self._line is None:
            raise RuntimeError("Open the Session first: async with tool.open() as session.")
        return self._line
