"""How a Connection is: whether its runs come when they should, and whether it waits for a person or mends itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal

from tidegate.rules.cause import CAUSES, the_cause
from tidegate.rules.record import day

Timing = Literal["on time", "late", "overdue", "never ran", "off"]
Attention = Literal["", "needs you", "recovering"]
Overall = Literal["needs you", "overdue", "recovering", "late", "on time", "never ran", "off"]

LATE_AFTER: Final = timedelta(hours=1)
"""A planned run that nobody has begun, or that failed, an hour ago. One that runs is not late."""

OVERDUE_AFTER: Final = timedelta(hours=24)
"""A day, whatever the interval: a night's outage and its retries fit into it, twice a day or more has had further
chances by then, and whoever reads once a week would not want to wait for the second week to hear that nothing runs."""

PAUSED_ITSELF: Final = "The login was rejected three times running"
"""How the reason begins with which Tidegate pauses a Connection; a person's begins with "Paused by"."""

PAUSED_STEP: Final = "Enter a new secret, and it goes on; or mend the account in the tool, then resume it."
"""How that reason ends."""

WORDS: Final[dict[Overall, str]] = {
    "needs you": "a person must do something first; nothing tries by itself what cannot work",
    "overdue": "a planned run has not gone well for 24 hours after it was due",
    "recovering": "the last run failed for a reason that may pass; it is tried again by itself",
    "late": "a planned run has not begun, or has not gone well, for an hour after it was due",
    "on time": "all that was planned went well, at least in part, or is running",
    "never ran": "none has come to its end yet, and none is late",
    "off": "nothing is planned, or the Connection is paused",
}
"""The worst first; a Connection is the first of these that it, its Discover or its Sync is."""

OVERALL: Final = tuple(WORDS)


@dataclass(frozen=True)
class RunFacts:
    """One Operation, as far as health looks at it. `at`: when it ended; before that, when it began or was asked for."""

    id: int
    status: str
    at: datetime
    cause: str = ""
    why: str = ""


@dataclass(frozen=True)
class HealthFacts:
    """What is stored about the Discover, or the Sync, of one Connection."""

    type: Literal["discover", "sync"]
    kind: str = "off"
    """Of its schedule: off, daily, weekly, hours, cron."""
    next_at: datetime | None = None
    retry_at: datetime | None = None
    changed_at: datetime | None = None
    """When the schedule was last changed: what another one had planned before is forgotten."""
    last: RunFacts | None = None
    """The newest Operation, however it is."""
    judged: RunFacts | None = None
    """The newest that came to its end: success, partial or failed."""
    good: RunFacts | None = None
    """The newest that went well, at least in part (a Record that fails has its own badge), and was for everything."""
    due_since: datetime | None = None
    """When the first planned run after `good` was due."""
    paused_at: datetime | None = None
    paused_because: str = ""

    @property
    def let_us_in(self) -> RunFacts | None:
        """The newest that the tool answered, for a selection too."""
        return self.judged if self.judged is not None and self.judged.status != "failed" else self.good


@dataclass(frozen=True)
class Health:
    """How Discover, or Sync, of a Connection is, with a sentence for each of the two words."""

    timing: Timing
    why: str
    attention: Attention = ""
    attention_why: str = ""
    cause: str = ""
    """Of the last run that ended, also where that was done in part: then a few Records need something."""
    next_step: str = ""
    since: datetime | None = None
    """When the run was due that is late or overdue."""


def health(facts: HealthFacts, now: datetime) -> Health:
    """Derived from the schedule and the runs; nobody sets it."""
    since = missed_since(facts, now)
    timing = timing_of(facts, since, now)
    attention, cause = attention_of(facts)
    return Health(
        timing=timing,
        why=why_timed(facts, timing, since, now),
        attention=attention,
        attention_why=why_attention(facts, attention, now),
        cause=cause,
        next_step=step_of(facts, attention, cause),
        since=since if timing in ("late", "overdue") else None,
    )


# Does it come when it should


