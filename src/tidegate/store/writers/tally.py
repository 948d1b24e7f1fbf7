"""What came through each Connection, in which states its Records are, and what each Product holds: kept as rows that
only come, of which many become few."""

from __future__ import annotations

from tidegate.store.statement import run


def add_up_tallies() -> int:
    """In the caller's transaction; returns how many rows it made."""
    return run("tally_add_up") + run("tally_add_up_products") + run("tally_add_up_records")
