"""Whether a decision on a Record can be undone, and what the Record's facts were before it. From its history alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

DECISION_FACTS = (
    "decision",
    "feed_id",
    "finalized_at",
    "finalized_by",
    "finalized_how",
    "hands_off",
    "ignored_because",
    "target_lost_at",
    "target_lost",
    "earlier_product_id",
    "earlier_product_name",
    "deleted_at",
)
"""What a decision sets; name, link and absence are the vendor's, and follow it also under an undo."""

AUTOMATIC = ("auto-map", "rule")

_UNDO = "undo"
_UNDO_VERSION = 5


@dataclass(frozen=True)
class Line:
    """One line of a Record's history: only what changed."""

    step: UUID | None
    actor: str
    at: datetime
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    written_under: bool = False
    """A Sync wrote under the Record since."""

    @property
    def decides(self) -> bool:
        """Whether somebody decided here; a lost target, or a Discover that brings a Record back, is no decision."""
        return "decision" in self.after or "finalized_at" in self.after or self.after.get("deleted_at") is not None


def undo_step(step: UUID) -> UUID:
    """The step in which this one is undone; known by its version, because an undo is not undone."""
    return uuid5(step, _UNDO)


def is_undo(step: UUID) -> bool:
    """Whether a step took another one back."""
    return step.version == _UNDO_VERSION


def why_not(step: UUID, history: Sequence[Line]) -> str | None:
    """Why the step cannot be undone for this Record; None where it can. `history` begins with the step."""
    if is_undo(step):
        return "that was an undo already; decide anew instead"
    last = max(number for number, line in enumerate(history) if line.step == step)
    if later := next((line for line in history[last + 1 :] if line.decides), None):
        return f"it was decided again by {later.actor} since"
    if history[last].written_under:
        return "a Sync wrote under it since; decide anew instead"
    return None


def facts_before(step: UUID, history: Sequence[Line], now: Mapping[str, Any]) -> dict[str, Any]:
    """The decision's facts as they were before the step: history walked backwards from what they are now.

    Where the step was automatic and the Record is New again, automatic decisions leave it alone from now on.
    """
    facts = {name: now[name] for name in DECISION_FACTS}
    for line in reversed(history):
        facts |= {name: value for name, value in line.before.items() if name in facts}
    automatic = any(line.step == step and line.after.get("finalized_how") in AUTOMATIC for line in history)
    if automatic and facts["decision"] == "undecided":
        facts["hands_off"] = True
    return facts


@dataclass(frozen=True)
class Remap:
    """What a step did with a Feed that flowed before it: `moved_from` a Product, or left for another Feed."""

    feed_before: int | None
    feed_after: int | None
    moved_from: int | None


def remap(step: UUID, history: Sequence[Line]) -> Remap:
    """How the step changed where the Record writes to. A Feed that moved is the same one, with another Product."""
    lines = [line for line in history if line.step == step]
    before = next((line.before["feed_id"] for line in lines if "feed_id" in line.before), None)
    after = next((line.after["feed_id"] for line in reversed(lines) if "feed_id" in line.after), None)
    stayed_mapped = not any("feed_id" in line.after or "decision" in line.after for line in lines)
    earlier = [line.after["earlier_product_id"] for line in lines if line.after.get("earlier_product_id") is not None]
    return Remap(before, after, earlier[-1] if stayed_mapped and earlier else None)
