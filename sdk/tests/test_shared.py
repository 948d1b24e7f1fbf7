"""One walk for many VEPs: where each of its rows belongs, and when what it lacks may count as gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from sdk.tests.conftest import Open
from sdk.tests.plain import SECRET, Plain
from tidegate_sdk import (
    NO_PRODUCT,
    AccessDenied,
    Ask,
    Families,
    Family,
    Finding,
    Housed,
    List,
    NextLink,
    Odd,
    Outcome,
    Row,
    Session,
    Severity,
    SharedFamilies,
    SharedFamily,
    Skip,
    Skipped,
    VendorChanged,
    Vep,
    Wait,
    Whole,
)

AT = "http://vendor.test/"
VEPS = tuple(Vep(id=f"p{number}", name=f"Project {number}", parent=f"o{number % 2}") for number in range(4))


class Pooled(Plain):
    """Lists the holes of the whole account at once; a test says how."""

    def __init__(self, shared: Any = None) -> None:
        super().__init__(AT)
        self.named = nothing
        self._shared = shared

    def shared(self, veps: Sequence[Vep]) -> SharedFamilies:
        return super().shared(veps) if self._shared is None else self._shared(veps)


def nothing(vep: Vep) -> Families:
    yield from ()


def hole(row: Row) -> Finding | Skip:
    if row.get("note"):
        return Skip(row["note"])
    return Finding(key=row["id"], title=row["title"], severity=Severity.HIGH)


def holes(**changes: Any) -> SharedFamily:
    return replace(SharedFamily("holes", List(Ask("holes"), "data", Whole(), hole, "id"), "project.id"), **changes)


def inside(org: str) -> Callable[[Vep], bool]:
    return lambda vep: vep.parent == org


def row(key: Any, project: Any = "p0", **more: Any) -> dict[str, Any]:
    return {"id": key, "title": "A hole", "project": {"id": project}} | more


def answering(*bodies: Any) -> httpx2.MockTransport:
    left = list(bodies)

    def reply(request: httpx2.Request) -> httpx2.Response:
        body = left.pop(0) if len(left) > 1 else left[0]
        return httpx2.Response(body) if isinstance(body, int) else httpx2.Response(200, json=body)

    return httpx2.MockTransport(reply)


async def read(opened: Open, *bodies: Any, family: SharedFamily | None = None) -> tuple[list[Housed], Outcome]:
    async with opened(Pooled(), transport=answering(*bodies)) as session:
        reading = session.read_shared(family or holes())
        rows = [row async for batch in reading for row in batch]
    return rows, reading.outcome


# Rows


async def test_each_row_comes_with_its_vep(opened: Open):
    rows, outcome = await read(opened, {"data": [row("a"), row("b", "p1"), row("c"), row("d", "never seen")]})

    assert [(vep, value.key) for vep, value in rows if isinstance(value, Finding)] == [
        ("p0", "a"),
        ("p1", "b"),
        ("p0", "c"),
        ("never seen", "d"),
    ]
    assert outcome.complete
    assert (outcome.seen, outcome.kept, outcome.odd) == (4, 4, 0)


async def test_pages_of_a_shared_walk_are_batches_like_others(opened: Open):
    linked = holes(list=replace(holes().list, by=NextLink("next", kind="steady")))
    pages = [{"data": [row("a")], "next": "holes?page=2"}, {"data": [row("b", "p1")], "next": None}]

    async with opened(Pooled(), transport=answering(*pages)) as session:
        reading = session.read_shared(linked)
        batches = [[vep for vep, _ in batch] async for batch in reading]

    assert batches == [["p0"], ["p1"]]
    assert reading.outcome.complete


async def test_a_skipped_row_says_whose_it_is(opened: Open):
    """The equation of a Record needs it: its rows are findings, skipped and odd ones."""
    rows, outcome = await read(opened, {"data": [row("a"), row("b", "p1", note="A note.")]})

    assert rows[1] == ("p1", Skip("A note."))
    assert outcome.skipped == {"A note.": 1}
    assert outcome.complete


async def test_an_odd_row_says_whose_it_is(opened: Open):
    rows, outcome = await read(opened, {"data": [row("a", "p1", title=None), row("b")]})

    assert [(vep, value.id) for vep, value in rows if isinstance(value, Odd)] == [("p1", "a")]
    assert outcome.complete


async def test_an_odd_row_without_an_id_leaves_the_proof_to_the_other_veps(opened: Open):
    """records.md: without a readable id its Family *of that VEP* closes nothing."""
    rows, outcome = await read(opened, {"data": [row(None, "p1"), row("b")]})

    assert [(vep, value.id) for vep, value in rows if isinstance(value, Odd)] == [("p1", None)]
    assert outcome.complete


@pytest.mark.parametrize("project", [None, "", "  ", True, 1.5, [], {}, ["p0"]])
async def test_a_row_without_a_vep_proves_nothing(opened: Open, project: Any):
    """records.md: without a readable VEP, in a walk that serves many Records, nothing of that walk closes."""
    rows, outcome = await read(opened, {"data": [row("a"), row("b", project)]})

    [vep, odd] = rows[1]
    assert vep is None
    assert isinstance(odd, Odd)
    assert odd.id == "b"
    assert not outcome.complete
    assert outcome.why == "1 of 2 rows does not say what it belongs to, so it may belong anywhere."


@pytest.mark.parametrize("item", ["text", 5, None, [], {}, True, {"id": "a", "title": "A hole"}])
async def test_what_is_no_row_or_names_no_vep_at_all_proves_nothing(opened: Open, item: Any):
    rows, outcome = await read(opened, {"data": [item]})

    assert [vep for vep, _ in rows] == [None]
    assert not outcome.complete


async def test_a_skipped_row_needs_a_vep_too(opened: Open):
    """Whose equation it would be part of, nobody could tell."""
    rows, outcome = await read(opened, {"data": [row("a", None, note="A note.")]})

    assert isinstance(rows[0][1], Odd)
    assert not outcome.complete
    assert outcome.skipped == {}


async def test_a_vep_may_be_a_number_and_come_from_a_function(opened: Open):
    def of(found: Row) -> str:
        return f"{found['account']}/{found['region']}" if found.get("region") else found["account"]

    bodies = {"data": [row("a", account=7, region="eu"), row("b", account=7)]}
    rows, outcome = await read(opened, bodies, family=holes(of=of))

    assert [vep for vep, _ in rows] == ["7/eu", "7"]
    assert outcome.complete


async def test_a_function_that_fails_makes_the_row_odd(opened: Open):
    rows, outcome = await read(opened, {"data": [row("a")]}, family=holes(of=lambda found: found["no"]["such"]))

    assert [type(value) for _, value in rows] == [Odd]
    assert not outcome.complete


async def test_a_row_may_belong_to_no_product(opened: Open):
    rows, outcome = await read(
        opened, {"data": [row("a", None)]}, family=holes(of=lambda found: found["project.id"] or NO_PRODUCT)
    )

    assert [vep for vep, _ in rows] == [NO_PRODUCT]
    assert outcome.complete


async def test_a_walk_that_fails_half_way_proves_nothing_to_anybody(opened: Open):
    linked = holes(list=replace(holes().list, by=NextLink("next", kind="steady")))

    rows, outcome = await read(opened, {"data": [row("a")], "next": "holes?page=2"}, 403, family=linked)

    assert len(rows) == 1
    assert isinstance(outcome.error, AccessDenied)
    assert not outcome.complete


async def test_not_enabled_holds_for_the_whole_walk(opened: Open):
    _, outcome = await read(opened, 403, family=holes(off=frozenset({403})))

    assert outcome.off
    assert not outcome.complete


async def test_no_secret_leaves_in_a_reason(opened: Open):
    rows, outcome = await read(opened, {"data": [row("a", note=f"Not {SECRET}.")]})

    assert rows == [("p0", Skip("Not •••."))]
    assert outcome.skipped == {"Not •••.": 1}


async def test_a_shared_family_of_secrets_keeps_no_raw_row(opened: Open):
    rows, _ = await read(opened, {"data": [row("a", title={"password": "hunter2"})]}, family=holes(secret=True))

    [(_, odd)] = rows
    assert isinstance(odd, Odd)
    assert odd.raw == ""
    assert "hunter2" not in odd.reason


# Families


async def named(session: Session, veps: Sequence[Vep] = VEPS) -> list[SharedFamily | Skipped]:
    return [family async for family in session.shared(veps)]


async def test_a_tool_shares_nothing_by_default(opened: Open):
    async with opened(Pooled(), transport=answering({})) as session:
        assert await named(session) == []


async def test_a_tool_hears_whose_findings_are_wanted_and_may_ask_first(opened: Open):
    def shared(veps: Sequence[Vep]) -> SharedFamilies:
        yield Wait(1)
        page = yield Ask("organizations", {"ids": ",".join(vep.id for vep in veps)})
        for org in page.body["data"]:
            yield holes(list=replace(holes().list, ask=Ask(f"{org}/holes")), covers=inside(org))

    async with opened(Pooled(shared), transport=answering({"data": ["o0", "o1"]})) as session:
        families = await named(session)

    assert [family.list.ask.path for family in families if isinstance(family, SharedFamily)] == ["o0/holes", "o1/holes"]


async def test_it_is_told_which_veps_a_walk_covers(opened: Open):
    def shared(veps: Sequence[Vep]) -> SharedFamilies:
        yield holes(covers=lambda vep: vep.parent == "o1")
        yield Skipped("holes", "It is not licensed.", covers=lambda vep: vep.parent == "o0")
        yield holes(name="secrets")

    async with opened(Pooled(shared)) as session:
        covered = [[vep.id for vep in session.covered(family, VEPS)] for family in await named(session)]

    assert covered == [["p1", "p3"], ["p0", "p2"], ["p0", "p1", "p2", "p3"]]


async def test_nothing_is_asked_where_nobody_wants_anything(opened: Open):
    def shared(veps: Sequence[Vep]) -> SharedFamilies:
        raise AssertionError("Nobody asked.")

    async with opened(Pooled(shared)) as session:
        assert await named(session, ()) == []


async def test_a_scope_that_cannot_be_told_is_a_changed_vendor(opened: Open):
    def covers(vep: Vep) -> bool:
        raise KeyError(SECRET)

    async with opened(Pooled()) as session:
        with pytest.raises(VendorChanged) as caught:
            session.covered(holes(covers=covers), VEPS)

    assert SECRET not in str(caught.value)
    assert caught.value.__context__ is None


async def test_why_a_walk_is_skipped_holds_no_secret(opened: Open):
    def shared(veps: Sequence[Vep]) -> SharedFamilies:
        yield Skipped("holes", f"Token {SECRET} has no licence.", covers=lambda vep: vep.id == "p1")

    async with opened(Pooled(shared)) as session:
        [skipped] = await named(session)
        assert [vep.id for vep in session.covered(skipped, VEPS)] == ["p1"]

    assert isinstance(skipped, Skipped)
    assert skipped.because == "Token ••• has no licence."


async def test_a_failure_is_thrown_into_the_tool_first(opened: Open):
    def shared(veps: Sequence[Vep]) -> SharedFamilies:
        try:
            yield Ask("licence")
        except AccessDenied as error:
            yield Skipped("holes", error.what)

    async with opened(Pooled(shared), transport=answering(403)) as session:
        [skipped] = await named(session)

    assert isinstance(skipped, Skipped)


@pytest.mark.parametrize("odd", [None, "holes", Family("holes", holes().list)])
async def test_a_walk_for_one_vep_is_none_for_all(opened: Open, odd: Any):
    def shared(veps: Sequence[Vep]) -> Any:
        yield odd

    async with opened(Pooled(shared)) as session:
        with pytest.raises(VendorChanged, match="where a question is due"):
            await named(session)


async def test_a_walk_for_all_is_none_for_one_vep(opened: Open):
    def families(vep: Vep) -> Any:
        yield holes()

    tool = Pooled()
    tool.named = families
    async with opened(tool) as session:
        with pytest.raises(VendorChanged, match="yields SharedFamily where a question is due"):
            [family async for family in session.families(VEPS[0])]
