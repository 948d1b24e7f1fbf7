"""What a Reading hands over, and when its outcome may be believed."""

from __future__ import annotations

import asyncio
import traceback
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx2
import msgspec
import pytest
from pydantic import SecretStr

from sdk.tests.conftest import PATIENT, Open
from sdk.tests.plain import SECRET, Naps, Plain, rows_of, thing, things, whole
from tidegate_sdk import (
    AccessDenied,
    AddressRefused,
    Ask,
    ConnectorError,
    Finding,
    Incomplete,
    NextLink,
    NotFound,
    Odd,
    Page,
    PageNumber,
    Proof,
    Settings,
    Severity,
    VendorChanged,
    VendorDown,
    Vep,
    Verdict,
    Wait,
    Walk,
    Whole,
)

AT = "http://vendor.test/"


def replying(*bodies: Any) -> httpx2.MockTransport:
    """Answers with these in turn, the last one again and again; a number is a status."""
    left = list(bodies)

    def reply(request: httpx2.Request) -> httpx2.Response:
        body = left.pop(0) if len(left) > 1 else left[0]
        return httpx2.Response(body) if isinstance(body, int) else httpx2.Response(200, json=body)

    return httpx2.MockTransport(reply)


class By:
    """A paging shape made of one generator function."""

    def __init__(self, walk: Callable[[Ask], Walk]) -> None:
        self.walk = walk


def row(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"t{number}", "name": f"Thing {number}"} | more


async def test_rows_become_values_and_the_list_is_complete(opened: Open):
    pages = replying({"data": [row(1), row(2)], "next": "things?page=2"}, {"data": [row(3)], "next": None})

    async with opened(AT, transport=pages) as session:
        reading = session.read(things())
        batches = [batch async for batch in reading]

    assert [[vep.id for vep in batch if isinstance(vep, Vep)] for batch in batches] == [["t1", "t2"], ["t3"]]
    assert reading.outcome.complete
    assert reading.outcome.proof == Proof(3, pages=2)
    assert (reading.outcome.seen, reading.outcome.kept) == (3, 3)


async def test_a_skipped_row_counts_as_seen(opened: Open):
    async with opened(AT, transport=replying({"data": [row(1), row(2, draft=True)]})) as session:
        reading = session.read(whole())
        values = await rows_of(reading)

    assert len(values) == 1
    assert reading.outcome.complete
    assert reading.outcome.skipped == {"It is a draft.": 1}


def _raise(error: Exception) -> Callable[[Any], Any]:
    def read(found: Any) -> Any:
        if found["id"] == "t2":
            raise error
        return thing(found)

    return read


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyError("severity"), "KeyError: 'severity'"),
        (ValueError("bad date"), "ValueError: bad date"),
        (TypeError(), "TypeError"),
        (AttributeError("x"), "AttributeError: x"),
        (VendorChanged("The answer has no 'x'."), "The answer has no 'x'."),
        (RecursionError("deep"), "RecursionError: deep"),
        (ZeroDivisionError("a b\n c"), "ZeroDivisionError: a b c"),
        (StopIteration("x"), "StopIteration: x"),
    ],
)
async def test_a_row_that_cannot_be_read_is_odd_and_spares_the_others(opened: Open, error: Exception, reason: str):
    async with opened(AT, transport=replying({"data": [row(1), row(2), row(3)]})) as session:
        reading = session.read(whole(read=_raise(error)))
        values = await rows_of(reading)

    assert values[1] == Odd("t2", reason, '{"id":"t2","name":"Thing 2"}')
    assert [value.id for value in values] == ["t1", "t2", "t3"]
    assert reading.outcome.complete
    assert (reading.outcome.kept, reading.outcome.odd) == (2, 1)


async def test_a_connector_that_gives_nothing_back_makes_the_row_odd(opened: Open):
    async with opened(AT, transport=replying({"data": [row(1)]})) as session:
        values = await rows_of(session.read(whole(read=lambda found: None)))

    assert [type(value) for value in values] == [Odd]


@pytest.mark.parametrize("key", [None, "", "  ", True, ["t1"], {"a": 1}, 1.5])
async def test_an_odd_row_without_an_id_proves_nothing(opened: Open, key: Any):
    async with opened(AT, transport=replying({"data": [row(2), {"id": key}]})) as session:
        reading = session.read(whole())
        [_, odd] = await rows_of(reading)

    assert odd.id is None
    assert not reading.outcome.complete
    assert "no readable id" in reading.outcome.why


