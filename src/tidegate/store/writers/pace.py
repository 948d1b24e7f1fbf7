"""When the next question may go to a host, whichever worker asks it.

Each is one statement, so the caller needs no transaction: a host's row must be free again at once.
"""

from __future__ import annotations

from datetime import datetime

from tidegate.store.statement import rows_of, run


def take_turn(host: str, gap: float) -> float:
    """Takes the next place for a question, with a gap behind it; gives the seconds until then. A gap of 0 is a look."""
    return rows_of("take_turn", host=host, gap=gap)[0]["wait"]


def hold_host(host: str, seconds: float) -> None:
    """Nobody's next place is earlier than in so many seconds."""
    run("hold_host", host=host, seconds=seconds)


def forget_hosts(now: datetime) -> int:
    """Forgets the hosts that nobody has asked for a day; returns how many."""
    return run("forget_hosts", now=now)
