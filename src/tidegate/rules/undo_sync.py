"""Whether what a Sync did to a Record can be undone, and what an undo did, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Applied:
    """What a Sync left of one Record, and what became of that Record since."""

    sync: int
    record: int
    name: str
    outcome: str | None = "complete"
    """How the Sync went for it; None where it is not among the Sync's Records."""
    feed: int | None = None
    """Where the Sync wrote; None where it wrote nothing, or ran before Tidegate noted that."""
    undone_by: int | None = None
    later: int | None = None
    """The Sync that was applied last, after this one."""
    later_undone_by: int | None = None
    writes_to: int | None = None
    """The Feed the Record writes to now."""
    product: str | None = None
    """The Product it writes to now."""
    decision: str = "mapped"
    target_lost: str = ""
    deleted: bool = False
    connection_deleted: bool = False
    changing: int | None = None
    """The change that has its findings on their way."""

    @property
    def applied(self) -> bool:
        """Whether the Sync wrote anything there: one that failed on the way may have."""
        return self.feed is not None or self.outcome not in (None, "failed", "dropped")


@dataclass(frozen=True)
class Whole:
    """An Operation that somebody wants to undo."""

    number: int
    type: str
    preview: bool = False
    status: str = "success"
    undid: int | None = None
    """The Sync that it undid itself."""
    connection: str = ""
    connection_deleted: bool = False


def why_not_at_all(operation: Whole) -> str:
    """Why nothing of an Operation can be undone, and what to do; "" where its Records decide."""
    name = f"{operation.type.capitalize()} {operation.number}"
    if operation.undid is not None:
        return (
            f"{name} undid Sync {operation.undid}, and an undo is not undone itself: the next Sync brings what the tool"
            " says. Ask for one with: tidegate sync"
        )
    if operation.type == "change":
        return f"{name} is no Sync. What was decided on a Record is undone with: tidegate record undo"
    if operation.preview:
        return f"{name} was a preview. It wrote nothing, so there is nothing to undo."
    if operation.type != "sync":
        return f"{name} is no Sync. A decision on a Record that it found is undone with: tidegate record undo"
    if operation.status in ("pending", "running"):
        return f"{name} has not ended. Wait for its end, or end it: tidegate operation cancel {operation.number}"
    if operation.connection_deleted:
        return f"The Connection «{operation.connection}» of {name} was deleted. Its findings stay as they are."
    return ""


def why_not(facts: Applied, by: int | None = None) -> str:
    """Why what the Sync did to this Record cannot be undone (any more), and what to do; "" where it can. `by` is the
    undo that asks while it is carried out."""
    sync, record = f"Sync {facts.sync}", facts.record
    if facts.outcome is None:
        return f"{sync} did not read it. See what it read: tidegate operation show {facts.sync}"
    if facts.undone_by is not None:
        return f"Operation {facts.undone_by} undid it already. The next Sync brings what the tool says."
    if not facts.applied:
        return f"{sync} applied nothing to it, so there is nothing to undo."
    if facts.connection_deleted:
        return "Its Connection was deleted. Its findings stay as they are."
    if facts.later is not None and facts.later_undone_by is not None:
        return (
            f"Sync {facts.later} was applied later, and Operation {facts.later_undone_by} undid that one."
            " Only the latest can be undone; the next Sync brings what the tool says."
        )
    if facts.later is not None:
        return (
            f"Sync {facts.later} was applied later, and only the latest can be undone."
            f" Undo that one: tidegate operation undo {facts.later} --record {record}"
        )
    if facts.feed is None:
        return (
            f"Tidegate did not note where {sync} wrote, which ran under an earlier version."
            " Sync once more; that one can be undone."
        )
    if gone := _writes_elsewhere(facts):
        return gone
    if facts.changing is not None and facts.changing != by:
        return (
            f"Operation {facts.changing} has its findings on their way."
            f" Wait for its end: tidegate operation watch {facts.changing}"
        )
    return ""


def _writes_elsewhere(facts: Applied) -> str:
    if facts.writes_to == facts.feed:
        return ""
    back = f"Undo that first: tidegate record undo {facts.record}"
    if facts.deleted:
        return f"The Record was deleted since. {back}"
    if facts.decision != "mapped":
        said = "ignored" if facts.decision == "ignored" else "made New again"
        return f"The Record was {said} since. {back}"
    if facts.writes_to is None:
        return f"The {facts.target_lost or 'target'} that Sync {facts.sync} wrote to was deleted with its findings."
    return f"The Record writes to «{facts.product}» now, and Sync {facts.sync} wrote elsewhere. {back}"


WORDS = {
    "inactive": ("created is inactive", "created are inactive"),
    "as_before": ("changed is as before", "changed are as before"),
    "open_again": ("is open again", "are open again"),
    "closed_again": ("is closed again", "are closed again"),
    "let_go": ("closing waits no longer", "closings wait no longer"),
}
"""What an undo counts, as it is said of one and of many; and `kept`: what a person decided since."""


def did_in_words(counts: Mapping[str, int]) -> str:
    """ "12 created are inactive, 2 are open again; 1 was decided by a person since and stays." """
    told = [f"{counts[word]:,} {WORDS[word][counts[word] != 1]}" for word in WORDS if counts.get(word)]
    sentence = ", ".join(told) or "nothing was to be changed back"
    if kept := counts.get("kept", 0):
        verbs = ("was", "stays") if kept == 1 else ("were", "stay")
        sentence += f"; {kept:,} {verbs[0]} decided by a person since and {verbs[1]}"
    return f"{sentence}."


def undone_in_words(by: Mapping[int, int], records: int) -> str:
    """What is said of a Sync that was undone: by which Operations, each for so many of its Records; "" by none."""
    if not by:
        return ""
    numbers = sorted(by)
    *first, last = (str(number) for number in numbers)
    who = f"Operation{'s' if first else ''} {', '.join(first)}{' and ' if first else ''}{last}"
    if sum(by.values()) >= records:
        return f"It was undone by {who}."
    return f"It was undone for {sum(by.values()):,} of its {records:,} Records, by {who}."
