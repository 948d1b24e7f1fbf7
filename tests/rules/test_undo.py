"""Whether a decision can be undone, from history alone; tests/actions/test_undo.py has it with the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tidegate.rules.undo import DECISION_FACTS, Line, Remap, facts_before, remap, undo_step, why_not

STEP, AT = uuid4(), datetime(2026, 5, 3, tzinfo=UTC)
NOW: dict[str, Any] = dict.fromkeys(DECISION_FACTS, "now")


def line(before: dict[str, Any], after: dict[str, Any], **more: Any) -> Line:
    return Line(**{"step": STEP, "actor": "alice", "at": AT, "before": before, "after": after} | more)


MAPPED = line({"decision": "undecided", "feed_id": None}, {"decision": "mapped", "feed_id": 5})


def test_a_step_that_nothing_followed_can_be_undone():
    """Every decision can be undone as one step."""
    assert why_not(STEP, [MAPPED]) is None


def test_a_sync_or_another_decision_since_hinders():
    """… until a Sync wrote under it or it was decided again."""
    again = line({}, {"finalized_at": "later"}, step=uuid4(), actor="bob")

    assert why_not(STEP, [MAPPED, again]) == "it was decided again by bob since"
    assert why_not(STEP, [replace(MAPPED, written_under=True)]) == "a Sync wrote under it since; decide anew instead"
    assert why_not(undo_step(STEP), [MAPPED]) == "that was an undo already; decide anew instead"


def test_what_the_vendor_or_a_lost_target_changed_since_does_not():
    others = [
        line({}, {"name": "x"}, step=None),
        line({}, {"feed_id": None, "target_lost_at": "x"}, step=None),
        line({"deleted_at": "x"}, {"deleted_at": None}, step=None),
    ]

    assert why_not(STEP, [MAPPED, *others]) is None
    assert line({}, {"deleted_at": "x"}).decides


def test_facts_are_walked_back_through_everything_since():
    lost = line({"target_lost": "", "feed_id": 5}, {"target_lost": "product", "feed_id": None}, step=None)

    facts = facts_before(STEP, [MAPPED, lost], NOW)

    assert (facts["decision"], facts["feed_id"], facts["target_lost"]) == ("undecided", None, "")
    assert facts["finalized_by"] == "now"
    assert "name" not in facts_before(STEP, [line({"name": "x"}, {"name": "y"})], NOW)


def test_an_automatic_mapping_undone_is_hands_off():
    """a Record whose automatic mapping a person undid is *hands off* until a person decides"""
    automatic = replace(MAPPED, after={**MAPPED.after, "finalized_how": "auto-map"})

    assert facts_before(STEP, [automatic], NOW)["hands_off"] is True
    assert facts_before(STEP, [replace(automatic, before={"decision": "ignored"})], NOW)["hands_off"] == "now"
    assert facts_before(STEP, [MAPPED], NOW)["hands_off"] == "now"


def test_what_a_remap_did_is_read_from_what_changed():
    left = line({"feed_id": 5, "earlier_product_id": None}, {"feed_id": 6, "earlier_product_id": 1})
    moved = line({"earlier_product_id": None}, {"earlier_product_id": 1, "finalized_at": "x"})

    assert remap(STEP, [MAPPED]) == Remap(None, 5, None)
    assert remap(STEP, [left]) == Remap(5, 6, None)
    assert remap(STEP, [moved]) == Remap(None, None, 1)
    assert remap(STEP, [line({}, {"ignored_because": "x"})]) == Remap(None, None, None)