@pytest.mark.parametrize("name", ["id", "meta.id", lambda found: found["meta"]["id"]])
async def test_an_id_may_be_a_number_a_path_or_a_function(opened: Open, name: Any):
    async with opened(AT, transport=replying({"data": [{"id": 7, "meta": {"id": 7}}]})) as session:
        reading = session.read(whole(id=name))
        [odd] = await rows_of(reading)

    assert odd.id == "7"
    assert reading.outcome.complete


@pytest.mark.parametrize("item", ["text", 5, None, ["a"], True])
async def test_what_is_no_object_is_one_odd_row_without_an_id(opened: Open, item: Any):
    async with opened(AT, transport=replying({"data": [row(1), item, row(2)]})) as session:
        reading = session.read(whole())
        values = await rows_of(reading)

    assert [type(value) for value in values] == [Vep, Odd, Vep]
    assert values[1].reason == "TypeError: not an object"
    assert not reading.outcome.complete
    assert reading.outcome.seen == 3


@pytest.mark.parametrize("data", [None, {"a": 1}, "rows", 5])
async def test_an_answer_without_a_list_is_a_changed_vendor(opened: Open, data: Any):
    async with opened(AT, transport=replying({"data": data})) as session:
        reading = session.read(whole())
        assert await rows_of(reading) == []

    assert type(reading.outcome.error) is VendorChanged
    assert not reading.outcome.complete


async def test_a_failure_half_way_keeps_what_came_and_proves_nothing(opened: Open):
    pages = replying({"data": [row(1)], "next": "things?page=2"}, 403)

    async with opened(AT, transport=pages) as session:
        reading = session.read(things())
        values = await rows_of(reading)

    assert [vep.id for vep in values] == ["t1"]
    assert isinstance(reading.outcome.error, AccessDenied)
    assert reading.outcome.why == str(reading.outcome.error)
    assert not reading.outcome.complete


@pytest.mark.parametrize("caught", [ConnectorError, Exception, BaseException])
async def test_a_walk_that_swallows_a_failure_hides_nothing(opened: Open, caught: type[BaseException]):
    def walk(first: Ask) -> Walk:
        page = yield first
        with suppress(caught):
            yield first.more(page=2)
        return Proof(page.count)

    async with opened(AT, transport=replying({"data": [row(1)]}, 403)) as session:
        reading = session.read(things(by=By(walk)))
        await rows_of(reading)

    assert not reading.outcome.complete
    assert isinstance(reading.outcome.error, AccessDenied)


async def test_a_walk_that_will_not_end_when_closed_hides_nothing(opened: Open):
    def walk(first: Ask) -> Walk:
        try:
            yield first
        finally:
            yield first
        return Proof(0)

    async with opened(AT, transport=replying(404)) as session:
        reading = session.read(things(by=By(walk)))
        await rows_of(reading)

    assert isinstance(reading.outcome.error, NotFound)


async def test_a_walk_that_raises_anything_is_a_changed_vendor(opened: Open):
    def walk(first: Ask) -> Walk:
        page = yield first
        return Proof(page.body["no"]["such"]["field"])

    async with opened(AT, transport=replying({"data": []})) as session:
        reading = session.read(things(by=By(walk)))
        await rows_of(reading)

    assert type(reading.outcome.error) is VendorChanged
    assert "The answer to things could not be read (KeyError: 'no')." in reading.outcome.why


async def test_a_walk_that_cannot_even_begin_is_told(opened: Open):
    def walk(first: Ask) -> Walk:
        raise ValueError("bad size")

    async with opened(AT, transport=replying({})) as session:
        reading = session.read(things(by=By(walk)))
        await rows_of(reading)

    assert "bad size" in reading.outcome.why


@pytest.mark.parametrize("ending", [None, 3, {"seen": 1}])
async def test_a_walk_must_end_with_a_proof(opened: Open, ending: Any):
    def walk(first: Ask) -> Walk:
        yield first
        return ending

    async with opened(AT, transport=replying({"data": [row(1)]})) as session:
        reading = session.read(things(by=By(walk)))
        await rows_of(reading)

    assert "without a proof" in reading.outcome.why


async def test_a_walk_may_only_yield_questions(opened: Open):
    def walk(first: Ask) -> Any:
        yield "things"

    async with opened(AT, transport=replying({"data": []})) as session:
        reading = session.read(things(by=By(walk)))
        await rows_of(reading)

    assert "yields str" in reading.outcome.why


