"""Whom a Session waits for: the wall-clock seconds that are the vendor's, and those that its own rate costs."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Literal

Whom = Literal["vendor", "rate"]


class Stopwatch:
    """Runs on one clock for all tasks of a Session: what they wait at the same time counts once.

    A second is the *vendor's* while at least one question is in flight, or while everybody who wants to ask waits as
    the vendor wishes: Wait, Retry-After, back-off. It is the *rate's* while nothing is in flight and at least one
    question waits for its place. So the vendor has the benefit of no doubt: where both are true, a faster rate would
    hardly help. All other seconds are our own: decoding, the database, nobody asking.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._since, self._held_until = now(), 0.0
        self._waiting: dict[Whom, int] = {"vendor": 0, "rate": 0}
        self._booked: dict[Whom, float] = {"vendor": 0.0, "rate": 0.0}

    @property
    def seconds(self) -> dict[str, float]:
        """What was waited for so far; may be read from any thread."""
        now = self._now()
        return {whom: booked + self._unbooked(whom, now) for whom, booked in self._booked.items()}

    @contextmanager
    def waiting_for(self, whom: Whom) -> Generator[None]:
        """Somebody waits as long as this is open."""
        self._book()
        self._waiting[whom] += 1
        try:
            yield
        finally:
            self._book()
            self._waiting[whom] -= 1

    def held(self, until: float) -> None:
        """The vendor wants no question before; whoever waits for a place until then waits for the vendor."""
        self._book()
        self._held_until = max(self._held_until, until)

    def _book(self) -> None:
        now = self._now()
        for whom in self._booked:
            self._booked[whom] += self._unbooked(whom, now)
        self._since = now

    def _unbooked(self, whom: Whom, now: float) -> float:
        """What the time since the last change adds."""
        passed = max(0.0, now - self._since)
        if self._waiting["vendor"]:
            return passed if whom == "vendor" else 0.0
        if not self._waiting["rate"]:
            return 0.0
        held = max(0.0, min(now, self._held_until) - self._since)
        return held if whom == "vendor" else passed - held
