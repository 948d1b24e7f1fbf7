"""A Record is facts; its state follows from them. The table of records.md, line by line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tidegate.rules.record import (
    Badge,
    LastSync,
    PartResult,
    RecordFacts,
    State,
    ago,
    badge,
    may_sync,
    never_enabled,
    no_longer_in_the_tool,
    plural,
    state,
    why,
)

MAY, JUNE = datetime(2026, 5, 3, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)

NEW = RecordFacts(
    first_seen_at=MAY, first_seen_operation=12, connection="Burp", a_record_is="a project", finalized_by=""
)
IGNORED = replace(NEW, decision="ignored", finalized_at=MAY, finalized_by="bob", finalized_how="person")
GOOD = replace(NEW, decision="mapped", product="Shop", finalized_at=MAY, finalized_by="bob", finalized_how="person")
STALE = replace(GOOD, product=None, earlier_product="Shop", target_lost="product", target_lost_at=MAY)
AWAY = replace(GOOD, away_lost="test", away_lost_at=MAY, away="Dojo")
GONE: dict[str, Any] = {"absent_since": MAY, "absent_operation": 123, "absent_seen": 412}
MISSING = replace(GOOD, **GONE)


@pytest.mark.parametrize(
    ("facts", "expected", "mapped", "warning"),
    [
        (NEW, State.NEW, False, False),
        (replace(NEW, **GONE), State.NEW, False, False),
        (IGNORED, State.IGNORED, False, False),
        (replace(IGNORED, **GONE), State.IGNORED, False, False),
        (GOOD, State.GOOD, True, False),
        (STALE, State.STALE, True, True),
        (MISSING, State.MISSING, True, True),
        (replace(STALE, **GONE), State.MISSING, True, True),
        (AWAY, State.STALE, True, True),
        (replace(AWAY, **GONE), State.MISSING, True, True),
        (replace(AWAY, decision="undecided"), State.NEW, False, False),
    ],
)
def test_state(facts: RecordFacts, expected: State, mapped: bool, warning: bool):
    """New: undecided. Ignored: the user said no. Good: mapped, source seen, target there. Stale: mapped, target lost.
    Missing: mapped, source absent (shown with Stale's reason too if both)."""
    assert (state(facts), expected.mapped, expected.warning) == (expected, mapped, warning)


def test_an_undecided_or_ignored_record_whose_vep_is_gone_is_no_longer_in_the_tool():
    """An undecided or ignored Record whose VEP is gone keeps its state and is shown as no longer in the tool."""
    assert no_longer_in_the_tool(replace(NEW, **GONE))
    assert no_longer_in_the_tool(replace(IGNORED, **GONE))
    assert not no_longer_in_the_tool(MISSING)
    assert not no_longer_in_the_tool(NEW)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (MISSING, "Missing since 3 May: Discover 123 saw all 412 projects and not this one."),
        (
            replace(MISSING, absent_seen=0),
            "Missing since 3 May: Discover 123 saw no projects at all and not this one.",
        ),
        (
            replace(MISSING, absent_seen=None),
            "Missing since 3 May: Discover 123 saw all projects and not this one.",
        ),
        (replace(MISSING, absent_operation=None), "Missing since 3 May."),
        (
            replace(STALE, **GONE),
            (
                "Missing since 3 May: Discover 123 saw all 412 projects and not this one;"
                " also stale since 3 May: the Product «Shop» that it wrote to was deleted."
            ),
        ),
        (STALE, "Stale since 3 May: the Product «Shop» that it wrote to was deleted."),
        (
            replace(AWAY, away_lost="product"),
            (
                "Stale since 3 May: its Product was deleted in DefectDojo («Dojo»), or the token there may not see it"
                " any more; it is read here as before, and nothing is made again there until a person repairs it."
            ),
        ),
        (
            replace(STALE, away_lost="test", away_lost_at=JUNE, away="Dojo"),
            "Stale since 3 May: the Product «Shop» that it wrote to was deleted.",
        ),
        (
            replace(STALE, target_lost="engagement"),
            "Stale since 3 May: the Engagement in «Shop» that it wrote to was deleted.",
        ),
        (replace(STALE, target_lost="test"), "Stale since 3 May: the Test in «Shop» that it wrote to was deleted."),
        (
            replace(STALE, target_lost="feed", earlier_product=""),
            "Stale since 3 May: what it wrote to in its Product was deleted.",
        ),
        (GOOD, "Mapped to «Shop» by bob on 3 May."),
        (
            replace(GOOD, finalized_how="auto-map", finalized_by="auto-map"),
            "Mapped automatically to «Shop» by auto-map on 3 May.",
        ),
        (IGNORED, "Ignored by bob on 3 May."),
        (replace(IGNORED, ignored_because="a copy of prod."), "Ignored by bob on 3 May: a copy of prod."),
        (
            replace(IGNORED, **GONE),
            (
                "Ignored by bob on 3 May; no longer in the tool since 3 May:"
                " Discover 123 saw all 412 projects and not this one."
            ),
        ),
        (NEW, "First seen on 3 May by Discover 12; nobody has decided yet."),
        (replace(NEW, first_seen_at=None), "New; nobody has decided yet."),
        (
            replace(NEW, first_seen_operation=None, earlier_product="Shop"),
            "First seen on 3 May; was mapped to «Shop».",
        ),
        (
            replace(NEW, earlier_product="Shop", earlier_product_deleted=True),
            "First seen on 3 May by Discover 12; was mapped to «Shop», which was deleted.",
        ),
        (
            replace(NEW, hands_off=True),
            "First seen on 3 May by Discover 12; its automatic mapping was undone, so it waits for a person.",
        ),
        (replace(NEW, deleted_at=MAY), "Deleted on 3 May; Discover brings it back if the project still exists."),
    ],
)
def test_why(facts: RecordFacts, sentence: str):
    """Every state and badge can say why in one sentence."""
    assert why(facts, JUNE) == sentence


