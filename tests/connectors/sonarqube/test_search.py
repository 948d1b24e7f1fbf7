"""How a search larger than the server's window is walked, against the fake's search; the window is 12 rows here."""

from collections.abc import Callable
from typing import Any

import pytest

from tidegate.connectors.sonarqube.rules import Rules
from tidegate.connectors.sonarqube.search import OF_HOTSPOTS, OF_ISSUES, Search
from tidegate.demo.fake_sonarqube import World, api
from tidegate_sdk import Ask, Incomplete, Page, Proof, Row, TotalMoved, VendorChanged

ISSUES = Ask("api/issues/search", {"componentKeys": "shop", "types": "VULNERABILITY"})
HOTSPOTS = Ask("api/hotspots/search", {"projectKey": "shop"})
Change = Callable[[int, dict[str, Any]], dict[str, Any]]


@pytest.fixture
def world() -> World:
    world = World()
    world.add_project("shop")
    world.window = 12
    return world


def search(**more: Any) -> Search:
    return Search(**{"cuts": OF_ISSUES, "rules": Rules(known=True), "window": 12, "per": 4, **more})


def walked(
    world: World, by: Search, ask: Ask = ISSUES, change: Change = lambda number, body: body
) -> tuple[Proof, list[str]]:
    """The proof of a walk, and the keys of the rows that came. `change` sees the so many-th answer on its way."""
    walk, keys, number = by.walk(ask), list[str](), 0
    step = next(walk)
    while True:
        assert isinstance(step, Ask)
        number += 1
        status, body = api.answer(world, f"/{step.path}", {name: str(value) for name, value in step.query.items()})
        assert status == 200, body
        body = change(number, body)
        rows = tuple(Row(row) for row in body.get("issues", body.get("hotspots", ())))
        keys += [] if step.bare else [row["key"] for row in rows]
        try:
            step = walk.send(Page(body, () if step.bare else rows, 0 if step.bare else len(rows)))
        except StopIteration as end:
            return end.value, keys


def test_what_fits_is_read_page_by_page(world: World):
    keys = world.raise_issues("shop", 9)

    assert walked(world, search()) == (Proof(9, 9, "drifting", 3), keys)


def test_one_page_holds_everything_and_nothing_is_whole_too(world: World):
    assert walked(world, search()) == (Proof(0, 0, "whole", 1), [])
    keys = world.raise_issues("shop", 4)
    assert walked(world, search()) == (Proof(4, 4, "whole", 1), keys)


def test_where_nothing_is_there_one_question_is_enough(world: World):
    asked: list[int] = []

    def noted(number: int, body: dict[str, Any]) -> dict[str, Any]:
        asked.append(number)
        return body

    walked(world, search(), change=noted)

    assert asked == [1]


@pytest.mark.parametrize("answers", [[(2, 1), (2, 0)], [(1, 2)], [(2, 1), (3, 1)]], ids=["short", "more", "moved"])
def test_rules_that_are_not_all_listed_are_not_believed(answers: list[tuple[int, int]]):
    """A finding without its rule's text would change with the next run."""
    rules = Rules()
    learning = rules.learn({})
    next(learning)

    def listed() -> None:
        for total, count in answers:
            told = [{"key": f"java:S{number}"} for number in range(count)]
            learning.send(Page({"paging": {"total": total}, "rules": told}))

    with pytest.raises(Incomplete):
        listed()
    assert not rules.known


def test_rules_are_learned_before_the_first_row_and_only_once(world: World):
    world.raise_issues("shop", 1)
    rules = Rules()
    asked: list[str] = []
    for _ in range(2):
        walk = search(rules=rules, cuts=()).walk(ISSUES)
        step = next(walk)
        asked.append(step.path)  # type: ignore[union-attr]
        if not rules.known:
            assert step.query == {  # type: ignore[union-attr]
                "types": "VULNERABILITY,SECURITY_HOTSPOT",
                "statuses": "BETA,DEPRECATED,READY,REMOVED",
                "p": 1,
                "ps": 100,
            }
            world.window = 10_000
            _, body = api.answer(world, f"/{step.path}", {k: str(v) for k, v in step.query.items()})  # type: ignore[union-attr]
            walk.send(Page(body))
    assert asked == ["api/rules/search", "api/issues/search"]
    assert rules.of("python:S5659").cwe == (347,)


@pytest.mark.parametrize("caps", [False, True], ids=["a server tells the total", "the Cloud cuts the total"])
@pytest.mark.parametrize("count", [12, 13, 57])
def test_a_larger_search_is_split_by_time_of_creation(world: World, caps: bool, count: int):
    """tools.md: split the query rather than lose the rest; on the Cloud 10,000 means so many or more."""
    world.caps_totals = caps
    keys = world.raise_issues("shop", count)

    proof, came = walked(world, search())

    assert sorted(came) == keys
    assert (proof.seen, proof.expected, proof.kind) == (count, count, "drifting")


