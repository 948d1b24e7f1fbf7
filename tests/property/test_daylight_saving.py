"""Schedules over every zone of the tz database for a whole year, against a clock on a wall that is read each minute.

The model knows nothing of cronsim, folds or gaps: it lets UTC pass, looks at what a clock in that zone shows, and says
of each local time the first minute at which the clock shows it, or something later.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from tidegate.rules.schedule import Schedule, jitter, next_runs

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BEGIN, END = datetime(2027, 1, 1, tzinfo=UTC) - 2 * DAY, datetime(2028, 1, 1, tzinfo=UTC) + 2 * DAY
HOURS = [BEGIN + n * HOUR for n in range((END - BEGIN) // HOUR + 1)]
DAYS = [date(2027, 1, 1) + n * DAY for n in range(365)]
KEY = "connection 1 sync"

Offsets = tuple[timedelta, ...]


def shown(moment: datetime, zone: ZoneInfo) -> datetime:
    """What a clock there shows."""
    return moment.astimezone(zone).replace(tzinfo=None)


@cache
def zones_by_rules() -> dict[Offsets, list[str]]:
    """Zones whose clocks agree at every full hour of the year.

    They agree in all of it: no clock is changed twice within an hour, and every change lies at a full or half hour of
    UTC. (Reading all 598 zones at each minute of the year gave the same groups; that takes minutes.) So there are some
    65 clocks to look at.
    """
    found: dict[Offsets, list[str]] = {}
    for name in sorted(zoneinfo.available_timezones() - {"localtime", "Factory"}):
        zone = ZoneInfo(name)
        found.setdefault(tuple(hour.astimezone(zone).utcoffset() or timedelta() for hour in HOURS), []).append(name)
    return found


class Clock:
    """The clock on a wall of one zone, for that year."""

    def __init__(self, name: str, offsets: Offsets) -> None:
        self.name, self.zone = name, ZoneInfo(name)
        self.hours = [
            (hour, hour.replace(tzinfo=None) + offset, offset == following)
            for hour, (offset, following) in zip(HOURS, pairwise(offsets), strict=False)
        ]
        self.changes = [change for hour, _, steady in self.hours if not steady for change in self._changes(hour)]

    def _changes(self, hour: datetime) -> Iterator[tuple[datetime, datetime, datetime]]:
        """When it is changed in that hour, what it shows then, and what it would have shown."""
        for before, after in pairwise(hour + n * MINUTE for n in range(61)):
            if shown(after, self.zone) != shown(before, self.zone) + MINUTE:
                yield after, shown(after, self.zone), shown(before, self.zone) + MINUTE

    def minutes(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Each minute of UTC with what it shows."""
        for hour, first, steady in self.hours:
            if begin <= hour < end:
                for n in range(60):
                    moment = hour + n * MINUTE
                    yield moment, first + n * MINUTE if steady else shown(moment, self.zone)

    def first_showing(self, wanted: Iterable[datetime]) -> dict[datetime, datetime]:
        """For each local time, the first minute at which the clock shows it or a later one."""
        found: dict[datetime, datetime] = {}
        waiting = sorted(set(wanted), reverse=True)
        for hour, first, steady in self.hours:
            if not steady:
                for n in range(60):
                    while waiting and waiting[-1] <= shown(hour + n * MINUTE, self.zone):
                        found[waiting.pop()] = hour + n * MINUTE
            while steady and waiting and waiting[-1] < first + HOUR:
                local = waiting.pop()
                found[local] = hour + max(local - first, timedelta())
        return found

    def interesting_times(self) -> list[str]:
        """Midnight, some others, and those before, in and behind what is skipped or doubled."""
        times = {"00:00", "02:00", "23:59"}
        for _, now, otherwise in self.changes:
            first, last = sorted((now, otherwise))
            middle = first + (last - first) / 2
            times |= {f"{at:%H:%M}" for at in (first - MINUTE, first, middle, last - MINUTE, last)}
        return sorted(times)


@cache
def clocks() -> list[Clock]:
    return [Clock(names[0], offsets) for offsets, names in zones_by_rules().items()]


def at_on(day: date, at: str) -> datetime:
    return datetime.fromisoformat(f"{day} {at}")


def exactly(**schedule: object) -> Schedule:
    """Without a spread, so that runs are where they are planned."""
    return Schedule(spread_minutes=0, **schedule)  # pyright: ignore[reportArgumentType]


def test_the_year_has_the_odd_clocks_that_this_is_about():
    """A gap or an overlap at midnight, of half an hour, of two hours, and winters of their own."""
    names = [name for names in zones_by_rules().values() for name in names]
    changed_at = {clock.name: [f"{now:%H:%M} {other:%H:%M}" for _, now, other in clock.changes] for clock in clocks()}
    sizes = {abs(now - otherwise) for clock in clocks() for _, now, otherwise in clock.changes}

    assert len(names) > 590
    assert len(clocks()) > 50
    assert sizes == {timedelta(minutes=30), HOUR, 2 * HOUR}
    assert len([name for name, times in changed_at.items() if "00:00" in " ".join(times)]) >= 5
    assert any(shown(after, clock.zone) < datetime(2027, 2, 28) for clock in clocks() for after, _, _ in clock.changes)  # noqa: DTZ001


