"""What is in force for a finding."""

from datetime import UTC, datetime, timedelta

import pytest

from tidegate.rules.finding import PersonsVerdict, is_active, is_below, severity_in_force

NOW = datetime(2026, 5, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("open", "person", "vendor", "active"),
    [
        (True, None, 0, True),
        (True, None, 1, False),
        (False, None, 0, False),
        (False, PersonsVerdict("real"), 0, False),
        (True, PersonsVerdict("false positive"), 0, False),
        (True, PersonsVerdict("accepted"), 0, False),
        (True, PersonsVerdict("out of scope"), 0, False),
        (True, PersonsVerdict("real"), 2, True),
        (True, PersonsVerdict("accepted", NOW + timedelta(seconds=1)), 0, False),
        (True, PersonsVerdict("accepted", NOW), 0, True),
        (True, PersonsVerdict("accepted", NOW), 3, False),
    ],
)
def test_active(open: bool, person: PersonsVerdict | None, vendor: int, active: bool):
    """Active is derived: open, and neither a person nor the vendor says false positive, accepted or out of scope. A
    person's word beats the vendor's; an acceptance ends on its date."""
    assert is_active(open=open, person=person, vendor_verdict=vendor, now=NOW) == active


def test_a_persons_severity_is_before_the_vendors():
    """the severity in force (a person's before the vendor's)"""
    assert (severity_in_force(3, None), severity_in_force(3, 0)) == (3, 0)


def test_unknown_is_never_below():
    """Unknown: never filtered by a threshold."""
    assert [is_below(rank, 4) for rank in range(6)] == [True, True, False, True, False, False]
