"""One walk for several Families of a VEP: whose each row is, who is asked how often, and what proves what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from sdk.tests.conftest import Open
from sdk.tests.plain import Plain, rows_of
from tidegate_sdk import (
    AccessDenied,
    Ask,
    Cursor,
    Finding,
    List,
    Odd,
    Offset,
    OneWalk,
    Outcome,
    Row,
    Session,
    Severity,
    Skip,
    TotalMoved,
)

AT = "http://vendor.test/"


def hole(row: Row) -> Finding | Skip:
    return Skip("A note.") if row.get("note") else Finding(key=row["id"], title=row["id"], severity=Severity.HIGH)


def walk(by: Any = None, *, secret: bool = False) -> OneWalk[Finding]:
    found = List(Ask("results"), "rows", by or Offset("total", per=2), hole, "id")
    return OneWalk(found, "engine", ("code", "packages", "images"), secret=secret)


def row(key: Any, engine: Any = "code", **more: Any) -> dict[str, Any]:
    return {"id": key, "engine": engine} | more


class Vendor:
    """Serves rows by position, and counts what it is asked."""

    def __init__(self, *rows: Any, strike: Callable[[int], Any] = lambda number: None, key: str = "total") -> None:
        self.rows, self.asked, self.strike, self.key = [*rows], 0, strike, key

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        if (struck := self.strike(self.asked)) is not None:
            return httpx2.Response(struck) if isinstance(struck, int) else httpx2.Response(200, json=struck)
        start, size = int(request.url.params["offset"]), int(request.url.params["limit"])
        return httpx2.Response(200, json={"rows": self.rows[start : start + size], self.key: len(self.rows)})


async def read(session: Session, one: OneWalk[Finding], family: str, **how: Any) -> tuple[list[Any], Outcome]:
    reading = session.read(one.share(family), **how)
    return await rows_of(reading), reading.outcome


def opening(opened: Open, vendor: Callable[[httpx2.Request], httpx2.Response]) -> Session:
    return opened(Plain(AT), transport=httpx2.MockTransport(vendor))


ROWS = (row("a"), row("p", "packages"), row("b", note=True), row("q", "packages"), row("c"))


async def test_a_list_is_walked_once_and_each_family_is_given_its_rows(opened: Open):
    vendor, one = Vendor(*ROWS), walk()

    async with opening(opened, vendor) as session:
        code, of_code = await read(session, one, "code")
        packages, of_packages = await read(session, one, "packages")
        images, of_images = await read(session, one, "images")

    assert vendor.asked == 3
    assert ([each.key for each in code], [each.key for each in packages], images) == (["a", "c"], ["p", "q"], [])
    counts = [(told.complete, told.seen, told.kept, told.elsewhere) for told in (of_code, of_packages, of_images)]
    assert counts == [(True, 3, 2, 2), (True, 2, 2, 3), (True, 0, 0, 5)]
    assert [told.proof and told.proof.expected for told in (of_code, of_packages)] == [5, 5]
    assert of_code.skipped == {"A note.": 1}


async def test_whoever_looks_a_second_time_has_it_walked_anew_and_once_for_all(opened: Open):
    """promises.md: what is missing from drifting pages is gone only if a second pass misses it too."""
    vendor, one = Vendor(*ROWS), walk()

    async with opening(opened, vendor) as session:
        for family in ("code", "packages"):
            await read(session, one, family)
        vendor.rows = [row("a"), row("q", "packages")]
        again = [[each.key for each in (await read(session, one, family))[0]] for family in ("code", "packages")]
        third = await read(session, one, "images")
        asked = vendor.asked
        await read(session, one, "images")

    assert again == [["a"], ["q"]]
    assert asked == 3 + 1
    assert third[1].elsewhere == 2
    assert vendor.asked == asked + 1, "It is given no walk that it has had."


@pytest.mark.parametrize("lost", [row("x", "quantum"), row("x", None), {"id": "x"}, 7, None])
async def test_a_row_of_no_family_takes_the_proof_from_all(opened: Open, lost: Any):
    """It may be anybody's: closing what it could have been would be by luck."""
    one = walk()

    async with opening(opened, Vendor(*ROWS, lost)) as session:
        code, of_code = await read(session, one, "code")
        packages, of_packages = await read(session, one, "packages")

    assert [type(each) for each in code] == [Finding, Finding, Odd]
    assert [each.key for each in packages] == ["p", "q"]
    assert not of_code.complete
    assert not of_packages.complete
    assert of_packages.why == "1 of 6 rows does not say what it belongs to, so it may belong anywhere."
    assert of_code.why == of_packages.why


