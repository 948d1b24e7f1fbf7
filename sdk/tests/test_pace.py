"""The patience of one Session, on a clock that goes as fast as its sleeps."""

from __future__ import annotations

import asyncio

import pytest

from sdk.tests.plain import Naps
from tidegate_sdk import Limits
from tidegate_sdk.pace import Pace

HOST = "acme.test:443"


@pytest.fixture
def pace(naps: Naps) -> Pace:
    pace = Pace(Limits(retries=3), naps)
    pace.bound(2)
    return pace


async def gap(pace: Pace, naps: Naps) -> float:
    """Seconds between two questions."""
    await pace.turn(HOST)
    naps.clear()
    await pace.turn(HOST)
    return sum(naps)


async def test_the_rate_is_kept(pace: Pace, naps: Naps):
    assert await gap(pace, naps) == pytest.approx(0.5, abs=0.05)


async def test_a_burst_of_429_halves_the_rate_once(pace: Pace, naps: Naps):
    for _ in range(5):
        pace.slow_down()

    assert await gap(pace, naps) == pytest.approx(1, abs=0.05)


async def test_whoever_waits_when_a_hold_begins_waits_for_its_end(pace: Pace, naps: Naps):
    """One 429 slows all questions of a Connection, also those that already queue."""
    await pace.turn(HOST)
    woken: list[float] = []

    async def one() -> None:
        await pace.turn(HOST)
        woken.append(sum(naps))

    async def held(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 1:
            await pace.hold(HOST, 100)
        await asyncio.sleep(0)

    pace._sleep = held
    await one()

    assert sum(naps) == pytest.approx(100, abs=1)
    assert woken == [pytest.approx(100, abs=1)]


async def test_each_later_429_halves_it_again_but_not_to_a_standstill(pace: Pace, naps: Naps):
    for _ in range(20):
        pace.slow_down()
        await pace.rest(2)

    assert await gap(pace, naps) == pytest.approx(30, abs=0.05)


async def test_answers_bring_the_rate_back_and_no_further(pace: Pace, naps: Naps):
    pace.slow_down()
    for _ in range(5):
        pace.answered()
    assert 0.7 < await gap(pace, naps) < 0.85

    for _ in range(50):
        pace.answered()
    assert await gap(pace, naps) == pytest.approx(0.5, abs=0.05)


async def test_a_vendor_without_a_rate_gets_one_from_its_429(naps: Naps):
    pace = Pace(Limits(), naps)
    assert await gap(pace, naps) == 0

    pace.slow_down()

    assert await gap(pace, naps) == pytest.approx(0.1, abs=0.05)


def test_the_budget_is_spent_and_earned_back_slowly(pace: Pace):
    assert [pace.spend() for _ in range(4)] == [True, True, True, False]

    for _ in range(11):
        pace.answered()

    assert [pace.spend() for _ in range(2)] == [True, False]


@pytest.mark.parametrize(("attempt", "most"), [(1, 1), (2, 2), (3, 4), (10, 60), (1000, 60)])
def test_back_off_doubles_with_jitter_up_to_a_minute(pace: Pace, attempt: int, most: float):
    pauses = {pace.back_off(attempt) for _ in range(20)}

    assert len(pauses) > 1
    assert all(most / 2 <= pause <= most for pause in pauses)


async def test_nobody_waits_a_negative_time(pace: Pace, naps: Naps):
    await pace.rest(3)
    await pace.rest(-1)
    await pace.rest(4)

    assert naps == [3, 4]
