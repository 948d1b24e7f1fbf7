"""What a Record is: its state and why, its badge, whether it may sync; all derived from facts, never stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal


class State(StrEnum):
    """What a Record is, in the words of its page."""

    NEW = "New"
    IGNORED = "Ignored"
    GOOD = "Good"
    STALE = "Stale"
    MISSING = "Missing"

    @property
    def mapped(self) -> bool:
        """Whether it stands in the list of Mapped Records."""
        return self in (State.GOOD, State.STALE, State.MISSING)

    @property
    def warning(self) -> bool:
        return self in (State.STALE, State.MISSING)


@dataclass(frozen=True)
class RecordFacts:
    """What is stored about a Record, and the few facts around it that its sentences need."""

    decision: Literal["undecided", "mapped", "ignored"] = "undecided"
    product: str | None = None
    """The Product it writes to."""
    finalized_at: datetime | None = None
    finalized_by: str = ""
    finalized_how: str = ""
    hands_off: bool = False
    ignored_because: str = ""
    earlier_product: str = ""
    """The name of the Product it was mapped to before; for a lost target, of the one that was lost."""
    earlier_product_deleted: bool = False
    first_seen_at: datetime | None = None
    first_seen_operation: int | None = None
    absent_since: datetime | None = None
    absent_operation: int | None = None
    absent_seen: int | None = None
    """How many VEPs the Discover saw that did not see this one."""
    target_lost_at: datetime | None = None
    target_lost: str = ""
    """What was deleted: product, engagement, test or feed."""
    away_lost_at: datetime | None = None
    """Since when what it is delivered into is gone in DefectDojo; it is mapped and read here all the same."""
    away_lost: str = ""
    """What is gone there: product, engagement or test."""
    away: str = ""
    """The name of the Destination where it is gone; "" for who may not know it."""
    deleted_at: datetime | None = None
    connection: str = ""
    connection_deleted_at: datetime | None = None
    changing: int | None = None
    """The change that its findings belong to just now."""
    a_record_is: str = "a vendor product"
    """The Tool's own word for its VEP, with article."""


def state(facts: RecordFacts) -> State:
    """Missing before Stale before Good; a Record without a mapping is New or Ignored, wherever its VEP is."""
    if facts.decision == "undecided":
        return State.NEW
    if facts.decision == "ignored":
        return State.IGNORED
    if facts.absent_since is not None:
        return State.MISSING
    return State.STALE if facts.target_lost_at is not None or facts.away_lost_at is not None else State.GOOD


def in_words(state: str, why: str) -> str:
    """The state and why, without saying the state twice."""
    return why if why.startswith(state) else f"{state}. {why}"


def no_longer_in_the_tool(facts: RecordFacts) -> bool:
    """Whether an undecided or ignored Record's VEP is gone: it keeps its state and can be deleted in bulk."""
    return facts.absent_since is not None and not state(facts).mapped


def why(facts: RecordFacts, now: datetime | None = None) -> str:
    """Why the Record is in its state, in one sentence. With `now`, days of this year are written without it."""
    if facts.deleted_at is not None:
        return f"Deleted on {day(facts.deleted_at, now)}; Discover brings it back if {thing(facts)} still exists."
    match state(facts):
        case State.NEW:
            return why_new(facts, now)
        case State.IGNORED:
            reason = f": {facts.ignored_because}" if facts.ignored_because else ""
            return finished(f"Ignored by {facts.finalized_by} on {day(facts.finalized_at, now)}{reason}", facts, now)
        case State.GOOD:
            decided = "Mapped automatically" if facts.finalized_how in ("auto-map", "rule") else "Mapped"
            by = facts.finalized_by
            return f"{decided} to «{facts.product}» by {by} on {day(facts.finalized_at, now)}."
        case State.STALE:
            return f"Stale since {lost(facts, now)}."
        case State.MISSING:
            stale = facts.target_lost_at is not None or facts.away_lost_at is not None
            also = f"; also stale since {lost(facts, now)}" if stale else ""
            return f"Missing {absent(facts, now)}{also}."


