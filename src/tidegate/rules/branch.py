"""What becomes of the findings of a Branch that the tool no longer has: kept, or closed some days after it was seen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

KEEP: Final = 0
"""Days, for a Connection that closes nothing because a branch is gone: the default. Teams delete a branch after its
merge, and whether what it brought is mended there or lives on elsewhere the tool does not say."""

MOST_DAYS: Final = 3_650

Fate = Literal["there", "kept", "waiting", "due"]


@dataclass(frozen=True)
class Listing:
    """The branches that the tool listed in this Operation. `complete`: what it lacks is not there."""

    names: Collection[str]
    complete: bool


def fate(branch: str, listing: Listing | None, last_there: datetime | None, days: int, now: datetime) -> Fate:
    """What becomes of the findings of a Branch.

    `last_there`: when it was last listed, or read whole; None where that was never noted, and then the days begin now.
    `days`: after so many they close; KEEP for never. A Branch without a name is the main one, or none: it never
    vanishes.
    """
    if not branch or listing is None or not listing.complete or branch in listing.names:
        return "there"
    if days == KEEP:
        return "kept"
    return "due" if last_there is not None and now - last_there >= timedelta(days=days) else "waiting"


def why(branch: str, becomes: Fate, last_there: datetime | None, days: int, now: datetime) -> str:
    """A sentence on a Branch that is no longer there; "" for one that is."""
    if becomes == "there":
        return ""
    there = last_there or now
    gone = f"The tool listed all its branches, and «{branch}», last there on {there:%Y-%m-%d}, is none of them;"
    if becomes == "kept":
        return f"{gone} its findings stay as they are."
    if becomes == "waiting":
        return f"{gone} its findings close from {there + timedelta(days=days):%Y-%m-%d} on, unless it comes back."
    after = "1 day" if days == 1 else f"{days:,} days"
    return f"{gone} its findings close {after} after that, as its Connection says."
