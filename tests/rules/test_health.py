"""How a Connection is, from its schedule and its runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.rules.cause import CAUSES
from tidegate.rules.health import (
    LATE_AFTER,
    OVERALL,
    OVERDUE_AFTER,
    PAUSED_ITSELF,
    Health,
    HealthFacts,
    RunFacts,
    believed_end,
    days_left,
    end_of,
    health,
    overall,
    secret_has_ended,
    secret_warning,
)

DUE = datetime(2031, 5, 4, 2, 0, tzinfo=UTC)
NEXT = DUE + timedelta(days=1)
HOUR = timedelta(hours=1)
WENT_WELL = RunFacts(11, "success", DUE - timedelta(days=1) + timedelta(minutes=9))
DAILY = HealthFacts("sync", kind="daily", next_at=NEXT, last=WENT_WELL, judged=WENT_WELL, good=WENT_WELL)


def failed(cause: str, why: str = "burp.example.org answered 503.", at: datetime = DUE) -> RunFacts:
    return RunFacts(12, "failed", at + timedelta(minutes=1), cause, why)


def after_failure(cause: str, **facts: Any) -> HealthFacts:
    run = failed(cause)
    return replace(DAILY, last=run, judged=run, due_since=DUE, **facts)


# On time, late, overdue


def test_a_run_that_went_well_and_the_next_that_is_planned_are_on_time():
    found = health(DAILY, DUE - HOUR)

    assert (found.timing, found.attention) == ("on time", "")
    assert found.why == "The last Sync went well on 3 May at 02:09 UTC; the next is planned for 5 May at 02:00 UTC."


@pytest.mark.parametrize(
    ("after", "word"),
    [
        (LATE_AFTER - timedelta(seconds=1), "on time"),
        (LATE_AFTER, "late"),
        (OVERDUE_AFTER - timedelta(seconds=1), "late"),
        (OVERDUE_AFTER, "overdue"),
    ],
)
def test_a_planned_run_that_nobody_began_is_late_then_overdue(after: timedelta, word: str):
    """Issue 4, 9: on time, late, overdue from the schedule; also where the scheduler itself is dead."""
    found = health(replace(DAILY, next_at=DUE), DUE + after)

    assert found.timing == word
    assert found.since == (None if word == "on time" else DUE)


def test_the_sentence_of_what_is_overdue_says_since_when_nothing_came():
    found = health(replace(DAILY, next_at=DUE), DUE + timedelta(days=3))

    assert found.why == (
        "The Sync that was due on 4 May at 02:00 UTC has not begun:"
        " the last one that went well ended on 3 May at 02:09 UTC."
    )


def test_what_waits_for_a_worker_is_late_as_well():
    waits = RunFacts(12, "pending", DUE)
    found = health(replace(DAILY, last=waits), DUE + 2 * HOUR)

    assert found.timing == "late"
    assert "waits for a worker" in found.why


def test_a_long_run_is_not_late_and_overdue_after_a_day_all_the_same():
    runs = replace(DAILY, last=RunFacts(12, "running", DUE), due_since=DUE)

    assert health(runs, DUE + 10 * HOUR).timing == "on time"
    assert "is still running" in health(runs, DUE + OVERDUE_AFTER).why


def test_failures_do_not_push_the_time_from_which_it_is_overdue():
    """Each retry and each further planned run is new; the one that first did not go well counts."""
    facts = replace(after_failure("vendor_down"), last=failed("vendor_down", at=DUE + 23 * HOUR))

    assert health(facts, DUE + OVERDUE_AFTER).timing == "overdue"


def test_a_run_that_was_done_in_part_is_on_time():
    """records.md: a Record that fails does not stop the others; its badge says so."""
    partly = RunFacts(12, "partial", DUE, "access_denied", "Shop: answered 403.")
    found = health(replace(DAILY, last=partly, judged=partly, good=partly), DUE + HOUR)

    assert (found.timing, found.attention, found.cause) == ("on time", "", "access_denied")
    assert "done in part" in found.why
    assert found.next_step == CAUSES["access_denied"].next_step


def test_nothing_is_overdue_by_what_another_schedule_had_planned():
    facts = after_failure("vendor_down", changed_at=DUE + 23 * HOUR)

    assert health(facts, DUE + OVERDUE_AFTER).timing == "late"


def test_a_new_connection_never_ran_until_it_is_overdue():
    new = HealthFacts("sync", kind="daily", next_at=DUE)

    assert health(new, DUE - HOUR).timing == "never ran"
    assert health(new, DUE - HOUR).why == (
        "No Sync has come to its end yet; the next is planned for 4 May at 02:00 UTC."
    )
    assert health(new, DUE + OVERDUE_AFTER).timing == "overdue"
    assert "nothing has come since" in health(new, DUE + OVERDUE_AFTER).why


def test_what_is_off_or_paused_is_never_late():
    for facts in (replace(DAILY, kind="off"), replace(DAILY, paused_at=DUE, paused_because="Paused by alice.")):
        found = health(replace(facts, next_at=DUE - timedelta(days=9), due_since=DUE), DUE)

        assert (found.timing, found.attention) == ("off", "")


def test_who_paused_it_and_why_is_said():
    found = health(replace(DAILY, paused_at=DUE, paused_because="Paused by alice: the move."), DUE)

    assert found.why == "Paused since 4 May: Paused by alice: the move."


# Needs you, recovering


@pytest.mark.parametrize("cause", [word for word, known in CAUSES.items() if known.needs_you])
def test_what_a_person_must_mend_needs_you(cause: str):
    """Issue 4, 9: needs you against recovering."""
    found = health(after_failure(cause), DUE + HOUR)

    assert (found.attention, found.cause, found.next_step) == ("needs you", cause, CAUSES[cause].next_step)
    assert found.attention_why == "Sync 12 failed: burp.example.org answered 503."


@pytest.mark.parametrize("cause", [word for word, known in CAUSES.items() if not known.needs_you])
def test_what_may_pass_recovers_and_says_when_it_is_tried_again(cause: str):
    found = health(after_failure(cause, retry_at=DUE + 3 * HOUR), DUE + HOUR)

    assert found.attention == "recovering"
    assert found.attention_why.endswith("The next try is on 4 May at 05:00 UTC.")


def test_without_a_retry_the_planned_run_is_the_next_try():
    found = health(after_failure("vendor_down", retry_at=DUE), DUE + HOUR)

    assert found.attention_why.endswith("The next try is on 5 May at 02:00 UTC.")


def test_what_nobody_will_try_again_needs_you():
    """*recovering* promises a next try: where nothing is planned there is none."""
    found = health(after_failure("vendor_down", kind="off"), DUE + HOUR)

    assert (found.timing, found.attention) == ("off", "needs you")
    assert "by hand" in found.next_step


def test_a_failure_of_an_earlier_version_needs_you():
    assert health(after_failure(""), DUE + HOUR).attention == "needs you"


def test_a_later_success_ends_the_need():
    well = RunFacts(13, "success", DUE + 2 * HOUR)
    facts = replace(after_failure("auth_rejected"), last=well, judged=well, good=well, due_since=None)

    assert health(facts, DUE + 3 * HOUR).attention == ""


def test_a_connection_that_paused_itself_needs_you_and_one_that_a_person_paused_does_not():
    rejected = after_failure("vendor_down", paused_at=DUE, paused_because=f"{PAUSED_ITSELF}. Enter a new secret.")
    by_person = after_failure("vendor_down", paused_at=DUE, paused_because="Paused by alice.")

    assert (health(rejected, DUE).attention, health(rejected, DUE).cause) == ("needs you", "auth_rejected")
    assert health(by_person, DUE).attention == ""


def test_nobody_can_give_a_reason_that_looks_like_tidegates_own():
    assert health(replace(DAILY, paused_at=DUE, paused_because=f"Paused by alice: {PAUSED_ITSELF}"), DUE).cause == ""


# The Connection as a whole


def test_the_worst_of_discover_sync_and_secret_counts():
    well, late, needs = Health("on time", ""), Health("late", ""), Health("on time", "", "needs you")

    assert overall([well, well]) == "on time"
    assert overall([well, late]) == "late"
    assert overall([late, needs]) == "needs you"
    assert overall([well, Health("off", "")]) == "on time"
    assert overall([Health("off", ""), Health("off", "")]) == "off"
    assert overall([well, well], secret_ended=True) == "needs you"


moments = st.integers(0, 61 * 24 * 60).map(
    lambda minutes: datetime(2031, 4, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
runs = st.none() | st.builds(
    RunFacts,
    id=st.integers(1, 9),
    status=st.sampled_from(["pending", "running", "success", "partial", "failed", "cancelled"]),
    at=moments,
    cause=st.sampled_from(["", *CAUSES]),
)
times = st.none() | moments
anything = st.builds(
    HealthFacts,
    type=st.sampled_from(["discover", "sync"]),
    kind=st.sampled_from(["off", "daily", "cron"]),
    next_at=times, retry_at=times, changed_at=times, last=runs,
    judged=runs.filter(lambda run: run is None or run.status in ("success", "partial", "failed")),
    good=runs, due_since=times, paused_at=times, paused_because=st.sampled_from(["", PAUSED_ITSELF, "Paused by x."]),
)  # fmt: skip


@given(anything, moments)
def test_whatever_is_stored_each_word_has_its_sentence(facts: HealthFacts, now: datetime):
    found = health(facts, now)

    assert found.why.endswith((".", "!", "x.", PAUSED_ITSELF)), found.why
    assert bool(found.attention) == bool(found.attention_why)
    assert not found.attention or found.next_step
    assert (found.since is not None) == (found.timing in ("late", "overdue"))
    assert found.since is None or found.since <= now
    assert overall([found]) in OVERALL
    assert "None" not in found.why + found.attention_why


@given(anything, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_without_news_time_makes_nothing_better(facts: HealthFacts, later: timedelta):
    """on time → late → overdue, never back, as long as nothing runs or is planned anew."""
    order = ["never ran", "on time", "late", "overdue"]
    before, after = health(facts, DUE), health(facts, DUE + later)

    if before.timing != "off":
        assert order.index(after.timing) >= order.index(before.timing)
    assert after.attention == before.attention


# Secrets with a known end

ENDS = datetime(2031, 5, 20, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "days", "why"),
    [
        (datetime(2031, 5, 5, 23, 59, tzinfo=UTC), None, ""),
        (datetime(2031, 5, 6, 0, 0, tzinfo=UTC), 14, "Its secret ends on 20 May at 17:00 UTC, as the tool says."),
        (datetime(2031, 5, 16, 23, 59, tzinfo=UTC), 14, "Its secret ends on 20 May at 17:00 UTC, as the tool says."),
        (datetime(2031, 5, 17, 0, 0, tzinfo=UTC), 3, "Its secret ends on 20 May at 17:00 UTC, as the tool says."),
        (datetime(2031, 5, 19, 12, 0, tzinfo=UTC), 3, "Its secret ends tomorrow, as the tool says."),
        (datetime(2031, 5, 20, 0, 0, tzinfo=UTC), 0, "Its secret ends today, as the tool says."),
        (datetime(2031, 5, 20, 17, 0, tzinfo=UTC), 0, "Its secret ended on 20 May at 17:00 UTC, as the tool says."),
        (datetime(2031, 9, 1, 0, 0, tzinfo=UTC), 0, "Its secret ended on 20 May at 17:00 UTC, as the tool says."),
    ],
)
def test_a_secret_warns_14_3_and_0_days_before_its_end(now: datetime, days: int | None, why: str):
    """Issue 4, 9: secrets with a known end warn 14, 3 and 0 days before."""
    warning = secret_warning(ENDS, now, "tool")

    assert (warning and warning.days) == days
    assert (warning.why if warning else "") == why
    assert warning is None or warning.next_step


def test_a_secret_of_which_nobody_knows_the_end_warns_of_nothing():
    assert secret_warning(None, DUE) is None


def test_the_last_day_that_a_person_enters_is_still_good():
    end = end_of(date(2031, 5, 20))
    that_day = datetime(2031, 5, 20, 12, 0, tzinfo=UTC)

    warning = secret_warning(end, that_day, "person")

    assert warning is not None
    assert (warning.days, warning.ended) == (0, False)
    assert days_left(end, that_day) == 0
    assert warning.why == "Its secret ends today, as a person entered it."


def test_a_secret_that_still_lets_us_in_has_not_ended_whoever_said_so():
    before, after = (RunFacts(1, "success", ENDS + timedelta(hours=hours)) for hours in (-1, 1))
    later = ENDS + timedelta(days=1)

    assert secret_has_ended(ENDS, [before, None], later)
    assert not secret_has_ended(ENDS, [before, after], later)
    assert not secret_has_ended(ENDS, [], ENDS - HOUR)
    assert not secret_has_ended(None, [], later)


EARLIER, LATER = ENDS - timedelta(days=30), ENDS + timedelta(days=30)


@pytest.mark.parametrize(
    ("known_by", "told", "told_by", "believed"),
    [
        ("person", LATER, "tool", None),
        ("person", LATER, "token", None),
        ("person", EARLIER, "tool", (EARLIER, "tool")),
        ("token", LATER, "tool", (LATER, "tool")),
        ("token", LATER, "person", (LATER, "person")),
        ("tool", EARLIER, "token", None),
        ("tool", EARLIER, "tool", (EARLIER, "tool")),
        ("tool", ENDS, "tool", None),
    ],
)
def test_whom_we_believe_about_the_end_of_a_secret(known_by: str, told: datetime, told_by: Any, believed: Any):
    assert believed_end(ENDS, known_by, told, told_by) == believed
    assert believed_end(None, "", told, told_by) == (told, told_by)