def why_new(facts: RecordFacts, now: datetime | None) -> str:
    by = f" by Discover {facts.first_seen_operation}" if facts.first_seen_operation is not None else ""
    sentence = f"First seen on {day(facts.first_seen_at, now)}{by}" if facts.first_seen_at is not None else "New"
    if facts.hands_off:
        return finished(f"{sentence}; its automatic mapping was undone, so it waits for a person", facts, now)
    if facts.earlier_product:
        fate = ", which was deleted" if facts.earlier_product_deleted else ""
        return finished(f"{sentence}; was mapped to «{facts.earlier_product}»{fate}", facts, now)
    return finished(f"{sentence}; nobody has decided yet", facts, now)


def finished(sentence: str, facts: RecordFacts, now: datetime | None) -> str:
    """The sentence with its end; for a Record whose VEP is gone that is part of it."""
    if no_longer_in_the_tool(facts):
        return f"{sentence}; no longer in the tool {absent(facts, now)}."
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def absent(facts: RecordFacts, now: datetime | None) -> str:
    """ "since 3 May: Discover 123 saw all 412 projects and not this one" """
    since = f"since {day(facts.absent_since, now)}"
    if facts.absent_operation is None:
        return since
    number = "" if facts.absent_seen is None else f" {facts.absent_seen:,}"
    saw = f"Discover {facts.absent_operation} saw all{number} {plural(facts.a_record_is)}"
    if facts.absent_seen == 0:
        saw = f"Discover {facts.absent_operation} saw no {plural(facts.a_record_is)} at all"
    return f"{since}: {saw} and not this one"


def lost(facts: RecordFacts, now: datetime | None) -> str:
    """ "3 May: the Test in «Shop» that it wrote to was deleted"; what is lost here counts before what is lost there"""
    if facts.target_lost_at is None:
        return lost_away(facts, now)
    name = f"«{facts.earlier_product}»" if facts.earlier_product else "its Product"
    what = {
        "product": f"the Product {name} that it wrote to was deleted",
        "engagement": f"the Engagement in {name} that it wrote to was deleted",
        "test": f"the Test in {name} that it wrote to was deleted",
    }
    return f"{day(facts.target_lost_at, now)}: {what.get(facts.target_lost, f'what it wrote to in {name} was deleted')}"


def lost_away(facts: RecordFacts, now: datetime | None) -> str:
    """ "3 May: its Product was deleted in DefectDojo («Dojo»), or its token may not see it any more; …" """
    where = f" («{facts.away}»)" if facts.away else ""
    what = {"product": "its Product", "engagement": "its Engagement", "test": "its Test"}
    return (
        f"{day(facts.away_lost_at, now)}: {what.get(facts.away_lost, 'what it goes to')} was deleted in DefectDojo"
        f"{where}, or the token there may not see it any more; it is read here as before, and nothing is made "
        "again there until a person repairs it"
    )


def may_sync(facts: RecordFacts, now: datetime | None = None) -> str | None:
    """Why a Sync of this Record is refused; None where it may."""
    if facts.connection_deleted_at is not None:
        return f"Its Connection «{facts.connection}» was deleted on {day(facts.connection_deleted_at, now)}."
    # What is lost at a Destination keeps nothing from being read: where it stands here it stays true.
    if facts.deleted_at is not None or state(replace(facts, away_lost_at=None)).warning:
        return why(facts, now)
    if facts.decision == "undecided":
        return "It is not mapped to a Product yet: map it first."
    if facts.decision == "ignored":
        return f"{why(facts, now)} Map it first."
    return None if facts.changing is None else why_changing(facts.changing)


def why_changing(operation: int) -> str:
    """Why nobody decides about a Record, and nothing flows from it, while a change has its findings."""
    return f"Operation {operation} is changing its findings; watch it: tidegate operation watch {operation}"