def missed_since(facts: HealthFacts, now: datetime) -> datetime | None:
    """When the run was due that has not gone well yet; None where all that was planned was done."""
    if facts.paused_at is not None or facts.kind == "off":
        return None
    waits = facts.last.at if facts.last is not None and facts.last.status == "pending" else None
    due = [at for at in (facts.due_since, facts.next_at, waits) if at is not None and at <= now]
    if not due:
        return None
    return min(due) if facts.changed_at is None else max(min(due), facts.changed_at)


def timing_of(facts: HealthFacts, since: datetime | None, now: datetime) -> Timing:
    if facts.paused_at is not None or facts.kind == "off":
        return "off"
    if since is not None and now - since >= OVERDUE_AFTER:
        return "overdue"
    if since is not None and now - since >= LATE_AFTER and not runs(facts):
        return "late"
    return "never ran" if facts.judged is None and not runs(facts) else "on time"


def runs(facts: HealthFacts) -> bool:
    return facts.last is not None and facts.last.status == "running"


def why_timed(facts: HealthFacts, timing: Timing, since: datetime | None, now: datetime) -> str:
    what = facts.type.capitalize()
    match timing:
        case "off":
            if facts.paused_at is not None:
                return f"Paused since {day(facts.paused_at, now)}: {facts.paused_because or 'nothing runs.'}"
            return f"Off: no {what} is planned. {last_told(facts, now)}".rstrip()
        case "never ran":
            return f"No {what} has come to its end yet; {next_told(facts, now)}."
        case "on time":
            return f"{last_told(facts, now).rstrip('.') or f'The first {what} is on its way'}; {next_told(facts, now)}."
        case "late":
            return f"The {what} that was due on {moment(since, now)} {state_of_missed(facts)}."
        case "overdue":
            reached = "nothing has come since" if facts.good is None else "the last one that went well ended on"
            ended = moment(since if facts.good is None else facts.good.at, now)
            return f"The {what} that was due on {moment(since, now)} {state_of_missed(facts)}: {reached} {ended}."


def last_told(facts: HealthFacts, now: datetime) -> str:
    """ "The last Sync went well on 3 May at 02:10 UTC." """
    what = facts.type.capitalize()
    if runs(facts):
        return f"A {what} is running since {moment(facts.last and facts.last.at, now)}."
    if facts.judged is None:
        return ""
    went = {"success": "went well", "partial": "was done in part"}.get(facts.judged.status, "failed")
    return f"The last {what} {went} on {moment(facts.judged.at, now)}."


def next_told(facts: HealthFacts, now: datetime) -> str:
    ahead = [at for at in (facts.next_at, facts.retry_at) if at is not None and at > now]
    if ahead:
        return f"the next is planned for {moment(min(ahead), now)}"
    waits = facts.last is not None and facts.last.status == "pending"
    return "the next waits for its turn" if waits else "the next is being planned"


def state_of_missed(facts: HealthFacts) -> str:
    if runs(facts):
        return "is still running"
    if facts.last is not None and facts.last.status == "pending":
        return "waits for a worker"
    return "has not begun" if facts.due_since is None else "has not gone well yet"


def moment(at: datetime | None, now: datetime) -> str:
    """ "3 May at 02:10 UTC" """
    if at is None:
        return "an unknown day"
    there = at.astimezone(UTC)
    return f"{day(there, now)} at {there:%H:%M} UTC"


# Does it wait for a person


UNPLANNED: Final = "Nothing is planned, so nobody tries again: run it once more by hand."


def attention_of(facts: HealthFacts) -> tuple[Attention, str]:
    """Whom the last run that ended leaves something to do, and the word for why.

    One that was done in part is nobody's alarm (records.md): its Records wear their badge, and the cause is kept.
    """
    if facts.paused_at is not None and paused_itself(facts.paused_because):
        return "needs you", "auth_rejected"
    if facts.judged is None or facts.judged.status == "success":
        return "", ""
    cause = facts.judged.cause
    if facts.judged.status == "partial":
        return "", cause
    if the_cause(cause).needs_you or waits_for_nobody(facts, cause):
        return "needs you", cause
    return ("", cause) if facts.paused_at is not None else ("recovering", cause)


def step_of(facts: HealthFacts, attention: Attention, cause: str) -> str:
    if not attention and not cause:
        return ""
    if facts.paused_at is not None and paused_itself(facts.paused_because):
        return PAUSED_STEP
    return UNPLANNED if waits_for_nobody(facts, cause) else the_cause(cause).next_step


