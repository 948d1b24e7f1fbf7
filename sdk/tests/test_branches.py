"""The branches of a VEP: what a list of them proves, and which of them a person's patterns choose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sdk.tests.conftest import Open
from sdk.tests.plain import Plain, things
from sdk.tests.test_talk import AT, VEP, statuses
from tidegate_sdk import (
    AccessDenied,
    Ask,
    Branch,
    Branches,
    Families,
    Family,
    Incomplete,
    List,
    Listed,
    Odd,
    Outcome,
    Proof,
    Row,
    Skipped,
    VendorChanged,
    Whole,
    branches_of,
    chosen,
)
from tidegate_sdk.conformance.judgement import law
from tidegate_sdk.conformance.rehearsal import Rehearsal

MAIN, ONE, TWO = Branch("main", main=True), Branch("release/1"), Branch("release/2")


def branch(row: Row) -> Branch:
    return Branch(row["name"], row["main"])


BRANCHES: List[Branch] = List(Ask("branches"), "branches", Whole(), branch, id="name")


def rows(*told: tuple[Any, Any]) -> dict[str, Any]:
    return {"branches": [{"name": name, "main": main} for name, main in told]}


def tool(patterns: Sequence[str]) -> Plain:
    """A Tool that reads one Family of each branch that a pattern matches."""

    def families(vep: Any) -> Families:
        listed = yield from branches_of(BRANCHES)
        for each in chosen(listed, patterns):
            yield Family("code", things(), each.id)  # pyright: ignore[reportArgumentType]

    made = Branching(AT)
    made.named = families
    return made


class Branching(Plain):
    has_branches = True


async def read(opened: Open, answer: Any, *patterns: str) -> tuple[list[str], list[Listed]]:
    told: list[Listed] = []
    async with opened(tool(patterns), transport=statuses(branches=answer)) as session:
        named = [family.branch async for family in session.families(VEP, listed=told.append)]
    return named, told


async def test_a_tool_gets_the_branches_and_who_reads_gets_the_proof(opened: Open):
    answer = rows(("main", True), ("release/1", False), ("dev", False))

    named, (told,) = await read(opened, answer, "main", "release/*")

    assert named == ["", "release/1"]
    assert told.complete
    assert told.names == {"", "main", "release/1", "dev"}


async def test_a_list_that_fails_is_thrown_into_the_tool_and_nobody_is_told_of_branches(opened: Open):
    told: list[Listed] = []

    def families(vep: Any) -> Families:
        with pytest.raises(AccessDenied):
            yield from branches_of(BRANCHES)
        yield Skipped("code", "Its branches may not be listed.")

    made = tool([])
    made.named = families
    async with opened(made, transport=statuses(branches=403)) as session:
        found = [family async for family in session.families(VEP, listed=told.append)]

    assert [type(each) for each in found] == [Skipped]
    assert told == []


async def test_a_tool_that_does_not_say_that_it_has_branches_may_not_ask_for_them(opened: Open):
    """Else nobody would be asked what becomes of one that vanished."""
    made = tool(["*"])
    made.has_branches = False  # pyright: ignore[reportAttributeAccessIssue] - of this one alone
    async with opened(made, transport=statuses(branches=rows(("main", True)))) as session:
        with pytest.raises(VendorChanged, match="Branches"):
            [family async for family in session.families(VEP)]


@pytest.mark.parametrize("main", [None, 1, "true"])
async def test_a_branch_that_cannot_be_read_is_there_by_its_name(opened: Open, main: Any):
    """Whether it is the main one is unknown: read under a name of its own it would bring everything a second time."""
    named, (told,) = await read(opened, rows(("main", main), ("dev", False)), "*")

    assert named == ["dev"]
    assert told.complete
    assert "main" in told.names


async def test_a_branch_without_a_name_takes_the_proof(opened: Open):
    _, (told,) = await read(opened, rows((None, False), ("dev", False)), "*")

    assert not told.complete
    assert told.names == {"dev"}


WALKED, PAGED = Outcome(True, proof=Proof(3, kind="whole")), Outcome(True, proof=Proof(3, kind="drifting"))


@pytest.mark.parametrize(
    ("found", "outcome", "complete"),
    [
        ((MAIN, ONE, TWO), WALKED, True),
        ((MAIN, ONE, TWO), PAGED, True),
        ((MAIN, ONE, ONE), WALKED, True),
        ((MAIN, ONE, ONE), PAGED, False),
        ((MAIN, Odd("release/1", "odd", "")), WALKED, True),
        ((), WALKED, False),
        ((MAIN,), Outcome(False, "cut short", Incomplete("cut short")), False),
    ],
)
def test_what_a_list_of_branches_proves(found: tuple[Branch | Odd, ...], outcome: Outcome, complete: bool):
    """A list of none is no proof; nor is one whose pages showed a row twice, which may hide another."""
    listed = Listed(Branches(BRANCHES), found, outcome)

    assert listed.complete is complete
    assert listed.drifting is (outcome is PAGED)


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["main"], [MAIN]),
        (["release/*"], [ONE, TWO]),
        (["release/?", "main"], [MAIN, ONE, TWO]),
        (["Main"], []),
        (["hotfix/*"], []),
        ([], []),
    ],
)
def test_patterns_choose_branches_by_their_names(patterns: list[str], names: list[Branch]):
    assert chosen((MAIN, ONE, TWO), patterns) == names


@pytest.mark.parametrize(
    ("found", "outcome", "problems"),
    [
        ((MAIN, ONE), WALKED, []),
        ((MAIN,), WALKED, ["the branches of t1 are complete, and lack ['release/1']"]),
        ((MAIN,), Outcome(False, "cut short", Incomplete("cut short")), []),
    ],
)
def test_the_suite_catches_a_list_of_branches_that_is_complete_and_lacks_one(
    found: tuple[Branch, ...], outcome: Outcome, problems: list[str]
):
    golden, result = Rehearsal(), Rehearsal()
    golden.branches["t1"] = Listed(Branches(BRANCHES), (MAIN, ONE), WALKED)
    result.branches["t1"] = Listed(Branches(BRANCHES), found, outcome)

    assert law(golden, result) == problems