async def test_a_row_without_an_id_takes_the_proof_from_its_own_family_alone(opened: Open):
    one = walk()

    async with opening(opened, Vendor(*ROWS, row(None, "packages"))) as session:
        told = {family: (await read(session, one, family))[1].complete for family in one.families}

    assert told == {"code": True, "packages": False, "images": True}


async def test_a_walk_that_fails_fails_for_all_and_is_not_asked_for_again(opened: Open):
    vendor, one = Vendor(*ROWS, strike=lambda number: 403 if number == 2 else None), walk()

    async with opening(opened, vendor) as session:
        told = [(await read(session, one, family, off=frozenset({403})))[1] for family in one.families]

    assert vendor.asked == 2
    assert [(type(each.error), each.complete, each.off) for each in told] == [(AccessDenied, False, False)] * 3


async def test_what_is_not_enabled_is_so_for_all(opened: Open):
    vendor, one = Vendor(strike=lambda number: 403), walk()

    async with opening(opened, vendor) as session:
        told = [(await read(session, one, family, off=frozenset({403})))[1] for family in one.families]

    assert (vendor.asked, [each.off for each in told]) == (1, [True, True, True])


async def test_after_a_total_that_moved_the_others_are_given_the_second_walk(opened: Open):
    moved = {"rows": [row("b")], "total": 6}
    vendor, one = Vendor(*ROWS, strike=lambda number: moved if number == 2 else None), walk()

    async with opening(opened, vendor) as session:
        first = (await read(session, one, "code"))[1]
        second = (await read(session, one, "code"))[1]
        packages, of_packages = await read(session, one, "packages")

    assert (type(first.error), second.complete, of_packages.complete) == (TotalMoved, True, True)
    assert [each.key for each in packages] == ["p", "q"]


async def test_a_walk_that_was_given_up_is_no_word_on_anything(opened: Open):
    vendor, one = Vendor(*ROWS), walk()

    async with opening(opened, vendor) as session:
        reading = session.read(one.share("code"))
        async for _ in reading:
            break
        await reading.aclose()
        packages, of_packages = await read(session, one, "packages")

    assert not reading.outcome.complete
    assert (of_packages.complete, len(packages)) == (True, 2)


async def test_a_cursor_is_believed_at_the_second_look_only(opened: Open):
    """A row that comes twice in place of another shows in the counts of its own Family alone."""
    vendor = Vendor(strike=lambda number: {"rows": [*ROWS], "next": None})

    async with opening(opened, vendor) as session:
        told = (await read(session, walk(Cursor("next", query="at")), "code"))[1]

    assert told.proof is not None
    assert told.proof.kind == "drifting"


async def test_rows_of_nobody_are_not_kept_where_one_family_holds_secrets(opened: Open):
    lost = row("x", "quantum", password="hunter2-hunter2")

    async with opening(opened, Vendor(lost)) as session:
        kept = (await read(session, walk(), "code"))[0]
    async with opening(opened, Vendor(lost)) as session:
        left = (await read(session, walk(secret=True), "code"))[0]

    assert "hunter2" in kept[0].raw
    assert "hunter2" not in repr(left)


async def test_rows_of_others_wait_on_disk(opened: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tidegate_sdk.one_walk._IN_MEMORY", 100)
    many = [row(f"p{number}", "packages") for number in range(3_000)]
    one = walk(Offset("total", per=1_000))

    async with opening(opened, Vendor(*many)) as session:
        await read(session, one, "code")
        packages, outcome = await read(session, one, "packages")

    assert [each.key for each in packages] == [each["id"] for each in many]
    assert outcome.complete


def test_a_walk_serves_the_families_it_names():
    with pytest.raises(ValueError, match="and not 'secrets'"):
        walk().share("secrets")
