"""Branches that were read before and that the tool no longer lists: which of their findings stay, and which close."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tidegate.rules import branch as rules
from tidegate.store.clock import database_now
from tidegate.store.models import Part, Tally
from tidegate.store.statement import run as statement
from tidegate_sdk import Outcome

from .read import PartRead, RecordRead


def look_for_vanished(feed: int, read: RecordRead, days: int) -> None:
    """Adds a part for each Family of a vanished Branch that has open findings here: skipped, or, where they close now,
    as one that was read whole and is empty. Takes back what an earlier look added. The caller holds the Record."""
    read.parts = [part for part in read.parts if not part.vanished]
    read.vanished = set()
    if read.listed is None or not read.listed.complete:
        return
    now = database_now()
    listing = rules.Listing(read.names, complete=True)
    open_here = set(Tally.objects.filter(feed_id=feed, open=True, n__gt=0).values_list("family", "branch"))
    number = 1 + max((part.number for part in read.parts), default=-1)
    for family, branch, last_there in _parts(feed, read):
        becomes = rules.fate(branch, listing, last_there, days, now)
        if becomes == "there":
            continue
        read.vanished.add((family, branch))
        if (family, branch) in open_here:
            outcome = Outcome(complete=True) if becomes == "due" else None
            why = rules.why(branch, becomes, last_there, days, now)
            read.parts.append(PartRead(number, family, branch, outcome=outcome, skipped_because=why, vanished=True))
            number += 1


def _parts(feed: int, read: RecordRead) -> Iterator[tuple[str, str, datetime | None]]:
    """What was read of the Feed before and not now, each with when its Branch was last there."""
    there: dict[str, datetime] = {}
    stored: list[Any] = list(Part.objects.filter(feed_id=feed).exclude(branch="").order_by("family", "branch"))
    for part in stored:
        for at in (part.listed_at, part.proven_at):
            if at is not None:
                there[part.branch] = max(at, there.get(part.branch, at))
    now_read = {(part.family, part.branch) for part in read.parts}
    for part in stored:
        if (part.family, part.branch) not in now_read:
            yield part.family, part.branch, there.get(part.branch)


def save_listed(feed: int, read: RecordRead) -> None:
    """Notes which Branches were there; nothing where the tool was not asked for them."""
    if read.listed is not None:
        statement("branches_listed", feed=feed, branches=sorted(read.names), complete=read.listed.complete)
