"""What a schedule may say, when it runs, and how a person is told. Clocks that are changed: tests/property."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.rules.schedule import (
    HOURS,
    TYPES,
    Schedule,
    ScheduleRefused,
    Turn,
    default_schedule,
    in_words,
    jitter,
    key_of,
    moment_in_words,
    next_runs,
    runs_in_words,
    turn,
)

NOW = datetime(2026, 11, 26, 18, 30, tzinfo=UTC)  # a Thursday
KEY = "connection 12 sync"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def daily(at: str = "02:00", **more: Any) -> Schedule:
    return Schedule("daily", at=at, **{"spread_minutes": 0, **more})


def cron(expression: str, **more: Any) -> Schedule:
    return Schedule("cron", cron=expression, **{"spread_minutes": 0, **more})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("chosen", "sentence", "next_step"),
    [
        ({"kind": "hourly"}, "«hourly» is no kind of schedule.", "Choose off, daily, weekly, hours or cron."),
        ({"kind": "daily", "at": "2:00"}, "«2:00» is no time of day.", "Give it as 00:00 to 23:59."),
        ({"kind": "daily", "at": "24:00"}, "«24:00» is no time of day.", "Give it as 00:00 to 23:59."),
        ({"kind": "daily", "at": "02:00\n"}, "«02:00\n» is no time of day.", "Give it as 00:00 to 23:59."),
        (
            {"kind": "weekly", "at": "02:00", "weekday": 7},
            "There is no weekday 7.",
            "Give 0 (Monday) to 6 (Sunday).",
        ),
        (
            {"kind": "hours", "hours": 5},
            "A day cannot be divided into parts of 5 hours.",
            "Choose 1, 2, 3, 4, 6, 8, 12 or 24.",
        ),
        (
            {"kind": "off", "spread_minutes": 721},
            "Runs cannot be spread over 721 minutes.",
            "Give a number from 0 to 720.",
        ),
        (
            {"kind": "off", "spread_minutes": -1},
            "Runs cannot be spread over -1 minutes.",
            "Give a number from 0 to 720.",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused_with_what_can(chosen: Any, sentence: str, next_step: str):
    with pytest.raises(ScheduleRefused) as refused:
        Schedule(**chosen)

    assert (refused.value.sentence, refused.value.next_step) == (sentence, next_step)


@pytest.mark.parametrize(
    ("zone", "next_step"),
    [
        ("Europe/Berln", "Did you mean Europe/Berlin"),
        ("europe/berlin", "Did you mean Europe/Berlin?"),
        ("Berlin", "Did you mean Europe/Berlin?"),
        ("new york", "Did you mean America/New_York?"),
        ("Nowhere/Nothing", "Give a name of the tz database, such as Europe/Berlin."),
        ("", "Give a name of the tz database"),
        ("../etc/passwd", "Give a name of the tz database"),
        ("localtime", "Give a name of the tz database"),
        ("x" * 100_000, "Give a name of the tz database"),
    ],
)
def test_an_unknown_zone_is_refused_with_those_that_may_be_meant(zone: str, next_step: str):
    with pytest.raises(ScheduleRefused) as refused:
        daily(zone=zone)

    assert refused.value.sentence.startswith("There is no time zone «")
    assert len(refused.value.sentence) < 120
    assert refused.value.next_step.startswith(next_step)


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("@daily", "«@daily» is no cron expression."),
        ("0 0 2 * * *", "«0 0 2 * * *» is no cron expression."),
        ("", "«» is no cron expression."),
        ("61 2 * * *", "The minute of the cron expression «61 2 * * *» cannot be read."),
        ("0 2 99 * *", "The day of the month of the cron expression «0 2 99 * *» cannot be read."),
        ("0 2 * * MOO", "The day of the week of the cron expression «0 2 * * MOO» cannot be read."),
        ("0 2 30 2 *", "The cron expression «0 2 30 2 *» never comes."),
        ("0 2 31 4,6,9,11 *", "The cron expression «0 2 31 4,6,9,11 *» never comes."),
        ("0 2 * 2 */7#5", "The day of the week of the cron expression «0 2 * 2 */7#5» cannot be read."),
        ("9" * 5_000 + " 2 * * *", "A cron expression of 5,008 characters is too long."),
    ],
)
def test_a_cron_expression_that_cannot_be_read_or_never_comes_is_refused(expression: str, sentence: str):
    with pytest.raises(ScheduleRefused) as refused:
        cron(expression)

    assert refused.value.sentence == sentence
    assert refused.value.next_step


@given(
    st.one_of(st.text(max_size=30), st.lists(st.text("0123456789*/,-#LWMONSU", max_size=6), max_size=6).map(" ".join))
)
def test_any_text_is_a_cron_expression_that_comes_or_is_refused(text: str):
    try:
        schedule = cron(text)
    except ScheduleRefused:
        return

    runs = next_runs(schedule, NOW, 2, KEY)
    assert NOW < runs[0] < runs[1]


def test_off_never_runs():
    assert next_runs(Schedule("off"), NOW, 3, KEY) == []


def test_daily_goes_by_the_clocks_of_its_zone():
    """Daily at a local time with a time zone by default."""
    runs = next_runs(daily(zone="Europe/Berlin"), NOW, 2, KEY)

    assert runs == [utc("2026-11-27 01:00"), utc("2026-11-28 01:00")]
    assert {run.tzinfo for run in runs} == {UTC}


def test_a_run_at_this_very_moment_is_not_a_later_one():
    assert next_runs(daily(), utc("2026-11-27 02:00"), 1, KEY) == [utc("2026-11-28 02:00")]
    assert next_runs(daily(), utc("2026-11-27 01:59:59.999"), 1, KEY) == [utc("2026-11-27 02:00")]


@pytest.mark.parametrize(("weekday", "day"), [(0, "30"), (3, "26"), (6, "29")])
def test_weekly_runs_on_its_day(weekday: int, day: str):
    schedule = Schedule("weekly", at="20:00", weekday=weekday, spread_minutes=0)

    assert next_runs(schedule, NOW, 1, KEY) == [utc(f"2026-11-{day} 20:00")]


def test_every_six_hours_is_anchored_and_not_counted_from_when_it_is_asked():
    """Every six or twelve hours … are accepted."""
    for after in (NOW, NOW + 5 * HOUR - timedelta(seconds=1)):
        assert next_runs(Schedule("hours", hours=6, spread_minutes=0), after, 1, KEY)[0].hour in (0, 6, 12, 18)
    for hours in HOURS:
        runs = next_runs(Schedule("hours", hours=hours), NOW, 30, KEY)
        assert {second - first for first, second in pairwise(runs)} == {hours * HOUR}


def test_cron_means_what_debian_means_by_it():
    """… or any cron expression: where neither day begins with a star, either of them is enough."""
    assert next_runs(cron("0 12 1 * 5"), NOW, 2, KEY) == [utc("2026-11-27 12:00"), utc("2026-12-01 12:00")]
    assert next_runs(cron("30 2 * * mon-fri"), NOW, 2, KEY) == [utc("2026-11-27 02:30"), utc("2026-11-30 02:30")]
    assert next_runs(cron("0 0 29 2 *"), NOW, 1, KEY) == [utc("2028-02-29 00:00")]


def test_an_hour_that_is_shown_twice_is_half_over_and_its_run_is_not_given_again():
    """Never earlier than asked."""
    second_pass = utc("2027-10-31 01:10")  # in Berlin 02:10, for the second time

    assert next_runs(daily("02:30", zone="Europe/Berlin"), second_pass, 1, KEY) == [utc("2027-11-01 01:30")]


def test_runs_of_one_skip_are_one_run():
    """A skipped hour runs once."""
    schedule = cron("*/15 2 * * *", zone="Europe/Berlin")

    assert next_runs(schedule, utc("2027-03-28 00:00"), 2, KEY) == [utc("2027-03-28 01:00"), utc("2027-03-29 00:00")]


def test_the_jitter_is_always_the_same_and_less_than_the_spread():
    schedule = daily(spread_minutes=60)

    assert jitter(schedule, KEY) == jitter(schedule, KEY) == timedelta(minutes=1, seconds=23)
    assert jitter(schedule, "connection 13 sync") != jitter(schedule, KEY)
    assert jitter(daily(spread_minutes=0), KEY) == timedelta()
    assert next_runs(schedule, NOW, 1, KEY) == [utc("2026-11-27 02:00") + jitter(schedule, KEY)]


@given(st.integers(1, 2**63 - 1), st.integers(1, 720), st.sampled_from(TYPES))
def test_no_jitter_leaves_the_spread(connection: int, spread: int, type: Any):
    assert timedelta() <= jitter(daily(spread_minutes=spread), key_of(connection, type)) < timedelta(minutes=spread)


def test_a_run_that_is_late_by_jitter_and_was_planned_before_still_comes():
    late = jitter(daily(spread_minutes=60), KEY)

    runs = next_runs(daily(spread_minutes=60), utc("2026-11-27 02:00") + late - timedelta(seconds=1), 1, KEY)

    assert runs == [utc("2026-11-27 02:00") + late]


@pytest.mark.parametrize("type", TYPES)
def test_a_hundred_connections_do_not_start_together(type: Any):
    """Spread by a stable jitter so that a hundred Connections do not start at midnight together."""
    schedule = default_schedule(type, "UTC")
    starts = [next_runs(schedule, NOW, 1, key_of(connection, type))[0] for connection in range(1, 101)]
    tenths = Counter((start.minute // 6) for start in starts)

    assert len(set(starts)) > 95
    assert len(tenths) == 10
    assert 3 <= min(tenths.values()) <= max(tenths.values()) <= 18
    assert max(Counter(start.replace(second=0) for start in starts).values()) <= 6


def test_a_new_connection_is_discovered_before_it_is_synced():
    for connection in range(100):
        (discover,) = next_runs(default_schedule("discover", "UTC"), NOW, 1, key_of(connection, "discover"))
        (sync,) = next_runs(default_schedule("sync", "UTC"), NOW, 1, key_of(connection, "sync"))

        assert discover < sync


# What a schedule wants when the scheduler looks


def test_before_its_time_it_wants_nothing():
    assert turn(daily(), KEY, utc("2026-11-27 02:00"), None, NOW) == Turn(False, utc("2026-11-27 02:00"))


def test_at_its_time_it_runs_and_is_planned_anew():
    at = utc("2026-11-27 02:00")

    assert turn(daily(), KEY, at, None, at) == Turn(True, at + DAY)


def test_runs_missed_while_the_service_was_down_are_made_up_once():
    """Missed runs while the service was down are made up once, not once per missed run."""
    missed = NOW - 10 * DAY

    looked = turn(Schedule("hours", hours=1, spread_minutes=0), KEY, missed, None, NOW)

    assert looked == Turn(True, utc("2026-11-26 19:00"))
    assert not turn(Schedule("hours", hours=1, spread_minutes=0), KEY, looked.next_at, None, NOW).run


def test_what_was_never_planned_is_planned_and_not_run():
    assert turn(daily(), KEY, None, None, NOW) == Turn(False, utc("2026-11-27 02:00"))


def test_an_earlier_try_runs_and_leaves_the_plan_as_it_is():
    planned = utc("2026-11-27 02:00")

    assert turn(daily(), KEY, planned, NOW, NOW) == Turn(True, planned)
    assert turn(daily(), KEY, planned, NOW + HOUR, NOW) == Turn(False, planned)


def test_what_a_jumped_clock_planned_is_planned_anew():
    """A clock that jumps: what lies further ahead than the schedule says is not believed."""
    assert turn(daily(), KEY, NOW + 400 * DAY, None, NOW) == Turn(False, utc("2026-11-27 02:00"))


def test_off_wants_nothing_even_where_something_was_planned():
    assert turn(Schedule("off"), KEY, NOW - DAY, NOW - DAY, NOW) == Turn(False, None)


@given(
    st.sampled_from([daily(), cron("*/10 * * * *"), Schedule("hours", hours=4), Schedule("weekly", at="12:00")]),
    st.lists(st.integers(1, 20_000), min_size=1, max_size=40),
)
def test_looked_at_now_and_then_it_runs_once_for_each_look_with_a_run_behind_it(schedule: Schedule, minutes: list[int]):
    at, next_at = NOW, turn(schedule, KEY, None, None, NOW).next_at

    for pause in minutes:
        before, at = at, at + timedelta(minutes=pause)
        wanted = turn(schedule, KEY, next_at, None, at)
        between = next_runs(schedule, before, 1, KEY)[0] <= at
        assert wanted.run == between
        next_at = wanted.next_at
        assert next_at is not None
        assert next_at > at


# In words


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Schedule("off"), "off"),
        (daily("02:00", zone="Europe/Berlin"), "daily at 02:00 (Europe/Berlin)"),
        (daily(spread_minutes=60), "daily at 02:00 (UTC), up to 60 minutes later"),
        (daily(spread_minutes=1), "daily at 02:00 (UTC), up to a minute later"),
        (Schedule("weekly", at="02:00", weekday=6, spread_minutes=0), "every Sunday at 02:00 (UTC)"),
        (Schedule("hours", hours=1, spread_minutes=0), "every hour"),
        (Schedule("hours", hours=6, spread_minutes=30), "every 6 hours, up to 30 minutes later"),
        (cron("30 2 * * 1-5"), "by cron 30 2 * * 1-5 (UTC)"),
    ],
)
def test_a_schedule_is_said_in_words(schedule: Schedule, words: str):
    assert in_words(schedule) == words


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-11-26 22:59", "today at 23:59"),
        ("2026-11-26 23:00", "tomorrow at 00:00"),
        ("2026-11-28 01:17", "Saturday at 02:17"),
        ("2026-12-02 01:17", "Wednesday at 02:17"),
        ("2026-12-03 01:17", "Thursday 3 December at 02:17"),
        ("2027-02-03 01:17", "Wednesday 3 February 2027 at 02:17"),
        ("2026-11-25 12:00", "yesterday at 13:00"),
        ("2026-11-20 12:00", "Friday 20 November at 13:00"),
    ],
)
def test_a_moment_is_said_by_the_clocks_of_its_zone(at: str, words: str):
    assert moment_in_words(utc(at), NOW, "Europe/Berlin") == words


def test_the_next_three_runs_are_said_in_words():
    """The next three runs are known in words."""
    runs = next_runs(daily(zone="Europe/Berlin"), NOW, 3, KEY)

    said = runs_in_words(runs, NOW, "Europe/Berlin")

    assert said == "tomorrow at 02:00, Saturday at 02:00 and Sunday at 02:00 (Europe/Berlin)"
    assert runs_in_words(runs[:1], NOW, "Europe/Berlin") == "tomorrow at 02:00 (Europe/Berlin)"
    assert runs_in_words([], NOW, "Europe/Berlin") == ""
