"""What is lost at Destinations: Tests of ours whose counterpart there is gone; their Records are Stale."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tidegate.reads.viewer import once, sees_everything
from tidegate.store.statement import rows_of


@dataclass(frozen=True)
class LostAway:
    """What is gone there (product, engagement, test), since when it is known, and the name of the Destination; "" for
    who does not see the whole house."""

    what: str
    at: datetime
    destination: str


def lost_away() -> dict[int, LostAway]:
    """By the number of our Test. It is empty nearly always, so lists ask it first and join nothing for it."""
    rows = once("lost away", lambda: rows_of("deliveries_lost"))
    if not rows:
        return {}
    named = sees_everything()
    return {row["test_id"]: LostAway(row["lost"], row["lost_at"], row["destination"] if named else "") for row in rows}
