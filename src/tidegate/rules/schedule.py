"""When a Connection is discovered and synced by itself: what a schedule may say, and which moments it means.

A schedule by the clock (daily, weekly, cron) runs once for each local time it names. One that the clock skips runs when
the skip is over, together with others of the same skip; one that the clock shows twice runs the first time. A schedule
by elapsed time (every so many hours, and a cron expression for every hour) takes no notice of the clock being changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache, lru_cache
from hashlib import sha256
from itertools import islice
from typing import Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

Kind = Literal["off", "daily", "weekly", "hours", "cron"]
Type = Literal["discover", "sync"]

KINDS: tuple[str, ...] = get_args(Kind)
TYPES: tuple[Type, ...] = get_args(Type)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
HOURS = (1, 2, 3, 4, 6, 8, 12, 24)
LONGEST_SPREAD = 720
LONGEST_CRON = 200
LONGEST_DOUBLED = timedelta(hours=3)  # Troll shows two hours twice
DEFAULT_SPREAD = 60
DEFAULT_AT: dict[Type, str] = {"discover": "01:00", "sync": "02:00"}

_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SOME_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 - a day without a place: only whether an expression ever comes is asked
_OF_A_MACHINE = frozenset({"localtime", "Factory"})  # what they mean differs from machine to machine, or is nothing


class ScheduleRefused(ValueError):
    """A schedule that cannot be kept. `sentence` says why, `next_step` what can be said instead."""

    def __init__(self, sentence: str, next_step: str) -> None:
        super().__init__(f"{sentence} {next_step}")
        self.sentence = sentence
        self.next_step = next_step


@dataclass(frozen=True)
class Schedule:
    """What a person chose; fields that are not of the kind do not count. Raises ScheduleRefused for what cannot be."""

    kind: Kind
    at: str = ""
    weekday: int = 0
    hours: int = 0
    cron: str = ""
    zone: str = "UTC"
    spread_minutes: int = DEFAULT_SPREAD

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ScheduleRefused(f"{_shown(self.kind)} is no kind of schedule.", f"Choose {_either(KINDS)}.")
        if self.zone not in zones():
            raise _no_such_zone(self.zone)
        if not 0 <= self.spread_minutes <= LONGEST_SPREAD:
            raise ScheduleRefused(
                f"Runs cannot be spread over {self.spread_minutes:,} minutes.",
                f"Give a number from 0 to {LONGEST_SPREAD}.",
            )
        if self.kind in ("daily", "weekly") and not _TIME.fullmatch(self.at):
            raise ScheduleRefused(f"{_shown(self.at)} is no time of day.", "Give it as 00:00 to 23:59.")
        if self.kind == "weekly" and self.weekday not in range(7):
            raise ScheduleRefused(f"There is no weekday {self.weekday}.", "Give 0 (Monday) to 6 (Sunday).")
        if self.kind == "hours" and self.hours not in HOURS:
            raise ScheduleRefused(
                f"A day cannot be divided into parts of {self.hours} hours.", f"Choose {_either(map(str, HOURS))}."
            )
        if self.kind == "cron":
            _goes_by_hours(self.cron)


@cache
def zones() -> frozenset[str]:
    """The time zones there are, by name."""
    return frozenset(available_timezones() - _OF_A_MACHINE)


def default_schedule(type: Type, zone: str) -> Schedule:
    """What a new Connection begins with: daily, Discover an hour before Sync."""
    return Schedule("daily", at=DEFAULT_AT[type], zone=zone)


def key_of(connection_id: int, type: str) -> str:
    """What the jitter of a schedule hangs on, for ever."""
    return f"connection {connection_id} {type}"


def next_runs(schedule: Schedule, after: datetime, n: int, key: str) -> list[datetime]:
    """The next n moments (UTC) later than `after`; fewer where the schedule is off."""
    late = jitter(schedule, key)
    return [planned + late for planned in islice(_planned(schedule, after.astimezone(UTC) - late), n)]


def jitter(schedule: Schedule, key: str) -> timedelta:
    """How much later than planned this one runs: always the same, less than the spread, and even over many keys."""
    if not schedule.spread_minutes:
        return timedelta()
    number = int.from_bytes(sha256(key.encode()).digest()[:8], "big")
    return timedelta(seconds=number % (schedule.spread_minutes * 60))


@dataclass(frozen=True)
class Turn:
    """What a schedule wants now: whether an Operation is asked for, and when it wants to be looked at again."""

    run: bool
    next_at: datetime | None


def turn(schedule: Schedule, key: str, next_at: datetime | None, retry_at: datetime | None, now: datetime) -> Turn:
    """Runs that were missed, however many, are made up by one. What is planned further ahead than the schedule says was
    planned by a clock that had jumped, and is planned anew."""
    if schedule.kind == "off":
        return Turn(False, None)
    run = is_due(next_at, now) or is_due(retry_at, now)
    following = next(iter(next_runs(schedule, now, 1, key)), None)
    kept = next_at is not None and following is not None and now < next_at <= following
    return Turn(run, next_at if kept else following)


def is_due(at: datetime | None, now: datetime) -> bool:
    """Whether a planned moment has come."""
    return at is not None and at <= now


# The moments as they are planned, before the jitter


def _planned(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    if schedule.kind == "off":
        return iter(())
    if schedule.kind == "hours":
        return _by_elapsed_time(timedelta(hours=schedule.hours), after)
    expression = _expression(schedule)
    by = _by_real_hours if _goes_by_hours(expression) else _by_the_clock
    return by(expression, ZoneInfo(schedule.zone), after)


def _by_elapsed_time(step: timedelta, after: datetime) -> Iterator[datetime]:
    moment = _EPOCH + ((after - _EPOCH) // step + 1) * step
    while True:
        yield moment
        moment += step


def _by_the_clock(expression: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Each local time once. cronsim is asked for local times without a zone: with one it (2.8) gives doubled times that
    are past, loses `*/15 2 * * *` in a skipped hour, and gives it twice in a doubled one."""
    latest = after
    for shown in CronSim(expression, after.astimezone(zone).replace(tzinfo=None)):
        moment = _first_showing(shown, zone)
        if moment > latest:
            yield moment
            latest = moment


