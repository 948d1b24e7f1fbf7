"""The story of a finding: everything that happened to it, in order, each line with who did it and what proves it.

Told from the journal, which says of each change what was before, so that what came after is read back from the present;
from where its Feed went; and from the closings that wait. A newer mapping that rewrote it is a line of that Operation's
log, not of each finding: nothing that the tool said has changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from django.db.models import Q
from msgspec import Meta

from tidegate.reads.elsewhere import ANOTHER, Told, quoted
from tidegate.reads.page import LARGEST_LIMIT, CursorRefused, decoded, encoded
from tidegate.reads.viewer import visible
from tidegate.rules.access import Role
from tidegate.rules.actor import TIDEGATE
from tidegate.rules.undo import is_undo
from tidegate.store import models
from tidegate.store.statement import rows_of
from tidegate_sdk import Severity

LINES: Final = 100
"""Lines of the journal that are told at once."""

VENDOR_VERDICTS: Final = {0: "", 1: "false positive", 2: "accepted", 3: "out of scope"}

CLOSED_BECAUSE: Final = {
    "gone": "it is no longer reported",
    "fixed": "the tool says it is fixed",
    "threshold": "it is below the minimum severity of its Connection",
    "branch": "its branch is no longer in the tool",
    "person": "a person closed it",
    "merged": "the same finding was at the destination already",
    "undone": "the Sync that brought it was undone",
}
"""Why a finding is closed, in words; the reference page of states shows these."""

KINDS: Final = (
    "created", "changed", "closed", "reopened", "decided", "expired", "moved", "merged", "undone", "held", "kept open",
    "forgotten",
)  # fmt: skip
TITLES: Final = {"severity_vendor": "severity of the tool", "vendor_verdict": "the tool says"}
LONG: Final = ("description", "impact", "mitigation", "evidence")
SHORT: Final = 60

TOLD: Final = {
    "merged": "Merged {by} with the same finding that was moved here: it took over its decisions and its opening.",
    "expired": "Active again: the date until which it was accepted has come.",
}
"""Changes that say all by their kind."""

OPERATIONS: Final = {"sync": "Sync", "discover": "Discover", "change": "Change", "deliver": "Delivery"}

FORGETTING: Final = "TIDEGATE_KEEP_JOURNAL_DAYS"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a finding's story."""

    at: Annotated[datetime, Meta(description="When.")]
    kind: Annotated[str, Meta(description=f"{', '.join(f'`{kind}`' for kind in KINDS)}.")]
    what: Annotated[str, Meta(description="What happened, in one sentence.")]
    proof: Annotated[str, Meta(description="What proves it: the read that showed it, or did not; empty where none.")]
    actor: Annotated[str, Meta(description="Who did it.")]
    operation: Annotated[int | None, Meta(description="The Operation that did it, or null.")]
    before: Annotated[dict[str, Any], Meta(description="What changed, as it was.")]
    after: Annotated[dict[str, Any], Meta(description="The same, as it was then.")]


class StoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a finding's story, the oldest first."""

    events: Annotated[list[Event], Meta(description="What happened, in order.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]


class Story(NamedTuple):
    """The latest of what happened to a finding, after how it came."""

    events: list[Event]
    whole: bool
    """False where changes between its creation and these are left out."""


def story(finding_id: int, *, cursor: str | None = None, limit: int = LINES) -> StoryPage | None:
    """What happened to a finding, page by page, the oldest first; None if there is none of this number.

    Asks a handful of queries, however long the story is.
    """
    found = models.Finding.objects.select_related("feed__record").filter(visible_findings(), id=finding_id).first()
    if found is None:
        return None
    limit = max(1, min(limit, LARGEST_LIMIT))
    after, since = _place_in_story(cursor)
    journal = models.Journal.objects.filter(finding_id=finding_id)
    lines = list(journal.filter(id__gt=after).order_by("id")[: limit + 1])
    more, lines = len(lines) > limit, lines[:limit]
    state = present(found, _decisions_on(found))
    if more:
        for line in journal.filter(id__gt=lines[-1].pk).order_by("-id").iterator():
            _step_back(state, line)
    until = max(line.at for line in lines) if more else None
    events = told(found, lines, state, _around(found, lines), since=since, until=until)
    following = encoded([lines[-1].pk, until.isoformat()]) if until else None
    return StoryPage(events=events, next=following)


def visible_findings(role: Role = "reader") -> Q:
    """Those that the viewer may see, or has another role for: in a Product of theirs, or brought by a Connection of
    theirs."""
    test = "feed__test"
    return visible(
        connection=f"{test}__connection_id",
        product=f"{test}__engagement__product_id",
        product_type=f"{test}__engagement__product__product_type_id",
        role=role,
    )


def latest(found: Any, decisions: Iterable[Any]) -> Story:
    """How a finding came, and the latest of what happened to it since; `found` brings its Feed along."""
    journal = models.Journal.objects.filter(finding_id=found.pk)
    lines = list(journal.order_by("-id")[: LINES + 1])
    left_out = lines.pop() if len(lines) > LINES else None
    lines.reverse()
    around = _around(found, lines)
    events = told(found, lines, present(found, decisions), around, since=left_out and left_out.at)
    return Story(events if left_out is None else [*_beginning(found, around), *events], left_out is None)


@dataclass(frozen=True)
class Around:
    """What a story is told from, besides the journal."""

    reads: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """Operations by number: what they are, and how they read this finding's Family and Branch."""
    moves: Sequence[Any] = ()
    """Where Feeds of the finding's Record went as a whole, the earliest first."""
    products: Mapping[int, str] = field(default_factory=dict)
    """Where each Feed of the Record lies now."""
    held: Any = None
    forgotten_until: datetime | None = None
    """Changes until then were forgotten, but for what says why a finding is closed."""


def told(
    found: Any,
    lines: Sequence[Any],
    state: dict[str, Any],
    around: Around = Around(),
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Event]:
    """These lines of the journal as events, among what happened besides; `state` is what the finding is after the last.

    Creation is a fact of the row, and comes first unless `since` says that it was told already.
    """
    ended_in = state["feed"]
    steps: list[tuple[int, Event]] = []
    for line in reversed(lines):
        before, now = _step_back(state, line)
        event = Event(
            at=line.at, kind=line.kind, what=_told(line, before, now, state["feed"], around),
            proof=_proof(line.kind, line.operation, now["closed_because"], around), actor=line.actor,
            operation=line.operation, before=before,
            after={name: _only(now.get(name), was) for name, was in before.items()},
        )  # fmt: skip
        steps.append((state["feed"], event))
    beside = [
        (feed, event)
        for feed, event in _beside(found, around)
        if (since is None or event.at > since) and (until is None or event.at <= until)
    ]
    events = list(_in_order(steps[::-1], beside, ended_in))
    return events if since else [*_beginning(found, around), *events]


def present(found: Any, decisions: Iterable[Any]) -> dict[str, Any]:
    """What a finding is now, in the words of a story."""
    state: dict[str, Any] = _in_words(
        {
            "open": found.open, "active": found.active, "closed_because": found.closed_because,
            "severity": found.severity, "severity_vendor": found.severity_vendor,
            "vendor_verdict": found.vendor_verdict, "title": found.title, "fields": found.fields,
        }
    )  # fmt: skip
    return state | {"feed": found.feed_id, "decision": _decisions_in_words(decisions)}


def said_in_words(field: str, value: str) -> str:
    """What was decided, in words: severities are stored as ranks, tags and yes or no as JSON."""
    if field == "severity":
        return Severity.of_rank(int(value)).value
    if field == "verified":
        return "yes" if json.loads(value) else "no"
    return ", ".join(json.loads(value)) if field == "tags" else value


# What it is told from


def _place_in_story(cursor: str | None) -> tuple[int, datetime | None]:
    """The line of the journal to go on behind, and when that was."""
    if not cursor:
        return 0, None
    line, at = decoded(cursor, (int, str))
    try:
        return line, datetime.fromisoformat(at)
    except ValueError:
        raise CursorRefused from None


def _decisions_on(found: Any) -> list[Any]:
    return list(models.Decision.objects.filter(feed_id=found.feed_id, family=found.family, key_hash=found.key_hash))


def _around(found: Any, lines: Sequence[Any]) -> Around:
    record = found.feed.record_id
    moves = list(models.FeedMove.objects.filter(feed__record_id=record).order_by("id"))
    held = models.Held.objects.filter(pk=found.pk).first()
    operations = {line.operation for line in lines} | {found.created_operation}
    if held is not None:
        operations |= {held.since_operation, held.latest_operation}
    went = any("feed" in line.before for line in lines)
    feeds = models.Feed.objects.select_related("test__engagement__product").filter(record_id=record)
    lies_in = {feed.pk: feed.test.engagement.product.name for feed in feeds} if went else {}
    _told_as_the_viewer_knows_them(found.feed.record.connection_id, moves, lies_in)
    mark = models.Mark.objects.filter(pk=models.Mark.JOURNAL).first()
    return Around(
        reads=_reads(found, operations - {None}),
        moves=moves,
        products=lies_in,
        held=held,
        forgotten_until=mark and mark.forgotten_until,
    )


def _told_as_the_viewer_knows_them(connection_id: int, moves: Sequence[Any], lies_in: dict[int, str]) -> None:
    """Puts *another Product* for the names that are not for the viewer."""
    names = {*lies_in.values(), *(name for move in moves for name in (move.left, move.went_to))}
    told = Told((connection_id, name) for name in names)
    for move in moves:
        move.left, move.went_to = told.name(connection_id, move.left), told.name(connection_id, move.went_to)
    lies_in.update({feed: told.name(connection_id, name) for feed, name in lies_in.items()})


def _reads(found: Any, operations: set[Any]) -> dict[int, Mapping[str, Any]]:
    rows = rows_of(
        "story_reads", operations=sorted(operations), record=found.feed.record_id, feed=found.feed_id,
        family=found.family, branch=found.branch,
    )  # fmt: skip
    part = f"{found.family} on {found.branch}" if found.branch else found.family
    return {row["id"]: {**row, "part": part, "proof": json.loads(row["proof"])} for row in rows}


# Beside the journal


def _beginning(found: Any, around: Around) -> Iterator[Event]:
    number = found.created_operation
    yield Event(
        at=found.created_at, kind="created", what=f"Found by Sync {number}.", actor=str(TIDEGATE), operation=number,
        proof=_proof("created", number, None, around), before={}, after={},
    )  # fmt: skip
    until = around.forgotten_until
    if until is not None and found.created_at < until:
        what = f"Changes until {until:%Y-%m-%d}, if there were any, were forgotten, as {FORGETTING} says."
        yield Event(
            at=until, kind="forgotten", what=what, actor=str(TIDEGATE), operation=None, proof="", before={}, after={}
        )


def _beside(found: Any, around: Around) -> Iterator[tuple[int | None, Event]]:
    """What is no line of the journal, in order of time: each with the Feed the finding must have been in, if any."""
    told: list[tuple[int | None, Event]] = [
        (move.feed_id, _moved(move)) for move in around.moves if move.at >= found.created_at
    ]
    if around.held is not None:
        told += [(None, event) for event in _waits(around.held, around)]
    return iter(sorted(told, key=lambda one: one[1].at))


def _in_order(
    steps: Iterable[tuple[int, Event]], beside: Iterable[tuple[int | None, Event]], ended_in: int
) -> Iterator[Event]:
    """Both by time; lines of the journal keep their order. A Feed's move is told where the finding was in it."""
    waiting = list(beside)
    for feed, event in [*steps, (ended_in, None)]:
        while waiting and (event is None or waiting[0][1].at <= event.at):
            needs, other = waiting.pop(0)
            if needs in (None, feed):
                yield other
        if event is not None:
            yield event


def _moved(move: Any) -> Event:
    """The Feed went as one row, with all its findings."""
    left, to = _product(move.left), _product(move.went_to)
    if move.step is not None and is_undo(move.step):
        what = f"Moved back by {_who(move, {})} from {left} to {to}, with its history and decisions: that was undone."
    else:
        what = f"Moved by {_who(move, {})} from {left} to {to}, with its history and decisions."
    return Event(
        at=move.at, kind="moved", what=what, proof="", actor=move.actor, operation=move.operation,
        before={"product": move.left}, after={"product": move.went_to},
    )  # fmt: skip


def _waits(held: Any, around: Around) -> Iterator[Event]:
    """A closing that waits, or was refused."""
    if held.standing == models.Held.PENDING:
        return
    first = around.reads.get(held.since_operation, {})
    again = f", nor did Sync {held.latest_operation}" if held.latest_operation != held.since_operation else ""
    because = "its closing was undone before" if held.undone else "too much was gone at once"
    if held.because == "gone":
        seen = f"it no longer saw it{again}, and {because}"
    else:
        seen = f"{CLOSED_BECAUSE[held.because]}, and {because}"
    if first:
        yield Event(
            at=first["at"], kind="held", what=f"Held by Sync {held.since_operation}: {seen}; a person decides.",
            proof=_proof("closed", held.since_operation, held.because, around), actor=str(TIDEGATE),
            operation=held.since_operation, before={}, after={},
        )  # fmt: skip
    if held.standing == models.Held.KEPT_OPEN and held.said_at is not None:
        yield Event(
            at=held.said_at, kind="kept open", what=f"Kept open by {held.said_by}, until the tool shows it once more.",
            proof="", actor=held.said_by, operation=held.latest_operation, before={}, after={},
        )  # fmt: skip


# The journal, backwards


def _step_back(state: dict[str, Any], line: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a line changed, as it was, and all that the finding was after it; `state` becomes what it was before."""
    before = _in_words(line.before)
    if "active" in before and line.kind in ("closed", "decided", "expired"):
        # Not every line that closes says so of `active`; but a decision is only said where it changed that.
        state["active"] = line.kind != "closed" and not before["active"]
    if state["active"] is None:
        state["active"] = _judged_active(state)
    now = dict(state)
    for name, was in before.items():
        state[name] = {**state[name], **was} if isinstance(was, dict) else was
    if line.kind == "merged" and "decisions" in line.before:
        state["decision"] = _decisions_in_words(_Kept(**one) for one in _those(line.before["decisions"]))
    if before.get("open"):
        state["closed_because"] = None
    if "open" in before and "active" not in before:
        state["active"] = None if before["open"] else False  # not said by this line
    if "feed" in line.before:
        state["feed"] = line.before["feed"]
    return before, now


class _Kept(NamedTuple):
    """A decision as a merge kept it."""

    field: str
    value: str
    until: str | None


def _those(decisions: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in decisions:
        yield {name: one.get(name) for name in _Kept._fields}


def _judged_active(state: Mapping[str, Any]) -> bool:
    """Whether it was active, by what was said of it."""
    verdict = state["decision"].get("verdict")
    return bool(state["open"]) and (verdict == "real" if verdict else not state["vendor_verdict"])


def _decisions_in_words(decisions: Iterable[Any]) -> dict[str, str]:
    return {said.field: with_end(said_in_words(said.field, said.value), said.until) for said in decisions}


def _in_words(facts: Mapping[str, Any]) -> dict[str, Any]:
    """A finding's facts as the journal keeps them, in the words that are shown; without what only an undo reads."""
    words: dict[str, Any] = {}
    for name, value in facts.items():
        if name in ("open", "active", "closed_because", "title", "fields"):
            words[name] = value
        elif name in ("severity", "severity_vendor"):
            words[name] = Severity.of_rank(value).value
        elif name == "vendor_verdict":
            words[name] = VENDOR_VERDICTS[value]
        elif name == "decision":
            words[name] = {
                field: said and with_end(said_in_words(field, said["value"]), said["until"])
                for field, said in value.items()
            }
    return words


def _only(now: Any, was: Any) -> Any:
    """What became of what was: of the tool's fields and of decisions, only those that changed."""
    return {name: now.get(name) for name in was} if isinstance(was, dict) else now


# Sentences


def _told(line: Any, before: Mapping[str, Any], now: Mapping[str, Any], feed: int, around: Around) -> str:
    """What happened; `now` is what the finding was then, `feed` where it lay before."""
    by, changes = f"by {_who(line, around.reads)}", ", ".join(_changes(before, now))
    if line.kind == "closed":
        return f"Closed {by}{_because(line, now, around)}{f' ({changes})' if changes else ''}."
    if line.kind == "reopened":
        return f"Open again {by}: it is reported once more{f' ({changes})' if changes else ''}."
    if line.kind == "moved" or (line.kind == "undone" and feed != now["feed"]):
        left, to = _lay_in(feed, line.at, around), _lay_in(now["feed"], line.at, around, ANOTHER)
        verb, end = ("Moved", "") if line.kind == "moved" else ("Moved back", ": that was undone")
        return f"{verb} {by} from {left} to {to}, with its history and decisions{end}."
    if line.kind in TOLD:
        return TOLD[line.kind].format(by=by)
    if line.kind == "undone":
        effect = _effect(before, now)
        return f"Undone {by}{f': {changes}' if changes else '' if effect else ': it is again as it was'}.{effect}"
    verb = {"changed": "Changed", "decided": "Decided"}.get(line.kind, line.kind.capitalize())
    return f"{verb} {by}{f': {changes}' if changes else ''}.{_effect(before, now)}"


def _who(line: Any, reads: Mapping[int, Mapping[str, Any]]) -> str:
    """A Sync does by itself what it does; a change is somebody's."""
    if line.operation is None:
        return line.actor
    kind = reads.get(line.operation, {}).get("type", "sync")
    of_somebody = kind == "change" and line.actor != str(TIDEGATE)
    return f"{line.actor} in Change {line.operation}" if of_somebody else f"{OPERATIONS[kind]} {line.operation}"


def _because(line: Any, now: Mapping[str, Any], around: Around) -> str:
    because = CLOSED_BECAUSE.get(now["closed_because"] or "", "")
    by_a_read = line.operation and around.reads.get(line.operation, {}).get("type", "sync") == "sync"
    if now["closed_because"] == "threshold" and not by_a_read:
        return ": the minimum severity of its Connection was raised above it"
    approved = f"; {line.actor} approved" if by_a_read and line.actor != str(TIDEGATE) else ""
    return f"{f': {because}' if because else ''}{approved}"


def _lay_in(feed: int, at: datetime, around: Around, unknown: str = "a Product that is deleted by now") -> str:
    """The Product that a Feed lay in then: what it left at its next move, or where it lies now."""
    left = next((move.left for move in around.moves if move.feed_id == feed and move.at > at), None)
    return _product(left or around.products.get(feed, ""), unknown)


def _product(name: str, unknown: str = ANOTHER) -> str:
    return quoted(name) if name else unknown


def _proof(kind: str, operation: int | None, because: str | None, around: Around) -> str:
    """How the Sync read the Family and Branch that this finding is in, and whether it was there; "" where not known."""
    read = around.reads.get(operation or 0)
    if read is None or read["type"] != "sync" or kind not in ("created", "changed", "reopened", "closed"):
        return ""
    if kind == "closed" and because == "branch":
        return f"Sync {operation}: {read['why']}" if read["why"] else ""
    there = "not among them" if kind == "closed" and because == "gone" else "among them"
    proof, seen = read["proof"], read["proof"].get("seen", read["seen"])
    if seen is None:
        return ""
    if not read["complete"]:
        why = f": {read['why'].rstrip('.')}" if read["why"] else ""
        return f"Sync {operation} read {seen:,} rows of {read['part']} and not all{why}; this was {there}."
    rows = f"{seen:,} of {proof['declared']:,} declared rows" if proof.get("declared") is not None else _rows(seen)
    pages = f" in {_pages(proof['pages'])}" if proof.get("pages") else ""
    return f"Sync {operation} read {read['part']} whole: {rows}{pages}, and this was {there}."


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"


def _pages(number: int) -> str:
    return "1 page" if number == 1 else f"{number:,} pages"


def _effect(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What a decision, or an undo, did beyond itself."""
    if before.get("open") and not now["open"]:
        return f" It is closed: {CLOSED_BECAUSE.get(now['closed_because'] or '', 'see above')}."
    if before.get("open") is False and now["open"]:
        return f" It is open again{'' if now['active'] else ', and inactive'}."
    if "active" in before and before["active"] != now["active"]:
        return " It is active again." if now["active"] else " It is inactive now."
    return ""


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    decided = before.get("decision", {})
    for name in ("severity_vendor", "severity", "vendor_verdict", "title"):
        if name in before and not (name == "severity" and "severity" in decided):
            yield f"{TITLES.get(name, name)} {_change(before[name], now[name])}"
    for name, was in decided.items():
        if was != (is_now := now["decision"].get(name)):
            yield f"{name} {_change(was, is_now)}"
    for name, was in (before.get("fields") or {}).items():
        if name in LONG:
            yield f"new {name}"
        elif name not in ("severity", "fixed"):  # the same is said above
            yield f"{name.replace('_', ' ')} {_change(was, now['fields'].get(name))}"


def _change(was: Any, is_now: Any) -> str:
    return f"«{_short(was)}» → «{_short(is_now)}»"


def _short(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    if isinstance(value, bool):
        value = "yes" if value else "no"
    text = "nothing" if value in (None, "") else " ".join(str(value).split())
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


def with_end(said: str, until: datetime | str | None) -> str:
    day = until.strftime("%Y-%m-%d") if isinstance(until, datetime) else (until or "")[:10]
    return f"{said} until {day}" if day else said
