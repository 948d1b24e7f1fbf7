"""Bodies too large for memory: on disk, in batches, in a thread."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
import threading
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

import pytest

from sdk.tests.conftest import PATIENT, Open
from sdk.tests.plain import SECRET, rows_of, whole
from sdk.tests.vendor import Vendor, answer
from tidegate_sdk import Ask, Incomplete, Odd, Talk, VendorChanged, VendorDown, Vep

MB = 2**20


def lines(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """A reader: one JSON object a line."""
    for line in file:
        yield json.loads(line)


def export(count: int) -> bytes:
    return b"".join(b'{"id": "t%d", "name": "Thing"}\n' % number for number in range(count))


def streamed(reader: Any = lines, path: str = "export") -> Any:
    return whole(ask=Ask(path, reader=reader), items="")


@pytest.mark.parametrize("packed", [False, True])
async def test_a_streamed_body_is_read_in_batches(vendor: Vendor, opened: Open, packed: bool):
    body = export(2_500)
    vendor.on("/api/export", answer(200, gzip.compress(body), Content_Encoding="gzip") if packed else answer(200, body))

    async with opened(vendor) as session:
        reading = session.read(streamed())
        sizes = [len(batch) async for batch in reading]

    assert sizes == [1000, 1000, 500]
    assert reading.outcome.complete
    assert reading.outcome.seen == 2_500


async def test_the_file_has_no_name_and_is_gone_afterwards(vendor: Vendor, opened: Open):
    held: list[BinaryIO] = []

    def reader(file: BinaryIO) -> Iterator[dict[str, Any]]:
        held.append(file)
        assert os.fstat(file.fileno()).st_nlink == 0
        return lines(file)

    vendor.on("/api/export", answer(200, export(3)))
    async with opened(vendor) as session:
        reading = session.read(streamed(reader))
        assert len(await rows_of(reading)) == 3

    assert reading.outcome.complete
    assert held[0].closed


async def test_a_file_may_be_read_twice(vendor: Vendor, opened: Open):
    def reader(file: BinaryIO) -> Iterator[dict[str, Any]]:
        names = {json.loads(line)["id"]: "twice" for line in file}
        file.seek(0)
        for line in file:
            yield json.loads(line) | {"name": names[json.loads(line)["id"]]}

    vendor.on("/api/export", answer(200, export(3)))
    async with opened(vendor) as session:
        assert {vep.name for vep in await rows_of(session.read(streamed(reader)))} == {"twice"}


async def test_what_is_too_large_is_not_kept(vendor: Vendor, opened: Open):
    bomb = gzip.compress(bytes(50 * MB))
    vendor.on("/api/export", answer(200, bomb, Content_Encoding="gzip"))

    async with opened(vendor, limits=replace(PATIENT, stream_bytes=MB)) as session:
        reading = session.read(streamed())
        await rows_of(reading)

    assert "more than 1,048,576 bytes" in reading.outcome.why


async def test_memory_stays_flat(vendor: Vendor, opened: Open):
    vendor.on("/api/export", answer(200, gzip.compress(export(60_000), 1), Content_Encoding="gzip"))

    async with opened(vendor, limits=PATIENT) as session:
        reading = session.read(streamed())
        tracemalloc.start()
        async for _ in reading:
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert reading.outcome.seen == 60_000
    assert peak < 6 * MB


async def test_the_loop_lives_while_rows_are_read(vendor: Vendor, opened: Open):
    threads: set[int] = set()

    def reader(file: BinaryIO) -> Iterator[dict[str, Any]]:
        for row in lines(file):
            threads.add(threading.get_ident())
            time.sleep(0.1)
            yield row

    vendor.on("/api/export", answer(200, export(3)))
    beats = 0
    async with opened(vendor) as session:
        reading = asyncio.create_task(rows_of(session.read(streamed(reader))))
        while not reading.done():
            beats += 1
            await asyncio.sleep(0.01)

    assert threading.get_ident() not in threads
    assert beats > 10


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (VendorChanged("No SARIF."), VendorChanged, "No SARIF."),
        (Incomplete("It ends too early."), Incomplete, "ends too early"),
        (ValueError("bad token"), VendorChanged, "export could not be read (ValueError: bad token)"),
        (OSError(5, "Input/output error"), VendorDown, "export cannot be read: Input/output error"),
        (RecursionError("deep"), VendorChanged, "RecursionError"),
    ],
)
@pytest.mark.parametrize("at_once", [False, True])
async def test_a_reader_that_fails_ends_the_list(
    vendor: Vendor, opened: Open, error: Exception, kind: type[Exception], words: str, at_once: bool
):
    def begins(file: BinaryIO) -> Iterator[dict[str, Any]]:
        yield from lines(file)
        raise error

    def never_begins(file: BinaryIO) -> Iterator[dict[str, Any]]:
        raise error

    vendor.on("/api/export", answer(200, export(3)))
    async with opened(vendor) as session:
        reading = session.read(streamed(never_begins if at_once else begins))
        await rows_of(reading)

    assert type(reading.outcome.error) is kind
    assert words in reading.outcome.why


async def test_streamed_rows_may_be_odd_too(vendor: Vendor, opened: Open):
    vendor.on("/api/export", answer(200, b'{"id": "t1", "name": "x"}\n{"id": "t2"}\n[1]\n'))

    async with opened(vendor) as session:
        reading = session.read(streamed())
        values = await rows_of(reading)

    assert [type(value) for value in values] == [Vep, Odd, Odd]
    assert [value.id for value in values] == ["t1", "t2", None]
    assert not reading.outcome.complete


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (answer(204), "empty body"),
        (answer(200, b""), "empty body"),
        (answer(200, b"<!doctype html>"), "a login page"),
        (answer(403), "answered 403"),
        (answer(410), "has expired"),
        (answer(200, gzip.compress(export(9), mtime=0)[:-3], Content_Encoding="gzip"), "cut off"),
    ],
)
async def test_a_stream_that_is_none_is_told(vendor: Vendor, opened: Open, step: bytes, words: str):
    vendor.on("/api/export", step)

    async with opened(vendor) as session:
        reading = session.read(streamed())
        await rows_of(reading)

    assert words in reading.outcome.why


async def test_a_stream_that_breaks_off_is_fetched_again(vendor: Vendor, opened: Open):
    body = export(3)
    vendor.on("/api/export", _cut(body), answer(200, body))

    async with opened(vendor) as session:
        reading = session.read(streamed())
        assert len(await rows_of(reading)) == 3

    assert reading.outcome.complete


def _cut(body: bytes) -> Any:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(answer(200, body)[:-5])
        await writer.drain()

    return send


async def test_a_cancelled_reading_closes_its_file_after_the_thread(vendor: Vendor, opened: Open):
    held: list[BinaryIO] = []
    faults: list[Exception] = []
    reached = threading.Event()

    def reader(file: BinaryIO) -> Iterator[dict[str, Any]]:
        held.append(file)
        reached.set()
        time.sleep(0.1)
        try:
            yield from lines(file)
        except ValueError as error:
            faults.append(error)

    vendor.on("/api/export", answer(200, export(3)))
    async with opened(vendor) as session:
        reading = session.read(streamed(reader))
        task = asyncio.create_task(rows_of(reading))
        await asyncio.to_thread(reached.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert held[0].closed
    assert faults == []
    assert not reading.outcome.complete


async def test_a_talk_reads_the_head_of_a_stream(vendor: Vendor, opened: Open):
    def talk() -> Talk[list[str]]:
        page = yield Ask("export", reader=lines)
        assert page.body is None
        assert page.count == len(page.rows)
        return [row["id"] for row in page.rows]

    vendor.on("/api/export", answer(200, export(2)))
    async with opened(vendor) as session:
        assert await session.talk(talk()) == ["t0", "t1"]


async def test_a_talk_does_not_swallow_a_whole_export(vendor: Vendor, opened: Open):
    def talk() -> Talk[int]:
        page = yield Ask("export", reader=lines)
        return page.count

    vendor.on("/api/export", answer(200, export(1_001)))
    async with opened(vendor) as session:
        with pytest.raises(VendorChanged, match="more than 1,000 rows"):
            await session.talk(talk())


@pytest.mark.parametrize("spelled", [SECRET, SECRET.replace("/", "\\/"), base64.b64encode(SECRET.encode()).decode()])
async def test_a_credential_that_an_export_repeats_does_not_become_a_finding(
    vendor: Vendor, opened: Open, spelled: str
):
    body = b'{"id": "t1", "name": "called with ' + spelled.encode() + b'", "more": {"a": ["x"]}}\n'
    vendor.on("/api/export", answer(200, export(3) + body))

    async with opened(vendor) as session:
        reading = session.read(streamed())
        values = await rows_of(reading)

    assert reading.outcome.complete
    assert values[-1].name == "called with •••"


async def test_a_full_disk_is_not_the_vendors_fault(vendor: Vendor, opened: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", "/proc/no/such/folder")
    vendor.on("/api/export", answer(200, export(2)))

    async with opened(vendor) as session:
        reading = session.read(streamed())
        await rows_of(reading)

    assert isinstance(reading.outcome.error, Incomplete)
    assert "Tidegate's own disk" in reading.outcome.why
    assert session.requests == 1
