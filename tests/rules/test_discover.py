"""What a Discover makes of what it saw."""

from __future__ import annotations

import pytest

from tidegate.rules.discover import Known, Sighting, absences_are_held, after_discover


def known(*ids: str, absent: bool = False, deleted: bool = False) -> dict[str, Known]:
    return {id: Known(id, absent=absent, deleted=deleted) for id in ids}


def seen(*ids: str) -> dict[str, Sighting]:
    return {id: Sighting(id) for id in ids}


def test_what_was_never_seen_is_new():
    """Discover finds a new VEP: New Record."""
    found = after_discover(known("a"), seen("a", "b"), complete=True)

    assert (found.new, found.changed, found.verdict) == ({"b"}, set(), "nothing is gone")


def test_a_renamed_or_moved_vep_is_the_same_one():
    """Discover sees a known VEP renamed or moved: name and attributes follow."""
    found = after_discover(
        {"a": Known("Shop"), "b": Known("b", "EU")}, {"a": Sighting("Store"), "b": Sighting("b", "US")}, complete=True
    )

    assert (found.changed, found.new, found.gone) == ({"a", "b"}, set(), set())


def test_what_a_complete_discover_no_longer_sees_is_gone():
    """Discover is complete and a VEP is gone: mapped → Missing."""
    found = after_discover(known("a", "b"), seen("a"), complete=True)

    assert (found.gone, found.verdict) == ({"b"}, "absent")


def test_an_incomplete_discover_adds_and_misses_nothing():
    """Discover failed, was cut short, or cannot prove that it saw everything: nothing becomes Missing."""
    found = after_discover(known("a", "b"), seen("a", "c"), complete=False)

    assert (found.new, found.gone, found.held, found.verdict) == ({"c"}, set(), set(), "not proven")


def test_a_vep_that_could_not_be_read_counts_as_seen():
    """One odd item: if its id can be read it counts as seen."""
    assert after_discover(known("a", "b"), seen("a"), complete=True, odd={"b"}).gone == set()
    assert after_discover(known("b", absent=True), {}, complete=True, odd={"b"}).back == {"b"}


def test_a_missing_vep_is_back():
    """a Missing VEP is back: Good again, same mapping."""
    found = after_discover(known("a", absent=True), seen("a"), complete=False)

    assert (found.back, found.new) == ({"a"}, set())


def test_a_deleted_record_whose_vep_still_exists_is_revived():
    """if the VEP still exists, Discover brings it back as New with its history."""
    assert after_discover(known("a", deleted=True), seen("a"), complete=True).revived == {"a"}
    assert after_discover(known("a", deleted=True), {}, complete=True).gone == set()


def test_what_is_gone_already_is_not_gone_again():
    found = after_discover(known("a", absent=True) | known("b"), seen("b"), complete=True)

    assert (found.gone, found.verdict) == (set(), "nothing is gone")


@pytest.mark.parametrize(
    ("present", "missed", "held"),
    [
        (1, 1, True),
        (4, 4, True),
        (4, 3, False),
        (10, 9, False),
        (11, 5, False),
        (11, 6, True),
        (12, 6, False),
        (380, 368, True),
        (0, 0, False),
        (20, 0, False),
    ],
)
def test_everything_or_more_than_half_of_more_than_ten_is_held(present: int, missed: int, held: bool):
    """everything, or more than half of more than ten VEPs, is gone at once: held."""
    assert absences_are_held(present, missed) == held


def test_what_is_held_is_not_gone():
    """nothing becomes Missing until a person approves."""
    found = after_discover(known("a", "b"), seen("c"), complete=True)

    assert (found.held, found.gone, found.new, found.verdict) == ({"a", "b"}, set(), {"c"}, "held")