def _by_real_hours(expression: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Whenever the clocks show it: what runs in every hour runs twice in a doubled one, and in a skipped one not."""
    again: list[datetime] = []
    for shown in CronSim(expression, after.astimezone(zone).replace(tzinfo=None) - LONGEST_DOUBLED):
        first, second = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        moments = [first]
        if first < second:
            again.append(second)  # they come when all of the doubled time was shown once
        else:
            moments = [*again, first] if first == second else again
            again = []
        yield from (moment for moment in moments if moment > after)


def _first_showing(shown: datetime, zone: ZoneInfo) -> datetime:
    """The first moment at which the clocks there show this local time; where they skip it, the end of the skip."""
    first = shown.replace(tzinfo=zone)
    moment = first.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == shown:
        return moment
    # Of a time that is skipped, fold 0 counts on from before the skip and so comes after it; fold 1 comes before it.
    before, since, old_time = first.replace(fold=1).astimezone(UTC), moment, first.utcoffset()
    while since - before > timedelta(seconds=1):
        middle = (before + (since - before) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == old_time:
            before = middle
        else:
            since = middle
    return since


def _expression(schedule: Schedule) -> str:
    if schedule.kind == "cron":
        return schedule.cron
    hour, minute = schedule.at.split(":")
    day = (schedule.weekday + 1) % 7 if schedule.kind == "weekly" else "*"  # cron counts from Sunday
    return f"{int(minute)} {int(hour)} * * {day}"


@lru_cache(maxsize=1024)
def _goes_by_hours(expression: str) -> bool:
    """Whether a cron expression runs in every hour. Raises ScheduleRefused for one that is none or never comes."""
    if len(expression) > LONGEST_CRON:
        raise ScheduleRefused(
            f"A cron expression of {len(expression):,} characters is too long.", "Choose a shorter one."
        )
    if len(expression.split()) != 5:
        raise ScheduleRefused(
            f"{_shown(expression)} is no cron expression.",
            "It has five fields: minute, hour, day of the month, month, day of the week.",
        )
    try:
        moments = CronSim(expression, _SOME_DAY)
    except CronSimError as error:
        if _is_read(f"0 0 {expression.split()[2]} 1 *") and "day-of-month" in str(error):
            raise _never_comes(expression) from error
        wrong = str(error).removeprefix("Bad ").replace("day-of-", "day of the ")
        raise ScheduleRefused(
            f"The {wrong} of the cron expression {_shown(expression)} cannot be read.",
            "Correct it, as in: 30 2 * * 1-5",
        ) from error
    if next(moments, None) is None:
        raise _never_comes(expression)
    return moments.hours == set(range(24))


def _is_read(expression: str) -> bool:
    try:
        CronSim(expression, _SOME_DAY)
    except CronSimError:
        return False
    return True


def _never_comes(expression: str) -> ScheduleRefused:
    return ScheduleRefused(f"The cron expression {_shown(expression)} never comes.", "Name a day that there is.")


def _no_such_zone(zone: str) -> ScheduleRefused:
    near = _near_zones(zone)
    return ScheduleRefused(
        f"There is no time zone {_shown(zone)}.",
        f"Did you mean {_either(near)}?" if near else "Give a name of the tz database, such as Europe/Berlin.",
    )


def _near_zones(zone: str) -> list[str]:
    """Zones that a person may have meant: written otherwise, of this city, or with a slip."""
    if not 2 <= len(zone) <= 60:
        return []
    wanted = zone.strip().replace(" ", "_").casefold()
    known = {name.casefold(): name for name in sorted(zones())}
    of_the_city = [name for folded, name in known.items() if folded.rpartition("/")[2] == wanted.rpartition("/")[2]]
    slips = [known[folded] for folded in get_close_matches(wanted, known, 3, 0.75)]
    exact = [known[wanted]] if wanted in known else []
    return exact or list(dict.fromkeys([*of_the_city, *slips]))[:3]


# In words


def in_words(schedule: Schedule) -> str:
    """The schedule as a person would say it."""
    spread = "" if schedule.kind == "off" else _spread_in_words(schedule.spread_minutes)
    return f"{rhythm_in_words(schedule)}{spread}"


def rhythm_in_words(schedule: Schedule) -> str:
    """The same without the spread."""
    if schedule.kind == "off":
        return "off"
    if schedule.kind == "hours":
        return "every hour" if schedule.hours == 1 else f"every {schedule.hours} hours"
    said = {
        "daily": f"daily at {schedule.at}",
        "weekly": f"every {WEEKDAYS[schedule.weekday]} at {schedule.at}",
        "cron": f"by cron {schedule.cron}",
    }[schedule.kind]
    return f"{said} ({schedule.zone})"


def runs_in_words(runs: Sequence[datetime], now: datetime, zone: str) -> str:
    """Moments to come as a person there would say them: *tomorrow at 02:17 and Saturday at 02:17 (UTC)*."""
    return f"{_listed([moment_in_words(run, now, zone) for run in runs], 'and')} ({zone})" if runs else ""


def moment_in_words(at: datetime, now: datetime, zone: str) -> str:
    """A moment by the clocks of that zone, without its name."""
    there, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    ahead = (there.date() - today).days
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    if ahead in near:
        day = near[ahead]
    elif 1 < ahead < 7:
        day = WEEKDAYS[there.weekday()]
    else:
        year = "" if there.year == today.year else f" {there.year}"
        day = f"{WEEKDAYS[there.weekday()]} {there.day} {MONTHS[there.month - 1]}{year}"
    return f"{day} at {there:%H:%M}"


def _spread_in_words(minutes: int) -> str:
    if not minutes:
        return ""
    return ", up to a minute later" if minutes == 1 else f", up to {minutes} minutes later"


def _either(words: Sequence[str] | Iterator[str]) -> str:
    return _listed(list(words), "or")


def _listed(words: list[str], last: str) -> str:
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _shown(text: str) -> str:
    return f"«{text}»" if len(text) <= 80 else f"«{text[:77]}…»"
