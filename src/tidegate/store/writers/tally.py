"""What came through each Connection is kept as rows that only come; this makes few of many."""

from __future__ import annotations

from tidegate.store.statement import run


def add_up_tallies() -> int:
    """In the caller's transaction; returns how many rows it made."""
    return run("tally_add_up")
