"""When the next question may go out: the rate of the Connection, what the vendor asks for, back-off and its budget.

Not stamina: its waits cannot be injected, counted or shared between the questions of one Session, and a process-wide
switch turns it off.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable

from .limits import Limits

_SLOWEST = 30.0  # seconds between two questions, however often the vendor says 429
_ONE_BURST = 1.0


class Pace:
    """The patience of one Session. All its questions share it, so one 429 slows all of them."""

    def __init__(self, limits: Limits, sleep: Callable[[float], Awaitable[object]]) -> None:
        self.waited = 0.0
        self._usual_gap = self._gap = 0.0
        self._limits = limits
        self._sleep = sleep
        self._budget = limits.retries
        self._ahead, self._holds = 0.0, 0
        self._next = self._slow_again = 0.0

    def bound(self, per_second: float) -> None:
        """No more questions a second than this."""
        self._usual_gap = self._gap = 1 / per_second if per_second > 0 else 0.0

    async def turn(self) -> None:
        """Waits until one more question may go; whoever waits while a hold begins queues again behind it."""
        while True:
            holds, now = self._holds, self._now()
            at = max(now, self._next)
            self._next = at + self._gap
            await self.rest(at - now)
            if holds == self._holds:
                return

    async def rest(self, seconds: float) -> None:
        """Sleeps. Where the injected sleep returns at once, the clock of this Session goes ahead instead."""
        if seconds <= 0:
            return
        before = time.monotonic()
        await self._sleep(seconds)
        self._ahead += max(0.0, seconds - (time.monotonic() - before))
        self.waited += seconds

    def hold(self, seconds: float) -> None:
        """Nothing goes out for so long."""
        self._holds += 1
        self._next = max(self._next, self._now() + seconds)

    def slow_down(self) -> None:
        """Halves the rate: the vendor says that there are too many questions. Those in flight say it only once."""
        if self._now() < self._slow_again:
            return
        self._slow_again = self._now() + _ONE_BURST
        self._gap = min(max(self._gap * 2, 0.1), max(_SLOWEST, self._usual_gap))

    def answered(self) -> None:
        """The vendor answered: the rate comes back a little, and so does the budget."""
        self._gap = max(self._usual_gap, self._gap * 0.95)
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

    def _now(self) -> float:
        return time.monotonic() + self._ahead
