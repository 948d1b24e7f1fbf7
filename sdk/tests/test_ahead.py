"""What a walk asks next is on its way while the rows of the page before are read; nothing else may change by that."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from sdk.tests.conftest import PATIENT, Open
from sdk.tests.plain import rows_of, thing, things
from sdk.tests.test_reading import AT, By, replying, row
from tidegate_sdk import Ask, Incomplete, Walk


def of_two_pages(asked: list[str], second: Any = None) -> httpx2.MockTransport:
    """Counts what is asked; `second` is the answer to the second page, a status or a body."""

    def reply(request: httpx2.Request) -> httpx2.Response:
        page = request.url.params.get("page", "1")
        asked.append(page)
        if page == "1":
            return httpx2.Response(200, json={"data": [row(n) for n in range(200)], "next": "things?page=2"})
        if isinstance(second, int):
            return httpx2.Response(second)
        return httpx2.Response(200, json=second or {"data": [row(999)], "next": None})

    return httpx2.MockTransport(reply)


async def test_the_next_page_is_asked_while_the_rows_of_this_one_are_read(opened: Open):
    asked: list[str] = []
    known_at_last_row: list[int] = []

    def read(found: Any) -> Any:
        if found["id"] == "t199":
            known_at_last_row.append(len(asked))
        return thing(found)

    async with opened(AT, transport=of_two_pages(asked)) as session:
        reading = session.read(things(read=read))
        rows = await rows_of(reading)

    assert (known_at_last_row, len(rows), reading.outcome.complete) == ([2], 201, True)


@pytest.mark.parametrize("second", [500, 403, {"no": "data"}], ids=str)
async def test_a_next_page_that_fails_takes_no_row_of_this_one_away(opened: Open, second: Any):
    async with opened(AT, transport=of_two_pages([], second), limits=PATIENT) as session:
        reading = session.read(things(), off=frozenset({403}))
        rows = await rows_of(reading)

    assert (len(rows), reading.outcome.seen, reading.outcome.complete) == (200, 200, False)
    assert not reading.outcome.off  # only a first answer can say "not enabled"


async def test_a_walk_that_finds_a_fault_in_a_page_has_its_rows_read_first(opened: Open):
    def walk(first: Ask) -> Walk:
        yield first
        raise Incomplete("The total moved.")

    async with opened(AT, transport=replying({"data": [row(1), row(2)]})) as session:
        reading = session.read(things(by=By(walk)))
        rows = await rows_of(reading)

    assert (len(rows), reading.outcome.seen) == (2, 2)
    assert "The total moved." in reading.outcome.why


async def test_a_question_that_comes_again_is_not_asked_ahead(opened: Open):
    asked: list[str] = []
    circle = {"data": [row(1)], "next": "things?page=2"}

    async with opened(AT, transport=of_two_pages(asked, circle)) as session:
        reading = session.read(things())
        await rows_of(reading)

    assert asked == ["1", "2"]
    assert "repeats a page" in reading.outcome.why


async def test_who_stops_reading_leaves_no_question_behind(opened: Open):
    gone: list[bool] = []

    async def reply(request: httpx2.Request) -> httpx2.Response:
        if "page" not in request.url.params:
            return httpx2.Response(200, json={"data": [row(n) for n in range(200)], "next": "things?page=2"})
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            gone.append(True)
            raise
        return httpx2.Response(200, json={"data": []})

    async with opened(AT, transport=httpx2.MockTransport(reply)) as session:
        reading = session.read(things())
        async for _ in reading:
            break
        await reading.aclose()

    assert gone == [True]
    assert not reading.outcome.complete
