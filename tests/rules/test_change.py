"""A change that ended early says how far it came, in a sentence a person can go on from."""

from __future__ import annotations

from typing import Any

import pytest

from tidegate.rules.change import how_far


@pytest.mark.parametrize(
    ("scope", "counts", "said"),
    [
        (
            {"change": "move", "findings": 12_000, "left_in": "Shop"},
            {"moved": 2_900, "merged": 100},
            "3,000 of 12,000 findings went over; the others are as they were, in «Shop».",
        ),
        (
            {"change": "close", "findings": 12, "left_in": ""},
            {},
            "0 of 12 findings are closed; the others are open still.",
        ),
        (
            {"change": "put back", "findings": 12, "left_in": "Shop"},
            {"moved_back": 5, "unmerged": 1, "reopened": 1},
            "6 of 12 findings went back; the others are where the remap had brought them, in «Shop».",
        ),
        (
            {"change": "put back", "findings": 12, "left_in": ""},
            {"reopened": 4},
            "4 of 12 findings went back; the others are where the remap had brought them.",
        ),
        (
            {"change": "threshold", "findings": 12},
            {"closed": 13},
            "13 findings are closed; the others are open still.",
        ),
    ],
)
def test_it_says_how_many_where_the_others_are_and_how_to_go_on(scope: Any, counts: Any, said: str) -> None:
    """Issue 5, 8: what was moved stays moved, what was not is left; the Operation's why says how many of each."""
    assert how_far(7, scope, counts) == f"{said} Go on with: tidegate operation again 7"


def test_a_change_that_is_not_told_by_findings_says_nothing_of_them() -> None:
    assert how_far(7, {"change": "undo sync", "records": [1]}, {"closed": 3}) == ""
