"""When the next question may go out: the rate of the host, what the vendor asks for, back-off and its budget.

Not stamina: its waits cannot be injected, counted or shared between the questions of one Session, and a process-wide
switch turns it off.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from .limits import Limits
from .stopwatch import Stopwatch

T = TypeVar("T")
_SLOWEST = 30.0  # seconds between two questions, however often the vendor says 429
_ONE_BURST = 1.0
_NO_GAP = 0.001  # a rate that has come back so far has come back
_GLANCE = 1.0  # seconds between two looks for holds, where no rate is declared and so no place is taken
_TURNSTILE_ANSWERS = 5.0  # seconds; one that takes longer is out of order
_TURNSTILE_MENDED = 10.0  # seconds until it is tried again


def no_log(event: str, **facts: object) -> None:
    """Where nobody listens."""


class Turnstile(Protocol):
    """A pace that Sessions share, over processes and machines: one for each host, given as `name:port`."""

    async def turn(self, host: str, gap: float) -> float:
        """Takes the next place for a question to the host, with so many seconds behind it; gives the wait for it.

        With a gap of 0 it is only a look: how long is it until the next free place.
        """
        ...

    async def hold(self, host: str, seconds: float) -> None:
        """Nobody's next place at the host is earlier than in so many seconds."""
        ...


class Pace:
    """The patience of one Session. All its questions share it, so one 429 slows all of them.

    With a turnstile the places come from there, one at a time, so that a Session never has more than one question
    ahead of a hold that another one says. Where no rate is declared, holds are looked for once a second.
    """

    def __init__(
        self,
        limits: Limits,
        sleep: Callable[[float], Awaitable[object]],
        turnstile: Turnstile | None = None,
        log: Callable[..., object] = no_log,
    ) -> None:
        self._usual_gap = self._gap = 0.0
        self._limits, self._sleep, self._turnstile, self._log = limits, sleep, turnstile, log
        self._budget = limits.retries
        self._ahead, self._holds = 0.0, 0
        self._next = self._slow_again = self._held_until = 0.0
        self._queue = asyncio.Lock()
        self._glances: dict[str, float] = {}
        self._turnstile_from, self._told = 0.0, False
        self.stopwatch = Stopwatch(self._now)

    def bound(self, per_second: float) -> None:
        """No more questions a second than this."""
        self._usual_gap = self._gap = 1 / per_second if per_second > 0 else 0.0

    async def turn(self, host: str) -> None:
        """Waits until one more question may go there; whoever waits while a hold begins queues again behind it."""
        with self.stopwatch.waiting_for("rate"):
            while True:
                holds = self._holds
                if self._turnstile is None:
                    await self._nap(self._own_place())
                else:
                    async with self._queue:
                        await self._nap(await self._shared_place(host))
                if holds == self._holds:
                    return

    async def rest(self, seconds: float) -> None:
        """Waits for the vendor."""
        with self.stopwatch.waiting_for("vendor"):
            await self._nap(seconds)

    async def hold(self, host: str, seconds: float) -> None:
        """Nothing goes out for so long, and nothing of anybody else goes to this host."""
        until = self._now() + seconds
        self._holds += 1
        self._next, self._held_until = max(self._next, until), max(self._held_until, until)
        self.stopwatch.held(until)
        await self._shared(lambda turnstile: turnstile.hold(host, seconds))

    def slow_down(self) -> None:
        """Halves the rate: the vendor says that there are too many questions. Those in flight say it only once."""
        if self._now() < self._slow_again:
            return
        self._slow_again = self._now() + _ONE_BURST
        self._gap = min(max(self._gap * 2, 0.1), max(_SLOWEST, self._usual_gap))

    def answered(self) -> None:
        """The vendor answered: the rate comes back a little, and so does the budget."""
        gap = self._gap * 0.95
        self._gap = gap if gap > self._usual_gap + _NO_GAP else self._usual_gap
        self._budget = min(self._limits.retries, self._budget + 0.1)

    def spend(self) -> bool:
        """Takes one repetition from the budget; False when it is used up."""
        if self._budget < 1:
            return False
        self._budget -= 1
        return True

    def back_off(self, attempt: int) -> float:
        """Seconds before the next try: doubling, with jitter, so that many Sessions do not come back together."""
        longest = min(self._limits.longest_back_off, self._limits.back_off * 2 ** (attempt - 1))
        return longest * random.uniform(0.5, 1)  # noqa: S311 - not a secret

    def _own_place(self) -> float:
        """Takes the next place of this Session alone; gives the seconds until then."""
        now = self._now()
        at = max(now, self._next)
        self._next = at + self._gap
        return at - now

    async def _shared_place(self, host: str) -> float:
        """Takes the next place of all Sessions; of this one alone where there is no rate to share, or no turnstile."""
        gap = self._gap
        if not gap and self._now() < self._glances.get(host, 0.0):
            return self._own_place()
        wait = await self._shared(lambda turnstile: turnstile.turn(host, gap))
        now = self._now()
        self._glances[host] = now + _GLANCE
        if wait is None:
            return self._own_place()
        at = max(now + wait, self._held_until)
        self._next = at + gap  # whence it goes on if the turnstile gets out of order
        return max(0.0, at - now)

    async def _shared(self, ask: Callable[[Turnstile], Awaitable[T]]) -> T | None:
        """What the turnstile answers; None without one, and while it is out of order: then the own pace must do."""
        if self._turnstile is None or time.monotonic() < self._turnstile_from:
            return None
        try:
            async with asyncio.timeout(_TURNSTILE_ANSWERS):
                return await ask(self._turnstile)
        except Exception as error:  # noqa: BLE001 - whatever it is made of: a pace that cannot be shared costs no run
            self._turnstile_from = time.monotonic() + _TURNSTILE_MENDED
            if not self._told:
                self._told = True
                self._log("pace.alone", level="warning", note=_ALONE, reason=type(error).__name__)
            return None

    async def _nap(self, seconds: float) -> None:
        """Sleeps. Where the injected sleep returns at once, the clock of this Session goes ahead instead."""
        if seconds <= 0:
            return
        before = time.monotonic()
        await self._sleep(seconds)
        self._ahead += max(0.0, seconds - (time.monotonic() - before))

    def _now(self) -> float:
        return time.monotonic() + self._ahead


_ALONE = (
    "The pace that all workers share cannot be asked: this one keeps the rate by itself, and tries again every"
    f" {_TURNSTILE_MENDED:.0f} seconds."
)
