"""When a failure that may pass by itself is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tidegate.rules.cause import CAUSES
from tidegate.rules.retry import JITTER, STEPS, next_try

NOW = datetime(2031, 5, 4, 2, 0, tzinfo=UTC)
FAR = NOW + timedelta(days=30)
PASSES = sorted(word for word, cause in CAUSES.items() if not cause.needs_you)
WAITS = sorted(word for word, cause in CAUSES.items() if cause.needs_you)

moments = st.integers(0, 10**9).map(lambda seconds: NOW + timedelta(seconds=seconds))
keys = st.text(max_size=20)


def test_it_is_tried_soon_then_ever_more_seldom():
    waits = [next_try("vendor_down", retries, NOW, "7 sync", FAR) for retries in range(6)]

    for at, step in zip(waits, [*STEPS, STEPS[-1], STEPS[-1]], strict=True):
        assert at is not None
        assert step <= at - NOW <= step * (1 + JITTER)


@given(st.sampled_from(WAITS), st.integers(0, 50), moments, keys)
def test_what_needs_a_person_is_not_tried_again(cause: str, retries: int, now: datetime, key: str):
    """A login that is tried again and again is locked by the vendor."""
    assert next_try(cause, retries, now, key, now + timedelta(days=7)) is None


@given(st.sampled_from(PASSES), st.integers(0, 50), moments, keys, st.timedeltas(timedelta(0), timedelta(days=8)))
def test_it_is_never_later_than_planned_and_never_at_once(
    cause: str, retries: int, now: datetime, key: str, until: timedelta
):
    at = next_try(cause, retries, now, key, now + until)

    assert at is None or now + STEPS[0] <= at < now + until
    assert at == next_try(cause, retries, now, key, now + until)


@given(st.sampled_from(PASSES), st.integers(0, 50), keys)
def test_no_try_is_nearer_than_the_one_before(cause: str, retries: int, key: str):
    before, after = (next_try(cause, n, NOW, key, FAR) for n in (retries, retries + 1))

    assert before is not None
    assert after is not None
    assert after - NOW >= min((before - NOW) / (1 + JITTER), STEPS[-1])


def test_a_hundred_connections_do_not_try_again_in_step():
    tries = {next_try("vendor_down", 2, NOW, f"{number} sync", FAR) for number in range(100)}

    assert len(tries) == 100


def test_what_nobody_planned_is_not_tried_by_itself():
    assert next_try("vendor_down", 0, NOW, "7 sync", None) is None


def test_a_failure_just_before_the_planned_run_waits_for_that():
    assert next_try("vendor_down", 0, NOW, "7 sync", NOW + timedelta(minutes=4)) is None
