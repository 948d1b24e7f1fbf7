"""What becomes of the findings of a Branch that the tool no longer has."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.rules.branch import KEEP, MOST_DAYS, Listing, fate, why

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
WHOLE = Listing({"", "main", "dev"}, complete=True)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.mark.parametrize(
    ("branch", "listing", "last_there", "days", "becomes"),
    [
        ("dev", WHOLE, ago(100), 1, "there"),
        ("", WHOLE, ago(100), 1, "there"),
        ("", Listing({"dev"}, complete=True), ago(100), 1, "there"),
        ("gone", None, ago(100), 1, "there"),
        ("gone", Listing({"main"}, complete=False), ago(100), 1, "there"),
        ("gone", WHOLE, ago(4_000), KEEP, "kept"),
        ("gone", WHOLE, ago(29.99), 30, "waiting"),
        ("gone", WHOLE, ago(30), 30, "due"),
        ("gone", WHOLE, None, 1, "waiting"),
        ("Dev", WHOLE, ago(2), 1, "due"),
    ],
)
def test_what_becomes_of_a_branch(
    branch: str, listing: Listing | None, last_there: datetime | None, days: int, becomes: str
):
    """Keep, or close after N days; the main branch, one that is listed and one of a list without proof stay."""
    assert fate(branch, listing, last_there, days, NOW) == becomes


@given(
    st.text(max_size=3),
    st.none() | st.builds(Listing, st.frozensets(st.text(max_size=3)), st.booleans()),
    st.none() | st.integers(0, 5_000).map(ago),
    st.integers(KEEP, MOST_DAYS),
    st.integers(0, 5_000),
)
def test_a_branch_closes_only_on_a_whole_list_that_lacks_it_and_stays_due(
    branch: str, listing: Listing | None, last_there: datetime | None, days: int, later: int
):
    """Whatever is known: nothing closes without proof, and what is due does not become undue as time goes by."""
    becomes = fate(branch, listing, last_there, days, NOW)

    if becomes == "due":
        assert listing is not None
        assert listing.complete
        assert branch not in listing.names
        assert days != KEEP
        assert fate(branch, listing, last_there, days, NOW + timedelta(days=later)) == "due"
    if becomes == "waiting":
        assert fate(branch, listing, last_there or NOW, days, NOW + timedelta(days=days)) == "due"


def test_why_is_said_with_the_day_it_closes():
    assert why("dev", "there", ago(1), 30, NOW) == ""
    assert "last there on 2026-11-17, is none of them; its findings stay" in why("dev", "kept", ago(10), 0, NOW)
    assert why("dev", "waiting", ago(10), 30, NOW).endswith("close from 2026-12-17 on, unless it comes back.")
    assert why("dev", "waiting", None, 1, NOW).endswith("close from 2026-11-28 on, unless it comes back.")
    assert why("dev", "due", ago(30), 30, NOW).endswith("close 30 days after that, as its Connection says.")
