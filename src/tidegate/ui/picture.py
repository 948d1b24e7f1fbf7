"""Pictures that pages draw into themselves: icons of our own hand, strips, days, lines; with their words beside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from markupsafe import Markup, escape

from tidegate.reads.home import Day
from tidegate.ui.words import machine, moment, relative

# Lines on a grid of 16, drawn with the width of the text beside them.
ICONS: Final[Mapping[str, str]] = {
    "add": "M8 3v10M3 8h10",
    "arrow": "M3 8h10M9 4l4 4-4 4",
    "check": "M3 8.5 6.5 12l6.5-7.5",
    "close": "M4 4l8 8M12 4l-8 8",
    "connection": "M6.5 9.5 9.5 6.5M7 4.5l1.5-1.5a3 3 0 0 1 4.5 4.5L11.5 9M9 11.5 7.5 13A3 3 0 0 1 3 8.5L4.5 7",
    "delete": "M3 4.5h10M6 4.5V3h4v1.5M4.5 4.5 5 13h6l.5-8.5M7 7v4M9 7v4",
    "discover": "M8 7.9v.2M5 11a4.2 4.2 0 0 1 0-6M11 5a4.2 4.2 0 0 1 0 6M2.8 13.2a7.3 7.3 0 0 1 0-10.4M13.2 2.8a7.3 7.3 0 0 1 0 10.4",  # noqa: E501 - one line of a drawing
    "down": "M4 6l4 4 4-4",
    "download": "M8 3v7M5 7.5 8 10.5l3-3M3 13h10",
    "edit": "M3 13l.8-3L11 2.8 13.2 5 6 12.2z",
    "filter": "M2.5 4h11M4.5 8h7M6.5 12h3",
    "held": "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8M6.4 6v4M9.6 6v4",
    "ignore": "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M3.8 12.2l8.4-8.4",
    "key": "M9.5 6.5 14 2M12 4l1.5 1.5M6 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7",
    "lock": "M4 7.5h8V13H4zM5.5 7.5V5.5a2.5 2.5 0 0 1 5 0v2",
    "missing": "M8 2.2a5.8 5.8 0 0 1 2.6.6M12.7 4.6A5.8 5.8 0 0 1 13.8 8M13.2 10.7a5.8 5.8 0 0 1-2.4 2.4M8 13.8a5.8 5.8 0 0 1-2.6-.6M3.3 11.4A5.8 5.8 0 0 1 2.2 8M2.8 5.3a5.8 5.8 0 0 1 2.4-2.4",  # noqa: E501 - one line of a drawing
    "more": "M3.5 8v.1M8 8v.1M12.5 8v.1",
    "new": "M8 5.4a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2",
    "out": "M6 3H3v10h10v-3M9 3h4v4M13 3 7.5 8.5",
    "pause": "M5.5 3.5v9M10.5 3.5v9",
    "play": "M5 3.2v9.6L12.5 8z",
    "search": "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.4 10.4 13.5 13.5",
    "sync": "M2.5 8a5.5 5.5 0 0 1 9.6-3.7L13.5 5.6M13.5 8a5.5 5.5 0 0 1-9.6 3.7L2.5 10.4M13.5 2.5v3.1h-3.1M2.5 13.5v-3.1h3.1",  # noqa: E501 - one line of a drawing
    "undo": "M5.5 3 2.5 6l3 3M2.5 6h6.8a3.7 3.7 0 0 1 0 7.4H6",
    "up": "M4 10l4-4 4 4",
    "user": "M8 2.5a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4M3 13.5a5 5 0 0 1 10 0",
    "warn": "M8 2.2 14.2 13H1.8zM8 6.5v3M8 11.4v.1",
}
SEVERITIES: Final = (
    ("Critical", "C", "c"), ("High", "H", "h"), ("Medium", "M", "m"), ("Low", "L", "l"), ("Info", "I", "i"),
    ("Unknown", "U", "u"),
)  # fmt: skip
STRIP_WIDTH: Final = 104
DAY_WIDTH: Final = 7
BAR: Final = 'y="0" height="20"'
NO_BAR: Final = 'y="15" height="5"'


DRAWN: Final[Mapping[str, Markup]] = {
    name: Markup('<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="{}"/></svg>').format(lines)
    for name, lines in ICONS.items()
}


def icon(name: str) -> Markup:
    """One of our icons; nobody reads it aloud, since its word stands beside it."""
    return DRAWN[name]


def time(at: datetime, now: datetime) -> Markup:
    """How long ago, or how soon; the whole time for whoever points at it."""
    said = f'<time datetime="{machine(at)}" title="{moment(at)}">{relative(at, now)}</time>'
    return Markup(said)  # noqa: S704 - made of numbers and words of ours


def severity(by_severity: Mapping[str, int]) -> Markup:
    """Open findings by severity: a strip, and the letters with their numbers; in words for who hears it."""
    known = {name.lower(): int(number) for name, number in by_severity.items()}
    there = [
        (name, letter, tone, number)
        for name, letter, tone in SEVERITIES
        if (number := known.get(name.lower(), 0))
    ]  # fmt: skip
    total = sum(number for *_, number in there)
    at, strip, letters = 0.0, "", ""
    for _, letter, tone, number in there:
        width = STRIP_WIDTH * number / total
        strip += f'<rect class="{tone}" x="{at:.2f}" width="{width:.2f}" height="8"/>'
        at += width
        letters += f'<b class="{tone}">{letter} {number:,}</b>' if tone in "ch" else f"<span>{letter} {number:,}</span>"
    words = ", ".join(f"{number:,} {name.lower()}" for name, _, _, number in there) or "none open"
    drawn = (
        f'<span class="severity"><svg class="strip" width="{STRIP_WIDTH}" height="8" viewBox="0 0 {STRIP_WIDTH} 8" '
        f'role="img" aria-label="{words}">{strip}</svg>'
        f'<span class="words" aria-hidden="true">{letters or "<span>none open</span>"}</span></span>'
    )
    return Markup(drawn)  # noqa: S704 - made of numbers and words of ours


def days(strip: Iterable[Day]) -> Markup:
    """A bar a day, the oldest first."""
    bars = [(n * DAY_WIDTH, day.tone, day.words) for n, day in enumerate(strip)]
    drawn = "".join(
        f'<rect class="{tone}" x="{x}" {NO_BAR if tone == "none" else BAR} width="5" rx="1.5">'
        f"<title>{escape(words)}</title></rect>"
        for x, tone, words in bars
    )
    worst = sum(1 for _, tone, _ in bars if tone == "bad")
    width = max(1, len(bars) * DAY_WIDTH - 2)
    return Markup(  # noqa: S704 - what others wrote is escaped above
        f'<svg class="days" width="{width}" height="20" viewBox="0 0 {width} 20" role="img" '
        f'aria-label="{len(bars)} days, {worst} of them with a failure">{drawn}</svg>'
    )


def spark(values: Sequence[float], label: str = "") -> Markup:
    """How a number went, as a line of 66 by 20, which may be drawn out to any size."""
    if len(values) < 2:
        return Markup()
    low, high = min(values), max(values)
    step, scale = 64 / (len(values) - 1), 16 / ((high - low) or 1)
    points = " ".join(f"{n * step:.1f},{18 - (value - low) * scale:.1f}" for n, value in enumerate(values))
    said = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return Markup(  # noqa: S704 - what others wrote is escaped above
        f'<svg class="spark" width="66" height="20" viewBox="0 0 66 20" preserveAspectRatio="none" {said}>'
        f'<polygon points="0,20 {points} 64,20"/><polyline points="{points}"/></svg>'
    )
