"""A few questions with an answer at the end, and the Families of one VEP."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from sdk.tests.conftest import PATIENT, Open
from sdk.tests.plain import SECRET, Naps, Plain, body_of, things
from tidegate_sdk import (
    Account,
    Ask,
    Families,
    Family,
    NotFound,
    Skipped,
    Talk,
    VendorChanged,
    VendorDown,
    Vep,
    Wait,
)

AT = "http://vendor.test/"
VEP = Vep(id="t1", name="Thing")


def statuses(**paths: Any) -> httpx2.MockTransport:
    """Answers each path with its status or its body."""

    def reply(request: httpx2.Request) -> httpx2.Response:
        body = paths[request.url.path.strip("/")]
        return httpx2.Response(body, json={}) if isinstance(body, int) else httpx2.Response(200, text=json.dumps(body))

    return httpx2.MockTransport(reply)


async def test_a_talk_returns_its_value(opened: Open):
    async with opened(AT, transport=statuses(me={"id": "42"})) as session:
        assert await session.talk(session.tool.account()) == Account(id="42")


async def test_a_talk_without_a_question_returns_at_once(opened: Open):
    def talk() -> Talk[int]:
        return 5
        yield Ask()

    async with opened(AT) as session:
        assert await session.talk(talk()) == 5


async def test_a_talk_may_take_a_failure_for_an_answer(opened: Open):
    def witness() -> Talk[bool]:
        try:
            yield Ask("thing")
        except NotFound:
            yield Ask("me")
            return False
        return True

    async with opened(AT, transport=statuses(thing=404, me={})) as session:
        assert await session.talk(witness()) is False


async def test_a_failure_nobody_takes_is_raised(opened: Open):
    async with opened(AT, transport=statuses(me=404)) as session:
        with pytest.raises(NotFound) as caught:
            await session.talk(body_of())

    assert caught.value.status == 404
    assert caught.value.__context__ is None


@pytest.mark.parametrize("body", [{}, [], None, "x", {"id": None}])
async def test_an_answer_the_connector_cannot_read_is_a_changed_vendor(opened: Open, body: Any):
    def talk() -> Talk[str]:
        page = yield Ask("me")
        return page.body["id"].strip()

    async with opened(AT, transport=statuses(me=body)) as session:
        with pytest.raises(VendorChanged, match=r"The answer to me could not be read \(\w+Error"):
            await session.talk(talk())


async def test_a_connectors_own_error_is_scrubbed(opened: Open):
    def talk() -> Talk[None]:
        page = yield Ask("me")
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise VendorDown(f"The vendor echoes {page.body}", f"Look at {SECRET}") from error

    async with opened(AT, transport=statuses(me={"a": SECRET[:-1]})) as session:
        with pytest.raises(VendorDown) as caught:
            await session.talk(talk())

    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_talk_without_end_ends(opened: Open):
    def talk() -> Talk[None]:
        while True:
            yield Ask("me")

    async with opened(AT, transport=statuses(me={}), limits=replace(PATIENT, questions=20)) as session:
        with pytest.raises(VendorChanged, match="20 times"):
            await session.talk(talk())

    assert session.requests == 20


async def test_a_talk_may_wait(opened: Open, naps: Naps):
    def talk() -> Talk[int]:
        yield Wait(7)
        return 1

    async with opened(AT) as session:
        assert await session.talk(talk()) == 1

    assert naps == [7]


async def test_families_are_handed_out_and_questions_among_them_asked(opened: Open):
    def families(vep: Vep) -> Families:
        page = yield Ask(vep.id)
        assert (yield Family(page.body["kind"], things())).body is None  # pyright: ignore[reportArgumentType]
        yield Skipped("secrets", f"Off: {SECRET}")

    tool = Plain(AT)
    tool.named = families
    async with opened(tool, transport=statuses(t1={"kind": "code"})) as session:
        found = [family async for family in session.families(VEP)]

    assert isinstance(found[0], Family)
    assert found[0].name == "code"
    assert found[1] == Skipped("secrets", "Off: •••")


async def test_families_may_take_a_failure_for_an_answer(opened: Open):
    def families(vep: Vep) -> Families:
        try:
            yield Ask("scan")
        except NotFound:
            yield Skipped("code", "No scan has completed yet.")

    tool = Plain(AT)
    tool.named = families
    async with opened(tool, transport=statuses(scan=404)) as session:
        assert [family async for family in session.families(VEP)] == [Skipped("code", "No scan has completed yet.")]


async def test_families_that_fail_raise(opened: Open):
    def families(vep: Vep) -> Families:
        yield Skipped("code", "off")
        yield Ask("scan")

    tool = Plain(AT)
    tool.named = families
    async with opened(tool, transport=statuses(scan=404)) as session:
        walk = session.families(VEP)
        assert isinstance(await anext(walk), Skipped)
        with pytest.raises(NotFound):
            await anext(walk)


@pytest.mark.parametrize("lazy", [True, False])
async def test_families_that_cannot_be_named_raise(opened: Open, lazy: bool):
    def at_once(vep: Vep) -> Any:
        raise KeyError("org")

    def later(vep: Vep) -> Families:
        yield Family(vep.attributes["org"], things())  # pyright: ignore[reportArgumentType]

    tool = Plain(AT)
    tool.named = later if lazy else at_once
    async with opened(tool) as session:
        with pytest.raises(VendorChanged, match="KeyError: 'org'"):
            await anext(session.families(VEP))