def test_a_day_of_another_year_says_its_year():
    assert why(GOOD) == "Mapped to «Shop» by bob on 3 May 2026."
    assert why(GOOD, datetime(2027, 1, 1, tzinfo=UTC)) == "Mapped to «Shop» by bob on 3 May 2026."
    assert why(replace(GOOD, finalized_at=None)) == "Mapped to «Shop» by bob on an unknown day."


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (GOOD, None),
        (NEW, "It is not mapped to a Product yet: map it first."),
        (IGNORED, "Ignored by bob on 3 May. Map it first."),
        (STALE, "Stale since 3 May: the Product «Shop» that it wrote to was deleted."),
        (MISSING, "Missing since 3 May: Discover 123 saw all 412 projects and not this one."),
        (replace(NEW, deleted_at=MAY), "Deleted on 3 May; Discover brings it back if the project still exists."),
        (replace(GOOD, connection_deleted_at=MAY), "Its Connection «Burp» was deleted on 3 May."),
        (replace(GOOD, changing=12), "Operation 12 is changing its findings; watch it: tidegate operation watch 12"),
        (replace(NEW, changing=12), "It is not mapped to a Product yet: map it first."),
    ],
)
def test_may_sync(facts: RecordFacts, sentence: str | None):
    """a Missing or Stale Record is asked to sync: refused, with its why."""
    assert may_sync(facts, JUNE) == sentence


@pytest.mark.parametrize(
    ("a_record_is", "many"),
    [
        ("a site", "sites"),
        ("a repository", "repositories"),
        ("a survey day", "survey days"),
        ("an asset class", "asset classes"),
        ("a box", "boxes"),
        ("branch", "branches"),
    ],
)
def test_the_tools_own_word_is_counted(a_record_is: str, many: str):
    assert plural(a_record_is) == many


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-5, "0 s ago"), (3, "3 s ago"), (60, "1 min ago"), (7300, "2 h ago"), (90_000, "on 30 May")],
)
def test_ago(seconds: int, said: str):
    assert ago(datetime.fromtimestamp(JUNE.timestamp() - seconds, UTC), JUNE) == said


# The badge

READ = PartResult("sast", "", "complete", once_read=True)


def last(**changes: Any) -> LastSync:
    return replace(LastSync(7, "complete", parts=(READ,), seen=5), **changes)


def skipped(once_read: bool, why: str = "No scan has completed yet.") -> PartResult:
    return PartResult("secrets", "", "skipped", why, once_read)


@pytest.mark.parametrize(
    ("sync", "word", "sentence"),
    [
        (last(outcome="failed", why="The login was rejected."), "failing", "Sync 7 failed: The login was rejected."),
        (last(outcome="failed"), "failing", "Sync 7 failed."),
        (last(outcome="incomplete"), "failing", "Sync 7 was incomplete."),
        (
            last(parts=(READ, PartResult("dast", "main", "incomplete", "A page is empty."))),
            "failing",
            "Sync 7 could not read dast of main completely: A page is empty.",
        ),
        (
            last(held=1),
            "held",
            "1 finding is no longer reported, too many at once to be believed: a person decides.",
        ),
        (
            last(held=1200),
            "held",
            "1,200 findings are no longer reported, too many at once to be believed: a person decides.",
        ),
        (last(outcome="skipped", why="No scan yet"), "skipped", "Sync 7 skipped it: No scan yet."),
        (
            last(parts=(READ, skipped(True))),
            "skipped",
            "Sync 7 skipped secrets, which was read before: No scan has completed yet.",
        ),
        (
            last(seen=0),
            "nothing visible",
            "Sync 7 was shown nothing at all: all is well, or the account lacks the right to see it.",
        ),
    ],
)
def test_badge(sync: LastSync, word: str, sentence: str):
    """Beside the state stands a badge, derived from the last Sync of the Record."""
    found = badge(sync)

    assert isinstance(found, Badge)
    assert (found.word, found.why) == (word, sentence)


def test_badges_stand_in_their_order():
    """in this order: failing, held, skipped (…), nothing visible."""
    worst = last(outcome="failed", held=3, parts=(skipped(True),), seen=0)

    words = [badge(sync) for sync in (worst, replace(worst, outcome="complete"), last(parts=(skipped(True),), seen=0))]

    assert [found.word for found in words if found] == ["failing", "held", "skipped"]


def test_no_badge_where_all_is_well_or_nothing_was_applied():
    """gone by itself"""
    assert badge(None) is None
    assert badge(last()) is None
    assert badge(last(outcome="dropped", seen=0)) is None


def test_a_family_that_was_never_enabled_is_a_grey_word_and_no_badge():
    """one never enabled is a grey word, no badge"""
    sync = last(parts=(READ, skipped(False)))

    assert badge(sync) is None
    assert [part.family for part in never_enabled(sync)] == ["secrets"]
    assert never_enabled(None) == []
