"""A pace that Sessions share: what they take from it and tell it, and what becomes of a run where it fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from sdk.tests.conftest import PATIENT, Open
from sdk.tests.plain import Log, Naps, Plain, body_of
from sdk.tests.vendor import Vendor, answer
from tidegate_sdk import Ask, Http, Limits, VendorDown
from tidegate_sdk.doors.origin import Origin, authority
from tidegate_sdk.pace import Pace

HOST = "acme.test:443"


@dataclass
class Counter:
    """A turnstile in memory, with one place after the other for each host."""

    next: dict[str, float] = field(default_factory=dict[str, float])
    turns: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    holds: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    fails: Callable[[], Any] = lambda: None

    async def turn(self, host: str, gap: float) -> float:
        self.turns.append((host, gap))
        await asyncio.sleep(0)
        self.fails()
        now = time.monotonic()
        at = max(now, self.next.get(host, 0.0))
        self.next[host] = at + gap
        return at - now

    async def hold(self, host: str, seconds: float) -> None:
        self.holds.append((host, seconds))
        self.fails()
        self.next[host] = max(self.next.get(host, 0.0), time.monotonic() + seconds)


@pytest.fixture
def counter() -> Counter:
    return Counter()


def limited(vendor: Vendor, per_second: float) -> Plain:
    return Plain(Http(vendor.location, per_second=per_second))


async def test_every_question_takes_its_place(vendor: Vendor, opened: Open, counter: Counter, naps: Naps):
    vendor.on("/api/me", answer(200, {}))

    async with opened(limited(vendor, 2), turnstile=counter) as session:
        for _ in range(3):
            await session.talk(body_of())

    assert counter.turns == [(f"127.0.0.1:{vendor.port}", 0.5)] * 3
    assert naps == [pytest.approx(0.5, abs=0.2), pytest.approx(1, abs=0.2)]


async def test_two_sessions_share_one_rate(vendor: Vendor, counter: Counter):
    vendor.on("/api/me", answer(200, {}))
    began = time.monotonic()

    async def run() -> None:
        async with limited(vendor, 20).open(limits=PATIENT, turnstile=counter) as session:
            for _ in range(6):
                await session.talk(body_of())

    await asyncio.gather(run(), run())

    assert time.monotonic() - began > 11 * 0.05
    assert len(vendor.asked) == 12


async def test_the_tasks_of_a_session_never_have_more_than_one_place_ahead(counter: Counter):
    """A hold that somebody else says meanwhile would not reach those who have a place already."""
    pace = Pace(Limits(), asyncio.sleep, counter)
    pace.bound(5)

    tasks = [asyncio.create_task(pace.turn(HOST)) for _ in range(8)]
    await asyncio.sleep(0.1)

    assert len(counter.turns) == 2  # one has gone, one waits for its place, six wait for that one
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_redirect_is_one_more_question(vendor: Vendor, opened: Open, counter: Counter):
    vendor.on("/api/me", answer(307, None, Location="/api/you"))
    vendor.on("/api/you", answer(200, {"id": 1}))

    async with opened(limited(vendor, 10), turnstile=counter) as session:
        assert await session.talk(body_of()) == {"id": 1}

    assert len(counter.turns) == session.requests == 2


@pytest.mark.parametrize("per_second", [0, 10])
async def test_a_429_is_told_whether_or_not_there_is_a_rate(
    vendor: Vendor, opened: Open, counter: Counter, per_second: float
):
    vendor.on("/api/me", answer(429, None, Retry_After="40"), answer(200, {}))

    async with opened(limited(vendor, per_second), turnstile=counter) as session:
        await session.talk(body_of())

    assert counter.holds == [(f"127.0.0.1:{vendor.port}", 40)]


async def test_the_rate_that_a_429_halved_is_the_one_that_is_taken(vendor: Vendor, opened: Open, counter: Counter):
    vendor.on("/api/me", answer(429, None, Retry_After="1"), answer(200, {}))

    async with opened(limited(vendor, 10), turnstile=counter) as session:
        await session.talk(body_of())

    assert [gap for _, gap in counter.turns] == [0.1, 0.2]


async def test_the_hold_of_somebody_else_is_respected(vendor: Vendor, opened: Open, counter: Counter, naps: Naps):
    vendor.on("/api/me", answer(200, {}))

    async with opened(limited(vendor, 100), turnstile=counter) as session:
        await session.talk(body_of())
        naps.clear()
        await counter.hold(f"127.0.0.1:{vendor.port}", 30)
        await session.talk(body_of())

    assert sum(naps) == pytest.approx(30, abs=0.5)


async def test_without_a_declared_rate_only_a_look_a_second_is_paid(counter: Counter, naps: Naps):
    pace = Pace(Limits(), naps, counter)

    for _ in range(50):
        await pace.turn(HOST)
    await counter.hold(HOST, 30)
    await pace.rest(1.1)
    naps.clear()
    await pace.turn(HOST)

    assert counter.turns == [(HOST, 0.0)] * 2
    assert naps == [pytest.approx(30, abs=1.5)]


async def test_a_rate_that_has_come_back_is_none_again(counter: Counter, naps: Naps):
    pace = Pace(Limits(), naps, counter)
    pace.slow_down()

    for _ in range(100):
        pace.answered()
    await pace.turn(HOST)

    assert counter.turns == [(HOST, 0.0)]


def away() -> None:
    raise ConnectionError("the database is away")


async def test_a_turnstile_that_fails_costs_no_run_and_is_told_once(
    vendor: Vendor, opened: Open, counter: Counter, naps: Naps, log: Log
):
    counter.fails = away
    vendor.on("/api/me", *[answer(200, {})] * 3, answer(429, None, Retry_After="50"), answer(200, {}))

    async with opened(limited(vendor, 2), turnstile=counter) as session:
        for _ in range(6):
            await session.talk(body_of())

    assert sum(naps) == pytest.approx(3 * 0.5 + 50 + 2 * 1, abs=0.9)  # its own pace, as without a turnstile
    assert [line["reason"] for line in log if line["event"] == "pace.alone"] == ["ConnectionError"]
    assert len(counter.turns) + len(counter.holds) == 1  # it is left alone for a while


async def test_a_turnstile_that_hangs_is_one_that_fails(counter: Counter, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tidegate_sdk.pace._TURNSTILE_ANSWERS", 0.05)

    async def hang(host: str, gap: float) -> float:
        return await asyncio.Future()

    counter.turn = hang
    pace = Pace(Limits(), asyncio.sleep, counter)
    pace.bound(100)

    async with asyncio.timeout(2):
        for _ in range(3):
            await pace.turn(HOST)


async def test_a_turnstile_that_is_back_is_used_again(counter: Counter, naps: Naps, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tidegate_sdk.pace._TURNSTILE_MENDED", 0.05)
    pace = Pace(Limits(), naps, counter)
    pace.bound(10)
    counter.fails = away
    await pace.turn(HOST)
    counter.fails = lambda: None

    await asyncio.sleep(0.1)
    await pace.turn(HOST)
    await pace.turn(HOST)

    assert len(counter.turns) == 3


async def test_a_hold_longer_than_anybody_waits_is_not_told(vendor: Vendor, opened: Open, counter: Counter):
    """The run ends with the vendor's word; the next one asks for itself, and is told how long it is by then."""
    vendor.on("/api/me", answer(429, None, Retry_After="4000"))

    async with opened(limited(vendor, 10), turnstile=counter, limits=replace(PATIENT, tries=1)) as session:
        with pytest.raises(VendorDown, match="asks to wait"):
            await session.talk(body_of())

    assert counter.holds == []


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://acme.test/api", "acme.test:443"),
        ("http://acme.test", "acme.test:80"),
        ("https://ACME.test:443/x", "acme.test:443"),
        ("https://acme.test.:8443/x", "acme.test:8443"),
        ("https://user:password@acme.test/", "acme.test:443"),
        ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
        ("https://bücher.test/", "xn--bcher-kva.test:443"),
    ],
)
def test_a_host_has_one_name_however_it_is_spelled(location: str, host: str):
    assert authority(Origin(location).url(Ask())) == host