async def test_a_proof_that_counts_otherwise_proves_nothing(opened: Open):
    def walk(first: Ask) -> Walk:
        yield first
        return Proof(5)

    async with opened(AT, transport=replying({"data": [row(1)]})) as session:
        reading = session.read(things(by=By(walk)))
        await rows_of(reading)

    assert "counts 5 rows, and 1 came" in reading.outcome.why


async def test_a_cursor_in_a_circle_ends(opened: Open):
    pages = replying({"data": [row(1)], "next": "things?c=a"}, {"data": [row(2)], "next": "things?c=a"})

    async with opened(AT, transport=pages) as session:
        reading = session.read(things())
        values = await rows_of(reading)

    assert len(values) == 2
    assert isinstance(reading.outcome.error, Incomplete)
    assert "the vendor repeats a page" in reading.outcome.why


async def test_a_bare_question_may_be_asked_again(opened: Open):
    def walk(first: Ask) -> Walk:
        status = Ask("export/status", bare=True)
        while (yield status).body["state"] != "done":
            yield Wait(30)
        page = yield first
        return Proof(page.count)

    pages = replying({"state": "busy"}, {"state": "busy"}, {"state": "done"}, {"data": [row(1)]})
    async with opened(AT, transport=pages) as session:
        reading = session.read(things(by=By(walk)))
        await rows_of(reading)

    assert reading.outcome.complete
    assert session.seconds["vendor"] == pytest.approx(60, abs=1)


async def test_a_wait_is_honoured_but_not_for_ever(opened: Open, naps: Naps):
    def walk(first: Ask) -> Walk:
        yield Wait(20)
        yield Wait(86_400)
        yield Wait(-5)
        page = yield first
        return Proof(page.count)

    async with opened(AT, transport=replying({"data": []})) as session:
        await rows_of(session.read(things(by=By(walk))))

    assert naps == [20, 300]


@pytest.mark.parametrize("waiting", [False, True])
async def test_a_list_without_end_ends(opened: Open, waiting: bool):
    def walk(first: Ask) -> Walk:
        number = 0
        while True:
            number += 1
            yield Wait(1) if waiting else first.more(page=number)

    async with opened(AT, transport=replying({"data": []}), limits=replace(PATIENT, pages=50)) as session:
        reading = session.read(things(by=By(walk)))
        await rows_of(reading)

    assert "more than 50 pages" in reading.outcome.why
    assert session.requests == (0 if waiting else 50)


async def test_a_large_page_is_handed_over_in_batches(opened: Open):
    async with opened(AT, transport=replying({"data": [row(number) for number in range(2_500)]})) as session:
        reading = session.read(whole())
        sizes = [len(batch) async for batch in reading]

    assert sizes == [1000, 1000, 500]
    assert reading.outcome.complete


async def test_pages_carry_what_a_walk_steers_by(opened: Open):
    pages: list[Page] = []

    def walk(first: Ask) -> Walk:
        pages.append((yield first))
        return Proof(pages[0].count)

    async with opened(AT, transport=replying({"data": [row(1), 5]})) as session:
        await rows_of(session.read(things(by=By(walk))))

    [page] = pages
    assert page.count == 2
    assert [found["id"] for found in page.rows] == ["t1"]
    assert page.body["data"][1] == 5
    assert page.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("seconds", [None, "soon", float("nan"), [30]])
async def test_a_wait_that_is_no_number_is_told(opened: Open, seconds: Any):
    def walk(first: Ask) -> Walk:
        yield Wait(seconds)
        page = yield first
        return Proof(page.count)

    async with opened(AT, transport=replying({"data": []})) as session:
        reading = session.read(things(by=By(walk)))
        await rows_of(reading)

    assert "where seconds are due" in reading.outcome.why


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        ({"path": None}, "asks for NoneType where a path is due"),
        ({"path": 7}, "asks for int where a path is due"),
        ({"query": None}, "with a query that is none"),
        ({"query": {7: "x"}}, "with a query that is none"),
    ],
)
async def test_a_question_made_of_what_the_vendor_left_out_is_told(opened: Open, ask: Any, words: str):
    def walk(first: Ask) -> Walk:
        yield first
        page = yield replace(first, **ask)
        return Proof(page.count)

    async with opened(AT, transport=replying({"data": []})) as session:
        reading = session.read(things(by=By(walk)))
        await rows_of(reading)

    assert type(reading.outcome.error) is VendorChanged
    assert words in reading.outcome.why


