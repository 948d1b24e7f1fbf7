"""A page of all parts, light and dark beside each other, for who works on them: only where it runs from a checkout."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse

from tidegate.reads.home import Day
from tidegate.rules.actor import Actor
from tidegate.ui.page import page, show
from tidegate.ui.picture import ICONS, SEVERITIES

CHECKOUT: Final = Path(__file__).parents[4] / "dev"
"""What a package that was installed does not have beside it."""

STATES: Final = (
    "on time", "late", "overdue", "recovering", "needs you", "Good", "Stale", "Missing", "New", "Ignored", "running",
    "pending", "success", "partial", "failed", "cancelled", "held", "paused",
)  # fmt: skip


@page
def styleguide(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """Every part once, with data that is made up."""
    if not CHECKOUT.is_file():
        raise Http404
    now = datetime.now(UTC)
    tones = ("good", "good", "warn", "good", "none", "bad")
    strip = [Day(day=date(2026, 5, 1), tone=tones[n % len(tones)], words=f"day {n}") for n in range(30)]
    context = {
        "now": now, "states": STATES, "icons": sorted(ICONS), "severities": [name for name, *_ in SEVERITIES],
        "by_severity": {"Critical": 2, "High": 11, "Medium": 34, "Low": 20, "Info": 8, "Unknown": 1}, "strip": strip,
        "grown": [4, 4, 6, 9, 8, 12, 11, 7], "schemes": ("light", "dark"), "earlier": now - timedelta(hours=5),
        "counts": {"created": 12, "updated": 3, "closed": 5}, "tones": ("", "success", "warning", "error"),
        "problems": ("bad", "", "new"),
    }  # fmt: skip
    return show(request, "styleguide/page.html", context)
