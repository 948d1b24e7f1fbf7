"""Whether what a Sync did can be undone: each refusal names what stands in the way and what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tidegate.rules.undo_sync import Applied, Whole, did_in_words, undone_in_words, why_not, why_not_at_all

POSSIBLE = Applied(sync=3, record=7, name="shop", feed=5, writes_to=5, product="Shop")
UNDONE = "Operation 9 undid it already. The next Sync brings what the tool says."

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"outcome": None, "feed": None}, "Sync 3 did not read it. See what it read: tidegate operation show 3"),
    ({"undone_by": 9}, UNDONE),
    ({"undone_by": 9, "later": 4}, UNDONE),
    ({"outcome": "failed", "feed": None}, "Sync 3 applied nothing to it, so there is nothing to undo."),
    ({"outcome": "dropped", "feed": None}, "Sync 3 applied nothing to it, so there is nothing to undo."),
    ({"connection_deleted": True}, "Its Connection was deleted. Its findings stay as they are."),
    (
        {"later": 4},
        (
            "Sync 4 was applied later, and only the latest can be undone."
            " Undo that one: tidegate operation undo 4 --record 7"
        ),
    ),
    (
        {"later": 4, "later_undone_by": 9},
        (
            "Sync 4 was applied later, and Operation 9 undid that one. Only the latest can be undone;"
            " the next Sync brings what the tool says."
        ),
    ),
    (
        {"feed": None},
        (
            "Tidegate did not note where Sync 3 wrote, which ran under an earlier version. Sync once more;"
            " that one can be undone."
        ),
    ),
    (
        {"decision": "undecided", "deleted": True, "writes_to": None},
        "The Record was deleted since. Undo that first: tidegate record undo 7",
    ),
    (
        {"decision": "ignored", "writes_to": None},
        "The Record was ignored since. Undo that first: tidegate record undo 7",
    ),
    (
        {"decision": "undecided", "writes_to": None},
        "The Record was made New again since. Undo that first: tidegate record undo 7",
    ),
    (
        {"writes_to": None, "target_lost": "engagement"},
        "The engagement that Sync 3 wrote to was deleted with its findings.",
    ),
    (
        {"writes_to": 6},
        "The Record writes to «Shop» now, and Sync 3 wrote elsewhere. Undo that first: tidegate record undo 7",
    ),
    (
        {"changing": 8},
        "Operation 8 has its findings on their way. Wait for its end: tidegate operation watch 8",
    ),
]


@pytest.mark.parametrize(("facts", "why"), REFUSED)
def test_an_undo_that_is_not_possible_any_more_says_why(facts: dict[str, Any], why: str) -> None:
    """Issue 5: an undo that is not possible any more says why."""
    assert why_not(replace(POSSIBLE, **facts)) == why


@pytest.mark.parametrize("facts", [{}, {"outcome": "failed"}, {"outcome": "incomplete"}, {"outcome": "skipped"}])
def test_what_was_applied_last_can_be_undone(facts: dict[str, Any]) -> None:
    """Also where the reading failed on the way: what came until then was written."""
    assert why_not(replace(POSSIBLE, **facts)) == ""


def test_the_undo_itself_has_the_record() -> None:
    assert why_not(replace(POSSIBLE, changing=8), by=8) == ""


WHOLE: list[tuple[Whole, str]] = [
    (Whole(3, "sync"), ""),
    (Whole(3, "sync", status="cancelled"), ""),
    (Whole(3, "sync", status="failed"), ""),
    (
        Whole(3, "discover"),
        "Discover 3 is no Sync. A decision on a Record that it found is undone with: tidegate record undo",
    ),
    (Whole(3, "sync", preview=True), "Sync 3 was a preview. It wrote nothing, so there is nothing to undo."),
    (Whole(3, "discover", preview=True), "Discover 3 was a preview. It wrote nothing, so there is nothing to undo."),
    (
        Whole(3, "sync", status="running"),
        "Sync 3 has not ended. Wait for its end, or end it: tidegate operation cancel 3",
    ),
    (
        Whole(3, "sync", status="pending"),
        "Sync 3 has not ended. Wait for its end, or end it: tidegate operation cancel 3",
    ),
    (
        Whole(3, "sync", connection="Burp", connection_deleted=True),
        "The Connection «Burp» of Sync 3 was deleted. Its findings stay as they are.",
    ),
    (Whole(3, "change"), "Change 3 is no Sync. What was decided on a Record is undone with: tidegate record undo"),
    (
        Whole(3, "change", undid=2),
        (
            "Change 3 undid Sync 2, and an undo is not undone itself: the next Sync brings what the tool says."
            " Ask for one with: tidegate sync"
        ),
    ),
]


@pytest.mark.parametrize(("operation", "why"), WHOLE)
def test_only_a_sync_that_has_ended_can_be_undone(operation: Whole, why: str) -> None:
    assert why_not_at_all(operation) == why


SAID: list[tuple[dict[str, int], str]] = [
    ({}, "nothing was to be changed back."),
    (
        {"inactive": 12, "as_before": 3, "open_again": 2, "kept": 1},
        (
            "12 created are inactive, 3 changed are as before, 2 are open again;"
            " 1 was decided by a person since and stays."
        ),
    ),
    (
        {"inactive": 1, "as_before": 1, "open_again": 1, "closed_again": 1, "let_go": 1},
        (
            "1 created is inactive, 1 changed is as before, 1 is open again, 1 is closed again,"
            " 1 closing waits no longer."
        ),
    ),
    ({"let_go": 1200, "kept": 2}, "1,200 closings wait no longer; 2 were decided by a person since and stay."),
]


@pytest.mark.parametrize(("counts", "said"), SAID)
def test_what_an_undo_did_is_said_in_one_sentence(counts: dict[str, int], said: str) -> None:
    assert did_in_words(counts) == said


@pytest.mark.parametrize(
    ("by", "records", "said"),
    [
        ({}, 3, ""),
        ({9: 3}, 3, "It was undone by Operation 9."),
        ({9: 1, 11: 2}, 3, "It was undone by Operations 9 and 11."),
        ({9: 1, 11: 1, 12: 1}, 1200, "It was undone for 3 of its 1,200 Records, by Operations 9, 11 and 12."),
    ],
)
def test_a_sync_that_was_undone_says_so(by: dict[int, int], records: int, said: str) -> None:
    assert undone_in_words(by, records) == said
