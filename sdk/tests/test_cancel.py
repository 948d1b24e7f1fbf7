"""A Session that is cancelled ends within a second, wherever it waits; with real sockets, threads and sleeps."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any, BinaryIO

import pytest

from sdk.tests.conftest import PATIENT
from sdk.tests.plain import Plain, body_of, rows_of, whole
from sdk.tests.vendor import Vendor, answer
from tidegate_sdk import Ask, Http, Session, Talk, Wait

AT_ONCE = 1.0
LONG = replace(PATIENT, connect=600, read=600, page_seconds=600, stream_seconds=600, longest_wait=1_000)

Work = Callable[[Session], Coroutine[Any, Any, Any]]


@pytest.fixture(autouse=True)
def nothing_is_left_open() -> Iterator[None]:
    """A socket that is forgotten warns when it is collected, and a warning is an error."""
    yield
    gc.collect()


async def cancel(session: Session, work: Work, reached: Callable[[], bool] = lambda: True) -> None:
    """Begins the work, waits until it has come to its wait, cancels it, and holds how long that takes."""
    async with session:
        task = asyncio.create_task(work(session))
        for _ in range(2_000):
            await asyncio.sleep(0.01)
            if reached():
                break
        await asyncio.sleep(0.1)
        assert not task.done(), task
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - began < AT_ONCE
        began = time.monotonic()
    assert time.monotonic() - began < AT_ONCE


def at(location: str, per_second: float = 0, **how: Any) -> Session:
    return Plain(Http(location, per_second=per_second, **how)).open(limits=LONG)


async def me(session: Session) -> Any:
    return await session.talk(body_of())


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port where a connection is neither taken nor refused: as many wait as may, and nobody lets them in."""
    with closing(socket.socket()) as server, closing(socket.socket()) as first, closing(socket.socket()) as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield server.getsockname()[1]


async def test_while_it_connects(deaf: int):
    await cancel(at(f"http://127.0.0.1:{deaf}/"), me)


@pytest.fixture
async def mute() -> AsyncIterator[int]:
    """A port where connections are taken, and never a byte comes."""
    taken: list[asyncio.StreamWriter] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in taken:
        writer.transport.abort()
    await server.wait_closed()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_while_it_shakes_hands_or_waits_for_an_answer(mute: int, scheme: str):
    await cancel(at(f"{scheme}://127.0.0.1:{mute}/"), me)


async def test_while_it_sends(mute: int):
    async def send(session: Session) -> Any:
        return await session.talk(body_of(method="POST", json={"text": "x" * 2**25}))

    await cancel(at(f"http://127.0.0.1:{mute}/"), send)


@pytest.mark.parametrize("streamed", [False, True])
async def test_while_a_body_hangs(vendor: Vendor, streamed: bool):
    async def half(writer: asyncio.StreamWriter) -> None:
        writer.write(answer(200, b"[" * 2**21)[: 2**20])
        await writer.drain()
        await asyncio.sleep(600)

    async def read(session: Session) -> Any:
        return await session.talk(body_of(reader=lines if streamed else None))

    vendor.on("/api/me", half)

    await cancel(at(vendor.location), read, lambda: len(vendor.asked) == 1)


async def test_while_it_honours_retry_after(vendor: Vendor):
    vendor.on("/api/me", answer(429, None, Retry_After="600"))

    await cancel(at(vendor.location), me, lambda: len(vendor.asked) == 1)


async def test_while_it_backs_off(vendor: Vendor):
    vendor.on("/api/me", answer(500))
    session = Plain(vendor.location).open(limits=replace(LONG, back_off=600, longest_back_off=600))

    await cancel(session, me, lambda: len(vendor.asked) == 1)


async def test_while_it_waits_for_the_rate(vendor: Vendor):
    vendor.on("/api/me", answer(200, {}))

    async def twice(session: Session) -> None:
        await asyncio.gather(*[me(session) for _ in range(5)])

    await cancel(at(vendor.location, per_second=0.001), twice, lambda: len(vendor.asked) == 1)