@pytest.mark.parametrize("kind", ["", "stable", None])
async def test_a_proof_of_an_unknown_kind_is_none(opened: Open, kind: Any):
    def walk(first: Ask) -> Walk:
        page = yield first
        return Proof(page.count, kind=kind)

    async with opened(AT, transport=replying({"data": []})) as session:
        reading = session.read(things(by=By(walk)))
        await rows_of(reading)

    assert "without a proof" in reading.outcome.why


@pytest.mark.parametrize("total", [True, False, 1.5, None, "many", [], -1])
@pytest.mark.parametrize("by", [PageNumber("total"), Whole("total")])
async def test_a_total_that_is_no_count_proves_nothing(opened: Open, total: Any, by: Any):
    async with opened(
        AT, transport=replying({"data": [row(1)] if total is not False else [], "total": total})
    ) as session:
        reading = session.read(things(by=by))
        await rows_of(reading)

    assert not reading.outcome.complete


@pytest.mark.parametrize("total", [1, "1", 1.0])
@pytest.mark.parametrize("by", [PageNumber("total"), Whole("total")])
async def test_a_total_may_be_a_text_or_look_like_a_fraction(opened: Open, total: Any, by: Any):
    async with opened(AT, transport=replying({"data": [row(1)], "total": total})) as session:
        reading = session.read(things(by=by))
        await rows_of(reading)

    assert reading.outcome.complete


@pytest.mark.parametrize(
    ("link", "body", "complete"),
    [
        ("next", {"next": None}, True),
        ("next", {}, False),
        ("links.next", {"links": {"next": None}}, True),
        ("links.next", {"links": {}}, True),
        ("links.next", {"links": None}, False),
        ("links.next", {}, False),
    ],
)
async def test_a_next_link_that_is_not_there_ends_a_list_only_among_links(
    opened: Open, link: str, body: Any, complete: bool
):
    async with opened(AT, transport=replying({"data": [row(1)], **body})) as session:
        reading = session.read(things(by=NextLink(link)))
        await rows_of(reading)

    assert reading.outcome.complete is complete


# What does not fit into a finding


def found(**fields: Any) -> Callable[[Any], Any]:
    given: dict[str, Any] = {"title": "x", "severity": Severity.LOW}
    return lambda row: Finding(key=row["id"], **given | fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"key": ""}, {"title": None}, {"description": None}, {"evidence": object()}, {"severity": "Low"},
        {"severity": None}, {"verdict": "accepted"}, {"line": "12"}, {"line": True}, {"cwe": ("CWE-79",)},
        {"fixed": None}, {"unknown_words": None}, {"tags": (1,)},
        {"found_at": datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)},
    ],
)  # fmt: skip
async def test_a_finding_that_does_not_fit_is_set_aside_and_spares_the_others(opened: Open, fields: dict[str, Any]):
    def read(row: Any) -> Any:
        return msgspec.structs.replace(found()(row), **fields) if row["id"] == "t2" else found()(row)

    async with opened(AT, transport=replying({"data": [row(1), row(2), row(3)]})) as session:
        reading = session.read(whole(read=read))
        values = await rows_of(reading)

    assert [type(value) for value in values] == [Finding, Odd, Finding]
    assert values[1].id == "t2"
    assert reading.outcome.complete


@pytest.mark.parametrize("fields", [{"id": ""}, {"name": None}, {"parent": 1}, {"attributes": {"a": object()}}])
async def test_a_product_that_does_not_fit_is_set_aside(opened: Open, fields: dict[str, Any]):
    def read(row: Any) -> Any:
        return msgspec.structs.replace(thing(row), **fields)

    async with opened(AT, transport=replying({"data": [row(1)]})) as session:
        values = await rows_of(session.read(whole(read=read)))

    assert [type(value) for value in values] == [Odd]


async def test_what_fits_is_handed_over_as_it_is(opened: Open):
    full = {"found_at": datetime(2026, 1, 1, tzinfo=UTC), "verdict": Verdict.ACCEPTED, "cwe": (79,), "epss": 1}

    async with opened(AT, transport=replying({"data": [row(1)]})) as session:
        [finding] = await rows_of(session.read(whole(read=found(**full))))

    assert finding == found(**full)(row(1))


