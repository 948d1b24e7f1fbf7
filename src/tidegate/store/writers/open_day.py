"""Open findings by Record and day, kept small for charts: a row only where a number changed."""

from __future__ import annotations

from datetime import date

from tidegate.store.statement import run


def note_open(day: date) -> int:
    """Notes how many findings are open now as the end of this day; gives how many Records that changed for.

    Call it as often as you like: the last call of a day counts, and one that changes nothing writes nothing.
    """
    return run("note_open", day=day)
