"""How much at once, and how much a minute: pure values that the client asks before it sends and tells afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Self

_BURST_SECONDS: Final = 5.0
"""So much of a minute's budget may go at once after a pause."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows a page, or findings a batch, holds: so many that the server takes `seconds` for it, about.

    A new one after each answer. Grows by half at most, so that one quick answer does not overdo it; shrinks at once.
    """

    now: int = 200
    least: int = 25
    most: int = 1_000
    seconds: float = 3.0

    def after(self, rows: int, took: float) -> Self:
        """The size after an answer of so many rows in so many seconds. A short last page says little, so it only
        shrinks the size if it was slow."""
        if took <= 0 or rows <= 0:
            return self
        wanted = int(rows * self.seconds / took)
        grown = min(wanted, self.now + max(1, self.now // 2)) if rows >= self.now else self.now
        return self._of(wanted if took > self.seconds else max(self.now, grown))

    def after_failure(self) -> Self:
        """The size after no answer in time, or one that it was too much."""
        return self._of(self.now // 4)

    def _of(self, rows: int) -> Self:
        return replace(self, now=max(self.least, min(self.most, rows)))


PAGE: Final = Size()
BATCH: Final = Size(now=100, least=10, most=500, seconds=10.0)


class Budget:
    """So many writes a minute, evenly: after a pause a few at once, else one after the other.

    `clock` gives seconds that only go forward.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float]) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._gap = 60 / per_minute
        self._next = clock() - _BURST_SECONDS

    def take(self) -> float:
        """Takes the place of one write; the seconds to wait until it comes."""
        now = self._clock()
        place = max(self._next, now - _BURST_SECONDS)
        self._next = place + self._gap
        return max(0.0, place - now)
