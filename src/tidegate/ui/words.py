"""Values as a page says them: times, and a count of things with its noun."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django import template

register = template.Library()

# What a state of a Connection or an Operation feels like: its word is always said beside the colour.
TONES = {
    "good": ("on time", "success"),
    "bad": ("needs you", "overdue", "failed"),
    "warn": ("recovering", "late", "partial"),
    "new": ("running", "pending", "never ran"),
}
STEPS = ((timedelta(days=2), timedelta(days=1), "days"), (timedelta(hours=2), timedelta(hours=1), "hours"))


@register.filter
def moment(at: datetime | None) -> str:
    """The whole time."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


@register.filter
def machine(at: datetime) -> str:
    """The time for a program."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


@register.filter
def relative(at: datetime, now: datetime) -> str:
    """How long ago, or how soon, in the largest unit of which there are two."""
    away = abs(now - at)
    said = next((f"{away // unit} {name}" for least, unit, name in STEPS if away >= least), "")
    minutes = away // timedelta(minutes=1)
    said = said or ("now" if not minutes else f"{minutes} min")
    if said == "now":
        return said
    return f"in {said}" if at > now else f"{said} ago"


@register.filter
def tone(state: str) -> str:
    """Which of the tones of states.css a state has."""
    return next((name for name, states in TONES.items() if state in states), "quiet")


@register.filter
def several(number: int, noun: str) -> str:
    """ "1 worker", "2 workers" """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
