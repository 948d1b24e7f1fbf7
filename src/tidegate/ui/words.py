"""Values as a page says them: times, and a count of things with its noun."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

# What a state of a Connection or an Operation feels like: its word is always said beside the colour.
TONES = {
    "good": ("on time", "success", "good", "complete"),
    "bad": ("needs you", "overdue", "failed", "stale", "missing"),
    "warn": ("recovering", "late", "partial", "held", "failing", "incomplete", "nothing visible"),
    "new": ("running", "pending", "never ran", "new"),
}
# The shape that says the same for who does not tell colours apart.
SHAPES = {
    "good": "check", "bad": "warn", "warn": "warn", "new": "new", "quiet": "ignore",
    "held": "held", "missing": "missing", "running": "sync", "recovering": "sync",
    "pending": "pause", "paused": "pause",
}  # fmt: skip
STEPS = ((timedelta(days=2), timedelta(days=1), "days"), (timedelta(hours=2), timedelta(hours=1), "hours"))


def moment(at: datetime | None) -> str:
    """The whole time."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def day(of: date) -> str:
    """5 May 2026, of a time or a day."""
    return f"{of.day} {of:%B} {of.year}"


def clock(at: datetime) -> str:
    """The time of a day, to the second."""
    return at.astimezone(UTC).strftime("%H:%M:%S")


def machine(at: datetime) -> str:
    """The time for a program."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def relative(at: datetime, now: datetime) -> str:
    """How long ago, or how soon, in the largest unit of which there are two."""
    away = abs(now - at)
    said = next((f"{away // unit} {name}" for least, unit, name in STEPS if away >= least), "")
    minutes = away // timedelta(minutes=1)
    said = said or ("now" if not minutes else f"{minutes} min")
    if said == "now":
        return said
    return f"in {said}" if at > now else f"{said} ago"


def tone(state: str) -> str:
    """Which of the tones of states.css a state has."""
    return next((name for name, states in TONES.items() if state.lower() in states), "quiet")


def shape(state: str) -> str:
    """The icon beside a state's word."""
    return SHAPES.get(state.lower()) or SHAPES[tone(state)]


def several(number: int, noun: str) -> str:
    """ "1 worker", "2 workers" """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def thousands(number: int) -> str:
    """1,204"""
    return f"{number:,}"


def took(seconds: float | None) -> str:
    """A duration in the two largest units that say something: `3 min 08 s`, `4 s`, `0.2 s`."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def words(name: str) -> str:
    """A name of the program as people write it: `kept_open` is "kept open"."""
    return name.replace("_", " ")


def of(mapping: Mapping[str, Any], name: str) -> Any:
    """What the mapping has under this name; None where nothing."""
    return mapping.get(name)


def plain(value: Any) -> str:
    """A value of the tool as text: lists with commas, yes and no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def initials(name: str) -> str:
    """Two letters for a tool's mark: of its first two words, or its first two capitals."""
    words = re.findall(r"[^\W_]+", name)
    capitals = [letter for letter in name if letter.isupper()]
    found = [word[0] for word in words[:2]] if len(words) > 1 else capitals[:2] or list(name[:1])
    return "".join(found).upper()


SPENT_ON = {
    "queue": "Waiting for its turn",
    "vendor": "Waiting for the tool",
    "rate": "Waiting for the rate it allows",
    "database": "In the database",
    "work": "Our own work",
}


def spent_on(name: str) -> str:
    """What time was spent on, for people."""
    return SPENT_ON.get(name, name)
