"""How far an Operation is, in words: findings read, how fast, and how long it may take yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE


def progress_in_words(progress: Mapping[str, Any]) -> str:
    """What stands beside the bar: "3,612 findings, 240 a second, about 2 minutes left"; "" where nothing is known."""
    said: list[str] = []
    if seen := progress.get("seen"):
        said.append(f"{seen:,} finding{'' if seen == 1 else 's'}")
        if (rate := progress.get("rate", 0)) >= 1:
            said.append(f"{rate:,.0f} a second")
    if progress.get("left"):
        said.append(left_in_words(progress["left"]))
    return ", ".join(said)


def left_in_words(seconds: float) -> str:
    """A time that is left, as rough as it is known."""
    if seconds < MINUTE:
        return "less than a minute left"
    number, word = (seconds / HOUR, "hour") if seconds >= 2 * HOUR else (seconds / MINUTE, "minute")
    rounded = round(number)
    return f"about {rounded} {word}{'' if rounded == 1 else 's'} left"