@pytest.mark.parametrize("caps", [False, True])
def test_what_was_created_at_once_is_split_by_rule(world: World, caps: bool):
    """The first analysis of a project without history creates all of its issues in one second."""
    world.caps_totals = caps
    at_once = {"creationDate": "2025-03-01T08:00:00+0000"}
    keys = [key for number in range(4) for key in world.raise_issues("shop", 8, rule=f"java:S{number}", **at_once)]

    proof, came = walked(world, search())

    assert sorted(came) == keys
    assert proof.seen == 32


def test_one_rule_at_once_is_split_by_severity_where_the_total_is_told(world: World):
    at_once = {"creationDate": "2025-03-01T08:00:00+0000"}
    keys = [
        key for word in ("INFO", "MAJOR", "BLOCKER") for key in world.raise_issues("shop", 5, severity=word, **at_once)
    ]

    assert sorted(walked(world, search())[1]) == keys


def test_a_split_by_words_is_not_believed_where_the_total_is_cut(world: World):
    world.caps_totals = True
    for word in ("INFO", "MAJOR"):
        world.raise_issues("shop", 8, severity=word)

    with pytest.raises(Incomplete, match="nothing tells whether the 16 found are all"):
        walked(world, search(cuts=OF_ISSUES[2:]))


def test_a_severity_never_seen_before_is_missed_by_a_split_and_that_is_told(world: World):
    world.raise_issues("shop", 9, creationDate="2025-03-01T08:00:00+0000")
    world.raise_issues("shop", 4, creationDate="2025-03-01T08:00:00+0000", severity="ODD")

    with pytest.raises(TotalMoved, match="declares 13 rows, and its parts add up to 9"):
        walked(world, search())


def test_what_no_filter_parts_is_incomplete(world: World):
    world.raise_issues("shop", 12, creationDate="2025-03-01T08:00:00+0000")

    with pytest.raises(Incomplete, match="12 rows or more, only 12 are listed"):
        walked(world, search())


def test_a_list_of_rules_that_may_be_cut_splits_nothing(world: World):
    """A facet lists at most a hundred values, and the Cloud's total would not tell that one is missing."""
    world.caps_totals = True
    for number in range(101):
        world.raise_issues("shop", 1, rule=f"java:S{number}", creationDate="2025-03-01T08:00:00+0000", severity="INFO")

    with pytest.raises(Incomplete, match="no filter parts them"):
        walked(world, search())


def test_an_issue_without_a_time_cannot_be_split_by_it(world: World):
    world.raise_issues("shop", 12)

    def timeless(number: int, body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "issues": [{**issue, "creationDate": "once"} for issue in body["issues"]]}

    with pytest.raises(VendorChanged, match="does not say when it was created"):
        walked(world, search(), change=timeless)


def test_an_issue_that_came_while_the_parts_were_read_begins_the_reading_again(world: World):
    world.raise_issues("shop", 13)

    def grows(number: int, body: dict[str, Any]) -> dict[str, Any]:
        if number == 5:
            world.raise_issues("shop", 1, creationDate="2025-01-06T08:12:00+0000")
        return body

    with pytest.raises(TotalMoved):
        walked(world, search(), change=grows)


def test_a_total_that_moved_since_it_was_asked_for_begins_the_reading_again(world: World):
    world.raise_issues("shop", 3)

    def grows(number: int, body: dict[str, Any]) -> dict[str, Any]:
        if number == 1:
            world.raise_issues("shop", 1)
        return body

    with pytest.raises(TotalMoved, match="from 3 to 4"):
        walked(world, search(), change=grows)


def test_hotspots_are_split_by_review_and_category(world: World):
    for number in range(26):
        reviewed = {"status": "REVIEWED", "resolution": "SAFE"} if number % 2 else {}
        world.raise_hotspot("shop", securityCategory=("auth", "xss", "dos")[number % 3], **reviewed)

    proof, came = walked(world, search(cuts=OF_HOTSPOTS), HOTSPOTS)

    assert len(set(came)) == proof.seen == 26


@pytest.mark.parametrize("listed", [True, False])
def test_an_empty_branch_is_believed_only_if_the_server_still_lists_it(world: World, listed: bool):
    def witness() -> Any:
        yield Ask("api/project_branches/list", {"project": "shop"}, bare=True)
        return listed

    if listed:
        assert walked(world, search(witness=witness))[0].seen == 0
    else:
        with pytest.raises(Incomplete, match="not there any more"):
            walked(world, search(witness=witness))