def waits_for_nobody(facts: HealthFacts, cause: str) -> bool:
    """A failure that might pass, but nothing will try again. Whoever paused the Connection knows."""
    return facts.kind == "off" and facts.paused_at is None and not the_cause(cause).needs_you


def why_attention(facts: HealthFacts, attention: Attention, now: datetime) -> str:
    if not attention:
        return ""
    if facts.paused_at is not None and paused_itself(facts.paused_because):
        return facts.paused_because
    told = "" if facts.judged is None else facts.judged.why
    number = f"{facts.type.capitalize()} {facts.judged.id}" if facts.judged else facts.type.capitalize()
    said = f"{number} failed: {told}" if told else f"{number} failed."
    if attention == "needs you":
        return said
    ahead = [at for at in (facts.retry_at, facts.next_at) if at is not None and at > now]
    next_try = f"on {moment(min(ahead), now)}" if ahead else "as soon as a worker is free"
    return f"{said.rstrip()} The next try is {next_try}."


def paused_itself(because: str) -> bool:
    """Whether Tidegate paused the Connection for its rejected logins; then a new secret resumes it."""
    return because.startswith(PAUSED_ITSELF)


# The Connection as a whole


def overall(healths: Iterable[Health], *, secret_ended: bool = False) -> Overall:
    """The worst word of a Connection."""
    words: set[str] = {"needs you"} if secret_ended else set()
    for one in healths:
        words |= {one.timing, one.attention}
    return next(word for word in OVERALL if word in words)


# Secrets with a known end


ToldBy = Literal["person", "token", "tool"]
WARN_DAYS: Final = (0, 3, 14)

_TOLD: Final = {"person": "as a person entered it", "token": "as it says itself", "tool": "as the tool says"}


@dataclass(frozen=True)
class SecretWarning:
    """`days` is the step that is reached: 14, 3 or 0 days before its end. `ended`: that is over."""

    days: Literal[0, 3, 14]
    ended: bool
    why: str
    next_step: str = CAUSES["secret_ended"].next_step


def secret_warning(ends_at: datetime | None, now: datetime, told_by: str = "") -> SecretWarning | None:
    """What to say of a secret's end now; None where it is far or not known. Days are those of a calendar, in UTC."""
    if ends_at is None:
        return None
    left = days_left(ends_at, now)
    reached = next((days for days in WARN_DAYS if left <= days), None)
    if reached is None:
        return None
    ended = now >= ends_at
    when = f"on {moment(ends_at, now)}" if left not in (0, 1) or ended else f"{('today', 'tomorrow')[left]}"
    source = f", {_TOLD[told_by]}" if told_by in _TOLD else ""
    why = f"Its secret {'ended' if ended else 'ends'} {when}{source}."
    return SecretWarning(reached, ended, why)  # pyright: ignore[reportArgumentType]


def days_left(ends_at: datetime, now: datetime) -> int:
    """Midnights between now and the end, below 0 where it is over."""
    return (ends_at.astimezone(UTC).date() - now.astimezone(UTC).date()).days


def end_of(last_day: date) -> datetime:
    """When a secret ends of which a person knows the last day."""
    return datetime.combine(last_day, time(23, 59, 59), tzinfo=UTC)


def secret_has_ended(ends_at: datetime | None, good: Iterable[RunFacts | None], now: datetime) -> bool:
    """Whether its end is over and nothing went well since: what still lets us in has not ended, whoever said so."""
    return ends_at is not None and now >= ends_at and not any(run is not None and run.at > ends_at for run in good)


def believed_end(
    known: datetime | None, known_by: str, told: datetime, told_by: ToldBy
) -> tuple[datetime, ToldBy] | None:
    """The end to store where a new one is told of the same secret; None where what is known stays.

    The tool knows best, the token next. A date that a person entered yields only to an earlier one: it may stand for a
    rule of the house, and a warning that comes too soon harms nobody.
    """
    if known is None or told_by == "person":
        return (told, told_by)
    if known_by == "person":
        return (told, told_by) if told < known else None
    if known_by == "tool" and told_by == "token":
        return None
    return None if (told, told_by) == (known, known_by) else (told, told_by)