class Hanging:
    """A turnstile that gives places far away, or no answer."""

    def __init__(self, answers: bool) -> None:
        self.answers, self.asked = answers, False

    async def turn(self, host: str, gap: float) -> float:
        self.asked = True
        return 600 if self.answers else await asyncio.Future()

    async def hold(self, host: str, seconds: float) -> None:
        self.asked = True


@pytest.mark.parametrize("answers", [True, False])
async def test_while_it_waits_at_the_turnstile(vendor: Vendor, answers: bool):
    turnstile = Hanging(answers)
    session = Plain(Http(vendor.location)).open(limits=LONG, turnstile=turnstile)

    async def several(session: Session) -> None:
        await asyncio.gather(*[me(session) for _ in range(5)])

    await cancel(session, several, lambda: turnstile.asked)

    assert vendor.asked == []


async def test_while_an_export_is_made(vendor: Vendor):
    vendor.on("/api/status", answer(200, {"state": "busy"}))

    def talk() -> Talk[None]:
        while True:
            yield Ask("status")
            yield Wait(600)

    await cancel(at(vendor.location), lambda session: session.talk(talk()), lambda: len(vendor.asked) == 1)


@pytest.mark.parametrize("after", [0.0, 0.02, 0.05, 0.1])
async def test_while_a_large_page_is_taken_and_decoded_in_a_thread(vendor: Vendor, after: float):
    row = {"id": "t1", "name": "Thing", "tags": list(range(50))}
    vendor.on("/api/me", answer(200, {"data": [row] * 50_000}))
    session = at(vendor.location)
    async with session:
        task = asyncio.create_task(me(session))
        await asyncio.sleep(after)
        began = time.monotonic()
        task.cancel()
        await asyncio.wait([task])

    assert time.monotonic() - began < AT_ONCE


def lines(file: BinaryIO) -> Iterator[dict[str, Any]]:
    for line in file:
        yield json.loads(line)


async def test_while_a_reader_looks_for_something_that_never_comes(vendor: Vendor):
    """A thread cannot be cancelled; its next look at the file fails instead, so it ends as well."""
    looked, ended = threading.Event(), threading.Event()

    def reader(file: BinaryIO) -> Iterator[dict[str, Any]]:
        try:
            while True:
                file.seek(0)
                for _ in file:
                    looked.set()
                    time.sleep(0.001)
        finally:
            ended.set()
        yield {}

    async def read(session: Session) -> Any:
        return await rows_of(session.read(whole(ask=Ask("export", reader=reader), items="")))

    vendor.on("/api/export", answer(200, b"{}\n" * 1_000))

    await cancel(at(vendor.location), read, looked.is_set)

    assert await asyncio.to_thread(ended.wait, AT_ONCE)


async def test_while_a_reader_will_not_listen_at_all(vendor: Vendor):
    deaf_for_now, reached = threading.Event(), threading.Event()

    def reader(file: BinaryIO) -> Iterator[dict[str, Any]]:
        reached.set()
        deaf_for_now.wait(30)
        yield from lines(file)

    async def read(session: Session) -> Any:
        return await rows_of(session.read(whole(ask=Ask("export", reader=reader), items="")))

    vendor.on("/api/export", answer(200, b"{}\n"))

    await cancel(at(vendor.location), read, reached.is_set)

    deaf_for_now.set()


HANGS = """
import asyncio, socket, threading, time
from sdk.tests.plain import Plain, body_of

asked = threading.Event()

def hang(*_, **__):
    asked.set()
    time.sleep(60)

async def main():
    async with Plain("https://hangs.test/").open() as session:
        task = asyncio.create_task(session.talk(body_of()))
        await asyncio.to_thread(asked.wait)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

socket.getaddrinfo = hang
began = time.monotonic()
asyncio.run(main())
assert time.monotonic() - began < 1, time.monotonic() - began
"""


def test_while_a_name_is_looked_up_and_the_process_ends_too():
    """The resolver hangs on in its thread; neither the loop nor the process waits for it."""
    began = time.monotonic()

    subprocess.run([sys.executable, "-c", HANGS], check=True, timeout=30)

    assert time.monotonic() - began < 30
