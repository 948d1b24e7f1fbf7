"""When a failed Operation is tried again before its next planned run: soon, then ever more seldom, never in step."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final

from tidegate.rules.cause import needs_you

STEPS: Final = (timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))
"""After the first failure, the second, …; the last step is repeated until something planned comes first."""

JITTER: Final = 0.2
"""Later by up to this part of the step: a vendor that comes back is not met by a hundred Connections at once."""


def next_try(cause: str, retries: int, now: datetime, key: str, next_planned: datetime | None) -> datetime | None:
    """When to try again after a failure of this cause, the `retries`th after the first; None: not before it is planned.

    None for a cause that waits for a person, and where nothing is planned: whoever runs it by hand sees how it ends.
    `key` tells Connection and type apart; the same failure gets the same time wherever it is asked.
    """
    if next_planned is None or needs_you(cause):
        return None
    step = STEPS[min(max(retries, 0), len(STEPS) - 1)]
    at = now + step + step * (JITTER * _fraction(f"{key} {retries}"))
    return at if at < next_planned else None


def _fraction(text: str) -> float:
    """Between 0 and 1, the same for the same text on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64
