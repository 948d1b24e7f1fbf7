"""A sudden collapse is held."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.rules.hold import HoldPolicy, RecordCount, verdict

POLICY = HoldPolicy()


def ruled(*counts: tuple[int, int], policy: HoldPolicy = POLICY) -> list[str]:
    records = [RecordCount(id, open_before, gone) for id, (open_before, gone) in enumerate(counts)]
    return list(verdict(records, policy).values())


@pytest.mark.parametrize(
    ("open_before", "gone", "ruling"),
    [
        (20, 20, "close"),
        (21, 21, "hold"),
        (21, 11, "hold"),
        (22, 11, "close"),
        (22, 12, "hold"),
        (1000, 500, "close"),
        (1000, 501, "hold"),
        (0, 0, "close"),
    ],
)
def test_more_than_half_of_more_than_twenty_is_held(open_before: int, gone: int, ruling: str):
    """When more than half of more than twenty open findings of a Record would close at once, they are held."""
    assert ruled((open_before, gone)) == [ruling]


def test_small_records_that_collapse_together_are_held_together():
    """… or of all other Records read completely in this Operation together."""
    assert ruled(*[(5, 5)] * 5) == ["hold"] * 5
    assert ruled(*[(5, 5)] * 4) == ["close"] * 4


def test_one_that_is_held_on_its_own_does_not_drag_the_others_along():
    """… (those held on their own left out)."""
    assert ruled((100, 100), (30, 1), (10, 2)) == ["hold", "close", "close"]


def test_one_that_is_held_on_its_own_does_not_hide_the_others():
    """… or of all other Records read completely in this Operation together."""
    assert ruled((100, 100), (20, 20), (5, 5)) == ["hold", "hold", "hold"]


def test_a_record_that_lost_nothing_is_never_held():
    assert ruled((20, 20), (10, 10), (5, 0)) == ["hold", "hold", "close"]


def test_both_limits_are_the_connections():
    """(both configurable)"""
    assert ruled((5, 2), policy=HoldPolicy(above=4, percent=30)) == ["hold"]
    assert ruled((1000, 1000), policy=HoldPolicy(above=1000)) == ["close"]
    assert ruled((1000, 1000), policy=HoldPolicy(percent=100)) == ["close"]


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)).map(lambda pair: (max(pair), min(pair)))))
def test_no_collapse_is_ever_closed(counts: list[tuple[int, int]]):
    rulings = verdict([RecordCount(id, *count) for id, count in enumerate(counts)], POLICY)

    closed = [counts[id] for id, ruling in rulings.items() if ruling == "close"]
    assert not any(POLICY.is_collapse(*count) for count in closed)
    assert list(rulings) == list(range(len(counts)))
    held = [counts[id] for id, ruling in rulings.items() if ruling == "hold"]
    assert all(gone for _, gone in held)