async def test_an_odd_row_too_deep_to_be_shown_says_so(opened: Open):
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]

    def reader(file: Any) -> Any:
        yield row(1, deep=deep)

    def read(row: Any) -> Any:
        raise ValueError("odd")

    async with opened(AT, transport=replying({"data": []})) as session:
        [odd] = await rows_of(session.read(whole(ask=Ask("things", reader=reader), read=read)))

    assert odd.raw == "It is nested too deeply to be shown."


@pytest.mark.parametrize("word", [None, True, [], {}, object()])
def test_no_word_at_all_is_an_unknown_severity(word: Any):
    class Worded(Plain):
        severities = {"none": Severity.INFO, "true": Severity.HIGH, "3": Severity.HIGH}  # noqa: RUF012

    assert Worded(AT).severity(word) is Severity.UNKNOWN
    assert Worded(AT).severity(3) is Severity.HIGH
    assert Worded(AT).severity(" NONE ") is Severity.INFO


# Not enabled


async def test_a_status_that_means_not_enabled_is_off(opened: Open):
    async with opened(AT, transport=replying(404)) as session:
        reading = session.read(things(), off=frozenset({404, 403}))
        await rows_of(reading)

    outcome = reading.outcome
    assert outcome.off
    assert not outcome.complete
    assert outcome.error is None
    assert outcome.why == "Not enabled: GET things answered 404."


@pytest.mark.parametrize("off", [frozenset[int](), frozenset({403})])
async def test_another_status_is_not_off(opened: Open, off: frozenset[int]):
    async with opened(AT, transport=replying(404)) as session:
        reading = session.read(things(), off=off)
        await rows_of(reading)

    assert not reading.outcome.off
    assert isinstance(reading.outcome.error, NotFound)


async def test_a_list_that_has_begun_is_not_off(opened: Open):
    pages = replying({"data": [row(1)], "next": "things?page=2"}, 404)

    async with opened(AT, transport=pages) as session:
        reading = session.read(things(), off=frozenset({404}))
        await rows_of(reading)

    assert not reading.outcome.off
    assert isinstance(reading.outcome.error, NotFound)


# Secrets


async def test_an_odd_row_leaves_without_secrets(opened: Open):
    def read(found: Any) -> Any:
        raise ValueError(f"cannot read {found}")

    rows = [row(1, note="Bearer tok-8f3", filler="x" * 10_000)]
    async with opened(Plain(AT, token="tok-8f3"), transport=replying({"data": rows})) as session:
        [odd] = await rows_of(session.read(whole(read=read)))

    assert "tok-8f3" not in odd.reason + odd.raw
    assert "•••" in odd.raw
    assert "•••" in odd.reason
    assert len(odd.raw) <= 4_001
    assert len(odd.reason) <= 501


@pytest.mark.parametrize("before", [*range(260, 300, 5), *range(460, 500, 5)])
async def test_no_half_of_a_secret_is_left_where_a_reason_is_cut(opened: Open, before: int):
    def read(found: Any) -> Any:
        raise ValueError("x" * before + "0123456789" + "y" * 1_000)

    async with opened(Plain(AT, token="0123456789"), transport=replying({"data": [row(1)]})) as session:
        [odd] = await rows_of(session.read(whole(read=read)))

    assert "012" not in odd.reason