def test_every_daily_time_runs_once_a_local_day_in_every_zone():
    """A skipped hour runs once, right after; a doubled hour runs once, the first time; never earlier than asked."""
    tried = 0
    for clock in clocks():
        times = clock.interesting_times()
        model = clock.first_showing(at_on(day, at) for at in times for day in DAYS)
        for at in times:
            expected = [model[at_on(day, at)] for day in DAYS]

            runs = next_runs(exactly(kind="daily", at=at, zone=clock.name), expected[0] - MINUTE, len(DAYS), KEY)

            assert runs == expected, f"{clock.name} at {at}"
            assert all(first < second for first, second in pairwise(runs))
            tried += 1
    assert tried > 300


def test_zones_of_the_same_rules_have_the_same_runs():
    """So what holds for one of each holds for every zone there is."""
    for names, clock in zip(zones_by_rules().values(), clocks(), strict=True):
        changed = clock.changes or [(HOURS[0], HOURS[0], HOURS[0])]
        begins = [after - 36 * HOUR for after, _, _ in changed]
        at = f"{changed[0][1] - MINUTE:%H:%M}"
        runs = {
            tuple(run for begin in begins for run in next_runs(exactly(kind="daily", at=at, zone=name), begin, 3, KEY))
            for name in names
        }

        assert len(runs) == 1, names


def test_asked_in_the_middle_of_a_change_the_next_run_is_the_first_later_one():
    """Also within the second pass of a doubled hour; and the jitter comes on top, in elapsed time."""
    for clock in clocks():
        for after, now, otherwise in clock.changes:
            days = [now.date() + n * DAY for n in range(-2, 3)]
            times = {f"{at:%H:%M}" for at in (min(now, otherwise), now, otherwise, max(now, otherwise) - 20 * MINUTE)}
            for at in times:
                schedule = Schedule("daily", at=at, zone=clock.name, spread_minutes=60)
                late = jitter(schedule, KEY)
                runs = [run + late for run in clock.first_showing(at_on(day, at) for day in days).values()]
                for asked in (after + n * 17 * MINUTE for n in range(-8, 12)):
                    (run,) = next_runs(schedule, asked, 1, KEY)

                    assert run == min(run for run in runs if run > asked), f"{clock.name} at {at} asked at {asked}"


def test_every_weekly_time_runs_once_a_week_in_every_zone():
    for clock in clocks():
        for _, now, otherwise in clock.changes or [(HOURS[0], at_on(DAYS[0], "02:00"), at_on(DAYS[0], "02:00"))]:
            wanted = {min(now, otherwise), max(now, otherwise) - MINUTE}
            for weekday, at in {(shown.weekday(), f"{shown:%H:%M}") for shown in wanted}:
                days = [day for day in DAYS if day.weekday() == weekday]
                expected = list(clock.first_showing(at_on(day, at) for day in days).values())
                schedule = exactly(kind="weekly", weekday=weekday, at=at, zone=clock.name)

                assert next_runs(schedule, expected[0] - MINUTE, len(days), KEY) == expected, f"{clock.name} {schedule}"


BY_THE_CLOCK: dict[str, Callable[[datetime], bool]] = {
    "*/15 1-3 * * *": lambda shown: shown.minute % 15 == 0 and 1 <= shown.hour <= 3,
    "0 */6 * * *": lambda shown: shown.minute == 0 and shown.hour % 6 == 0,
    "30 0,23 * * sat,sun": lambda shown: shown.minute == 30 and shown.hour in (0, 23) and shown.weekday() >= 5,
}
BY_REAL_HOURS: dict[str, Callable[[datetime], bool]] = {
    "*/20 * * * *": lambda shown: shown.minute % 20 == 0,
    "7 0-23 * * *": lambda shown: shown.minute == 7,
    "30 * * * 0": lambda shown: shown.minute == 30 and shown.weekday() == 6,
}


def around_changes(clock: Clock) -> list[tuple[datetime, datetime]]:
    """Eight days around each change; eight of any where there is none. Whole days of UTC."""
    days = {after.replace(hour=0, minute=0) for after, _, _ in clock.changes} or {HOURS[24 * 90]}
    return [(max(day - 4 * DAY, BEGIN), min(day + 4 * DAY, END)) for day in sorted(days)]


def test_a_cron_expression_for_some_hours_runs_once_for_each_local_time_it_names():
    """What is skipped together runs together, once."""
    for clock in clocks():
        for begin, end in around_changes(clock):
            first = shown(begin, clock.zone) + 2 * DAY
            local = [first + n * MINUTE for n in range(4 * 24 * 60)]
            for expression, names in BY_THE_CLOCK.items():
                expected = sorted(set(clock.first_showing(at for at in local if names(at)).values()))
                schedule = exactly(kind="cron", cron=expression, zone=clock.name)

                runs = next_runs(schedule, expected[0] - MINUTE, len(expected), KEY)

                assert runs == expected, f"{expression} in {clock.name} until {end}"


def test_a_cron_expression_for_every_hour_runs_whenever_the_clock_shows_it():
    for clock in clocks():
        for begin, end in around_changes(clock):
            minutes = list(clock.minutes(begin, end))
            for expression, names in BY_REAL_HOURS.items():
                expected = [moment for moment, at in minutes if names(at)]
                schedule = exactly(kind="cron", cron=expression, zone=clock.name)

                assert next_runs(schedule, begin - MINUTE, len(expected), KEY) == expected, (
                    f"{expression}, {clock.name}"
                )


def test_every_so_many_hours_takes_no_notice_of_clocks():
    for hours in (1, 6, 12, 24):
        runs = {
            tuple(next_runs(exactly(kind="hours", hours=hours, zone=clock.name), BEGIN, 400, KEY)) for clock in clocks()
        }

        assert len(runs) == 1
        assert {second - first for first, second in pairwise(runs.pop())} == {hours * HOUR}