def thing(facts: RecordFacts) -> str:
    """ "the site" """
    return f"the {facts.a_record_is.partition(' ')[2] or facts.a_record_is}"


def singular(a_record_is: str) -> str:
    """ "a repository" → "repository"."""
    return a_record_is.partition(" ")[2] or a_record_is


def plural(a_record_is: str) -> str:
    """ "a repository" → "repositories"; the last word of "an account and region" is what is counted."""
    word = singular(a_record_is)
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"


def day(at: datetime | None, now: datetime | None) -> str:
    if at is None:
        return "an unknown day"
    text = f"{at.day} {at:%B}"
    return text if now is not None and now.year == at.year else f"{text} {at.year}"


def ago(then: datetime, now: datetime) -> str:
    """ "3 s ago", and for what is older its day"""
    seconds = max(0, int((now - then).total_seconds()))
    for unit, length, until in (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 86_400)):
        if seconds < until:
            return f"{seconds // length} {unit} ago"
    return f"on {day(then, now)}"


# The badge


@dataclass(frozen=True)
class PartResult:
    """How the last Sync went for one Family and Branch of a Record."""

    family: str
    branch: str
    outcome: Literal["complete", "incomplete", "skipped", "failed", "dropped"]
    why: str = ""
    once_read: bool = False
    """A complete read of it is on record."""


@dataclass(frozen=True)
class LastSync:
    """How the last Sync of a Record went, and how many of its closings wait for a person now."""

    operation: int
    outcome: Literal["complete", "incomplete", "skipped", "failed", "dropped"]
    why: str = ""
    parts: Sequence[PartResult] = ()
    seen: int = 0
    """Rows the vendor showed, whatever became of them."""
    held: int = 0


@dataclass(frozen=True)
class Badge:
    """A word beside the state, and why, in one sentence."""

    word: Literal["failing", "held", "skipped", "nothing visible"]
    why: str


def badge(last: LastSync | None) -> Badge | None:
    """The worst that the last Sync of a Record left: failing, held, skipped, nothing visible; gone by itself."""
    if last is None or last.outcome == "dropped":
        return None
    by = f"Sync {last.operation}"
    if failed := failure(last):
        return Badge("failing", f"{by} {failed}")
    if last.held:
        one = "1 finding is" if last.held == 1 else f"{last.held:,} findings are"
        return Badge("held", f"{one} no longer reported, too many at once to be believed: a person decides.")
    if skipped := skipping(last):
        return Badge("skipped", f"{by} {skipped}")
    if not last.seen:
        return Badge(
            "nothing visible", f"{by} was shown nothing at all: all is well, or the account lacks the right to see it."
        )
    return None


def failure(last: LastSync) -> str:
    if last.outcome == "failed":
        return sentence_end("failed", last.why)
    for part in last.parts:
        if part.outcome in ("failed", "incomplete"):
            return sentence_end(f"could not read {name_of(part)} completely", part.why)
    return sentence_end("was incomplete", last.why) if last.outcome == "incomplete" else ""


def skipping(last: LastSync) -> str:
    """What was skipped and is missed; a Family that was never enabled is not (see never_enabled)."""
    if last.outcome == "skipped":
        return sentence_end("skipped it", last.why)
    for part in last.parts:
        if part.outcome == "skipped" and part.once_read:
            return sentence_end(f"skipped {name_of(part)}, which was read before", part.why)
    return ""


def never_enabled(last: LastSync | None) -> list[PartResult]:
    """Families that were skipped and never read: a grey word each, no badge."""
    return [] if last is None else [part for part in last.parts if part.outcome == "skipped" and not part.once_read]


def name_of(part: PartResult) -> str:
    return f"{part.family} of {part.branch}" if part.branch else part.family


def sentence_end(text: str, reason: str) -> str:
    reason = reason.rstrip(". ")
    return f"{text}: {reason}." if reason else f"{text}."