async def test_an_outcome_leaves_without_secrets(opened: Open):
    def reply(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(400, json={"message": f"What is {request.headers['authorization']}?"})

    async with opened(AT, transport=httpx2.MockTransport(reply)) as session:
        reading = session.read(things())
        await rows_of(reading)

    assert "What is Bearer •••?" in reading.outcome.why
    assert SECRET not in repr(reading.outcome)


async def test_a_family_or_a_list_of_secrets_keeps_nothing_of_an_odd_row(opened: Open):
    """Probely's list of targets holds the logins that its scans use."""

    def read(found: Any) -> Any:
        return int(found["leaked"])

    async with opened(AT, transport=replying({"data": [row(1, leaked="AKIA-of-the-customer")]})) as session:
        of_family = await rows_of(session.read(whole(read=read), keep_raw=False))
        of_list = await rows_of(session.read(replace(whole(read=read), secret=True)))

    for odd in (*of_family, *of_list):
        assert odd.raw == ""
        assert "AKIA" not in odd.reason
        assert odd.reason.startswith("ValueError at read, line ")
    assert len(of_family) == len(of_list) == 1


async def test_an_echoed_secret_does_not_become_a_finding(opened: Open):
    rows = [{"id": "t1", "name": f"called with {SECRET}"}]

    async with opened(AT, transport=replying({"data": rows})) as session:
        [vep] = await rows_of(session.read(whole()))

    assert vep.name == "called with •••"


async def test_a_short_secret_is_a_word_like_any_other(opened: Open):
    tool = Plain(AT, token="Thing")

    async with opened(tool, transport=replying({"data": [row(1)]})) as session:
        [vep] = await rows_of(session.read(whole()))

    assert vep.name == "Thing 1"


@pytest.mark.parametrize("location", [f"http://user:{SECRET}@localhost:1/", "http://user:secret@127.0.0.1:1/"])
async def test_the_trace_of_an_error_quotes_no_password_of_the_location(opened: Open, location: str):
    async with opened(location) as session:
        reading = session.read(things())
        await rows_of(reading)

    assert isinstance(reading.outcome.error, (VendorDown, AddressRefused))
    assert "tok-8f3" not in str(reading.outcome.error)
    assert "user:" not in "".join(traceback.format_exception(reading.outcome.error))


@pytest.mark.parametrize("spelled", [SECRET.replace("/", "\\/"), quote(SECRET), b64encode(SECRET.encode()).decode()])
async def test_an_echoed_secret_does_not_become_a_finding_however_it_is_spelled(opened: Open, spelled: str):
    text = f'{{"data": [{{"id": "t1", "name": "called with {spelled}"}}]}}'
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, text=text))

    async with opened(AT, transport=transport) as session:
        [vep] = await rows_of(session.read(whole()))

    assert vep.name == "called with •••"


def test_every_secret_of_the_settings_is_known_to_the_session():
    class Inner(Settings):
        key: SecretStr

    class Many(Settings):
        one: SecretStr
        none: SecretStr | None = None
        listed: list[SecretStr]
        named: dict[str, SecretStr]
        inner: Inner

    settings = Many.model_validate(
        {"one": "a1", "listed": ["b2", "c3"], "named": {"x": "d4"}, "inner": {"key": "e5"}},
    )

    class Keeper(Plain):
        def __init__(self) -> None:
            super().__init__(AT)
            self.settings = settings  # pyright: ignore[reportAttributeAccessIssue]

    assert Keeper().secrets() == ("a1", "b2", "c3", "d4", "e5")


# The end of a reading


async def test_there_is_no_outcome_before_the_end(opened: Open):
    pages = replying({"data": [row(1)], "next": "things?page=2"}, {"data": [row(2)], "next": None})

    async with opened(AT, transport=pages) as session:
        reading = session.read(things())
        with pytest.raises(RuntimeError, match="still being read"):
            _ = reading.outcome
        async for _ in reading:
            with pytest.raises(RuntimeError):
                _ = reading.outcome

    assert reading.outcome.complete


@pytest.mark.parametrize("batches", [0, 1])
async def test_a_reading_closed_early_proves_nothing(opened: Open, batches: int):
    pages = replying({"data": [row(1)], "next": "things?page=2"}, {"data": [row(2)], "next": None})

    async with opened(AT, transport=pages) as session:
        reading = session.read(things())
        for _ in range(batches):
            await anext(aiter(reading))
        await reading.aclose()

    assert not reading.outcome.complete
    assert reading.outcome.why == "The list was not read to its end."
    assert reading.outcome.seen == batches


async def test_one_failure_does_not_touch_another_list(opened: Open):
    def reply(request: httpx2.Request) -> httpx2.Response:
        good = request.url.path == "/good"
        return httpx2.Response(200, json={"data": [row(1)]}) if good else httpx2.Response(403)

    async with opened(AT, transport=httpx2.MockTransport(reply)) as session:
        bad, good = session.read(whole()), session.read(whole(ask=Ask("good")))
        await asyncio.gather(rows_of(bad), rows_of(good))

    assert not bad.outcome.complete
    assert good.outcome.complete


async def test_numbered_pages_that_hold_more_than_they_declare_prove_nothing(opened: Open):
    async with opened(AT, transport=replying({"data": [row(1), row(2)], "total": 1})) as session:
        reading = session.read(things(by=PageNumber("total")))
        await rows_of(reading)

    assert "declares 1 row, and 2 came" in reading.outcome.why
