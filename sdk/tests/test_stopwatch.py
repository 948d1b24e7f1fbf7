"""Where the time of a Session went, so that a slow run explains itself: by the clock on the wall, never twice."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import replace

import pytest

from sdk.tests.conftest import PATIENT, Open
from sdk.tests.plain import Naps, Plain, body_of, rows_of, things
from sdk.tests.vendor import Vendor, answer
from tidegate_sdk import Ask, Folder, Http, Talk, VendorDown, Wait
from tidegate_sdk.stopwatch import Stopwatch


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stopwatch(clock: Clock) -> Stopwatch:
    return Stopwatch(clock)


def test_what_two_tasks_wait_at_the_same_time_counts_once(stopwatch: Stopwatch, clock: Clock):
    with stopwatch.waiting_for("vendor"):
        clock.now += 1
        with stopwatch.waiting_for("vendor"):
            clock.now += 2
        clock.now += 4

    assert stopwatch.seconds == {"vendor": 7, "rate": 0}


def test_a_place_is_waited_for_only_while_nothing_is_in_flight(stopwatch: Stopwatch, clock: Clock):
    with stopwatch.waiting_for("rate"):
        clock.now += 1
        with stopwatch.waiting_for("vendor"):
            clock.now += 2
        clock.now += 4

    assert stopwatch.seconds == {"vendor": 2, "rate": 5}


def test_nobody_waiting_is_nobodys_time(stopwatch: Stopwatch, clock: Clock):
    clock.now += 10
    with stopwatch.waiting_for("vendor"):
        clock.now += 1
    clock.now += 10

    assert stopwatch.seconds == {"vendor": 1, "rate": 0}


def test_a_hold_is_the_vendors_wish_and_what_comes_after_it_the_rate(stopwatch: Stopwatch, clock: Clock):
    with stopwatch.waiting_for("rate"):
        clock.now += 1
        stopwatch.held(clock.now + 30)
        clock.now += 31.5

    assert stopwatch.seconds == {"vendor": 30, "rate": 2.5}


def test_a_hold_that_nobody_waits_for_is_nobodys_time(stopwatch: Stopwatch, clock: Clock):
    stopwatch.held(clock.now + 30)
    clock.now += 20
    with stopwatch.waiting_for("rate"):
        clock.now += 15

    assert stopwatch.seconds == {"vendor": 10, "rate": 5}


def test_the_time_that_still_runs_is_told_and_told_only_once(stopwatch: Stopwatch, clock: Clock):
    with stopwatch.waiting_for("vendor"):
        clock.now += 3
        assert stopwatch.seconds["vendor"] == 3
        assert stopwatch.seconds["vendor"] == 3
        clock.now += 1

    assert stopwatch.seconds["vendor"] == 4


async def test_a_slow_vendor_is_the_vendors_time(vendor: Vendor, opened: Open):
    async def slowly(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.write(answer(200, {"id": 1})[:-3])
        await writer.drain()
        await asyncio.sleep(0.2)
        writer.write(answer(200, {"id": 1})[-3:])
        await writer.drain()

    vendor.on("/api/me", slowly)
    began = time.monotonic()

    async with opened(vendor) as session:
        await asyncio.gather(*[session.talk(body_of()) for _ in range(5)])
        took = time.monotonic() - began

    assert 0.4 <= session.seconds["vendor"] <= took
    assert session.seconds["rate"] == pytest.approx(0, abs=0.1)


async def test_a_slow_rate_is_the_rates_time(vendor: Vendor):
    vendor.on("/api/me", answer(200, {}))

    async with Plain(Http(vendor.location, per_second=10)).open(limits=PATIENT) as session:
        began = time.monotonic()
        await asyncio.gather(*[session.talk(body_of()) for _ in range(5)])
        took = time.monotonic() - began

    assert session.seconds["rate"] > 0.2  # four gaps of 0.1 s, less what the answers took
    assert session.seconds["rate"] + session.seconds["vendor"] == pytest.approx(took, abs=0.1)


async def test_retry_after_back_off_and_wait_are_the_vendors_time(vendor: Vendor, opened: Open):
    vendor.on("/api/busy", answer(429, None, Retry_After="40"), answer(200, {}))
    vendor.on("/api/sick", answer(500), answer(200, {}))

    def talk() -> Talk[None]:
        yield Ask("busy")
        yield Ask("sick")
        yield Wait(100)

    async with opened(vendor) as session:
        await session.talk(talk())

    assert session.seconds["vendor"] == pytest.approx(40 + 0.75 + 100, abs=0.6)
    assert session.seconds["rate"] == pytest.approx(0, abs=0.2)


async def test_a_halved_rate_is_the_rates_time(vendor: Vendor, opened: Open, naps: Naps):
    vendor.on("/api/me", answer(429, None, Retry_After="40"), answer(200, {}))

    async with opened(Plain(Http(vendor.location, per_second=0.5))) as session:
        await session.talk(body_of())
        await session.talk(body_of())

    assert session.seconds["vendor"] == pytest.approx(40, abs=0.5)
    assert session.seconds["rate"] == pytest.approx(4, abs=0.5)


async def test_a_folder_is_waited_for_too(opened: Open, tmp_path: object):
    async with opened(Plain(Folder(tmp_path))) as session:  # pyright: ignore[reportArgumentType]
        await session.talk(body_of(""))

    assert session.seconds["vendor"] > 0
    assert session.calls == {}


async def test_answers_are_counted_by_status(vendor: Vendor, opened: Open):
    async def hang_up(writer: asyncio.StreamWriter) -> None:
        """Answers nothing."""

    vendor.on("/api/me", answer(429), hang_up, answer(307, None, Location="/api/you"))
    vendor.on("/api/you", answer(200, {}))
    vendor.on("/api/no", answer(404))

    async with opened(vendor) as session:
        await session.talk(body_of())
        await rows_of(session.read(things(ask=Ask("no"))))

    assert session.calls == Counter({"429": 1, "none": 1, "307": 1, "200": 1, "404": 1})
    assert session.calls.total() == session.requests


async def test_a_question_that_got_no_answer_in_time_is_counted_as_such(vendor: Vendor, opened: Open):
    async def never(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    vendor.on("/api/me", never)

    async with opened(vendor, limits=replace(PATIENT, page_seconds=0.1)) as session:
        with pytest.raises(VendorDown):
            await session.talk(body_of())

    assert session.calls == {"none": 1}
