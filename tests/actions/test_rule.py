"""What people do to mapping rules, and what a set of them would do before it is saved."""

from __future__ import annotations

from typing import Any

import pytest

from tests import world
from tests.world import ALICE
from tidegate.actions import record as records
from tidegate.actions import rule as actions
from tidegate.actions.errors import NotThere, Refused
from tidegate.reads import rule as reads
from tidegate.store import models
from tidegate.store.acting import acting
from tidegate.store.writers import rule as writer

pytestmark = pytest.mark.usefixtures("database")


def add(connection: models.Connection, pattern: str, **answer: Any) -> actions.RulesSaved:
    answer = answer or {"ignore": True}
    return actions.add_rule(ALICE, connection.pk, actions.new_rule(pattern, **answer))


def patterns(connection: models.Connection) -> list[str]:
    found = reads.rules(connection.pk)
    assert found is not None
    assert [row.position for row in found.rules] == list(range(1, len(found.rules) + 1))
    return [row.pattern for row in found.rules]


def discovered(connection: models.Connection) -> writer.Applied:
    from uuid import uuid4

    with acting("tidegate"):
        return writer.apply_rules(connection.pk, None, uuid4())


def test_rules_are_added_moved_edited_and_deleted_in_their_order():
    burp = world.connection()
    first = add(burp, "a").rules[0]
    add(burp, "b")
    actions.add_rule(ALICE, burp.pk, actions.new_rule("c", ignore=True), position=1)

    assert patterns(burp) == ["c", "a", "b"]
    actions.move_rule(ALICE, first, 3)
    assert patterns(burp) == ["c", "b", "a"]
    actions.edit_rule(ALICE, first, actions.new_rule("d", ignore=True))
    actions.delete_rule(ALICE, models.MappingRule.objects.get(pattern="c").pk)
    assert patterns(burp) == ["b", "d"]
    saved = actions.save_rules(ALICE, burp.pk, [actions.new_rule(one, ignore=True) for one in "dxb"])
    assert patterns(burp) == ["d", "x", "b"]
    assert saved.rules[0] == first


def test_what_is_not_there_and_what_cannot_be_kept_is_refused():
    burp = world.connection()
    add(burp, "a")

    for work in (
        lambda: actions.delete_rule(ALICE, 99),
        lambda: actions.move_rule(ALICE, 2**64, 1),
        lambda: actions.add_rule(ALICE, 99, actions.new_rule("a", ignore=True)),
        lambda: actions.new_rule("a", product_id=99),
    ):
        with pytest.raises(NotThere):
            work()
    for bad in ({}, {"ignore": True, "template": "{name}"}, {"ignore": True, "because": "\x00"}):
        with pytest.raises(Refused):
            actions.new_rule("a", **bad)
    with pytest.raises(Refused):
        actions.add_rule(ALICE, burp.pk, actions.new_rule("b", ignore=True), position=3)
    assert patterns(burp) == ["a"]


def test_no_more_rules_than_can_be_asked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(actions, "MOST_RULES", 1)
    burp = world.connection()
    add(burp, "a")

    with pytest.raises(Refused):
        add(burp, "b")


def test_a_rule_set_is_tried_on_all_records_before_it_is_saved():
    """A rule set can be tried on all Records, with the difference shown, before it is saved."""
    burp = world.connection()
    shop, mine, toy = (world.record(burp, name) for name in ("pay/shop", "pay/mine", "toy"))
    world.record(burp, "pay/gone", absent_since=world.now())
    records.map_records(ALICE, [mine], new_product="Mine")
    tried = [actions.new_rule("toy", ignore=True, because="Toys"), actions.new_rule("pay/*", template="{name}")]

    found = reads.try_rules(burp.pk, tried)

    assert (found.records, found.counts) == (4, {"decides": 2, "left_to_people": 1, "gone": 1})
    assert [(one.record_id, one.before, one.after, one.why) for one in found.differences] == [
        (shop, "New", "Mapped to «pay/shop»", "Rule 2, «pay/*», maps it to «pay/shop»."),
        (toy, "New", "Ignored", "Rule 1, «toy», ignores it: Toys."),
    ]
    assert [(one.rule, one.records, one.changes) for one in found.rules] == [("1, «toy»", 1, 1), ("2, «pay/*»", 3, 1)]
    assert patterns(burp) == []
    assert world.read(shop).decision == "undecided"


def test_what_rules_once_mapped_changes_only_if_asked_and_is_undone_as_one_step():
    """what rules once mapped changes only if the person who saves them asks for it."""
    burp = world.connection()
    ids = [world.record(burp, name) for name in ("a1", "b1", "c1")]
    for name in "abc":
        add(burp, f"{name}*", template=f"{name.upper()} {{name}}")
    discovered(burp)
    new = [actions.new_rule("a*", template="New {name}"), actions.new_rule("b*", ignore=True)]

    actions.save_rules(ALICE, burp.pk, new)
    discovered(burp)
    assert [world.product_of(id) for id in ids] == ["A a1", "B b1", "C c1"]
    assert reads.try_rules(burp.pk).counts == {"same": 2, "no_rule": 1}
    assert reads.try_rules(burp.pk, again=True).counts == {"decides_again": 3}
    saved = actions.save_rules(ALICE, burp.pk, new, again=True)

    assert [world.product_of(id) for id in ids] == ["New a1", None, None]
    assert [(world.read(id).decision, world.read(id).hands_off) for id in ids[1:]] == [
        ("ignored", False),
        ("undecided", False),
    ]
    assert saved.counts == {"products_made": 1, "mapped_by_rules": 1, "ignored_by_rules": 1, "let_go_by_rules": 1}
    records.undo(ALICE, step=saved.step)
    assert [world.product_of(id) for id in ids] == ["A a1", "B b1", "C c1"]


def test_rules_see_through_batches_what_is_more_than_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(writer, "BATCH", 2)
    monkeypatch.setattr(reads, "BATCH", 2)
    burp = world.connection()
    ids = [world.record(burp, f"{'ab'[n % 2]}{n}") for n in range(5)]
    add(burp, "a*", product_id=world.product("Shop"))

    assert reads.try_rules(burp.pk).counts == {"decides": 3, "no_rule": 2}
    assert discovered(burp).counts == {"mapped_by_rules": 3}
    assert [world.product_of(id) for id in ids] == ["Shop", None, "Shop", None, "Shop"]


def test_a_rule_says_that_its_product_was_deleted():
    burp = world.connection()
    add(burp, "a", product_id=world.product("Shop"))
    models.Product.objects.all().delete()

    found = reads.rules(burp.pk)
    assert found is not None
    assert found.rules[0].problem == "«Shop» was deleted: what matches waits for a person."
