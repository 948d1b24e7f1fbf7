"""Mapping rules in a Discover: what they decide, whom they leave alone, and how it is undone."""

from __future__ import annotations

from typing import Any

from tests import world as records_of
from tests.ingest.scene import ALICE, Scene
from tidegate.actions import record as records
from tidegate.actions import rule as rules


def add(scene: Scene, pattern: str, **answer: Any) -> None:
    rules.add_rule(ALICE, scene.connection_id, rules.new_rule(pattern, **answer))


def product(scene: Scene, key: str) -> str | None:
    return records_of.product_of(scene.record(key).pk)


def test_rules_decide_new_and_undecided_records_before_auto_map(scene: Scene):
    """records.md: a mapping rule matches: what the rule says; rules decide undecided Records at the next Discover."""
    scene.world.add("a", "pay/shop")
    scene.discover()
    scene.configure(auto_map=True)
    scene.world.add("b", "pay/api", parent="acme")
    scene.world.add("c", "toy", parent="acme")
    scene.world.add("d", "other")
    add(scene, "toy", ignore=True, because="Toys")
    add(scene, "pay/*", template="Team {name}", product_type="Apps", tags=["pay"])

    operation = scene.discover()

    assert [product(scene, key) for key in "abcd"] == ["Team pay/shop", "Team pay/api", None, "other"]
    assert operation.counts == {
        "seen": 4, "new": 3, "mapped_by_rules": 2, "ignored_by_rules": 1, "products_made": 3, "auto_mapped": 1,
    }  # fmt: skip
    toy, shop = scene.record("c"), scene.record("a")
    assert (toy.decision, toy.ignored_because, toy.finalized_how) == ("ignored", "Toys", "rule")
    assert (shop.finalized_by, shop.finalized_how) == ("rule 2, «pay/*»", "rule")
    made = records_of.read(shop.pk).feed.test.engagement.product
    assert (made.product_type.name, made.tags, made.origin) == ("Apps", ["pay"], "rule 2, «pay/*»")
    assert [line.actor for line in records_of.history(shop.pk)][-1] == "rule 2, «pay/*»"


def test_a_person_s_decision_always_wins_over_a_rule(scene: Scene):
    """A person's decision always wins over a rule; what an earlier rule decided stays too."""
    scene.world.add("a")
    scene.world.add("b")
    scene.discover()
    scene.map("a", "Mine")
    records.ignore_records(ALICE, [scene.record("b").pk], "no")
    add(scene, "*", template="Rules {name}")

    scene.discover()

    assert (product(scene, "a"), scene.record("b").decision) == ("Mine", "ignored")


def test_all_that_rules_did_is_undone_as_one_step_and_hands_off_afterwards(scene: Scene):
    """Every decision, single or in bulk, can be undone as one step; a Record whose automatic decision a person undid is
    hands off until a person decides."""
    from tidegate.store.models import Product

    add(scene, "a*", template="{name}!")
    add(scene, "b*", ignore=True)
    scene.world.add("a1", "a1")
    scene.world.add("b1", "b1")
    scene.discover()
    (step,) = {line.step for key in ("a1", "b1") for line in records_of.history(scene.record(key).pk)}

    outcome = records.undo(ALICE, step=step)

    assert [item.ok for item in outcome.items] == [True, True]
    assert [(scene.record(key).decision, scene.record(key).hands_off) for key in ("a1", "b1")] == [
        ("undecided", True),
        ("undecided", True),
    ]
    assert not Product.objects.exists()
    scene.discover()
    assert scene.record("a1").decision == scene.record("b1").decision == "undecided"


def test_who_restores_what_a_rule_ignored_does_not_get_it_ignored_again(scene: Scene):
    add(scene, "*", ignore=True)
    scene.world.add("a")
    scene.discover()

    records.restore_records(ALICE, [scene.record("a").pk])
    scene.discover()

    assert (scene.record("a").decision, scene.record("a").hands_off) == ("undecided", True)


def test_a_template_joins_the_product_of_its_name_and_a_rule_of_a_deleted_product_leaves_it_to_a_person(scene: Scene):
    """An existing Product of a template's name is joined; where that of a rule was deleted nobody else decides."""
    from tidegate.actions.product import delete_product

    there, gone = records_of.product("acme"), records_of.product("Gone")
    scene.configure(auto_map=True)
    add(scene, "a", template="{parent}")
    add(scene, "b", product_id=gone)
    delete_product(ALICE, gone, "Gone")
    scene.world.add("1", "a", parent="acme")
    scene.world.add("2", "b")

    operation = scene.discover()

    assert records_of.read(scene.record("1").pk).feed.test.engagement.product_id == there
    assert (scene.record("2").decision, operation.counts["left_by_rules"]) == ("undecided", 1)


def test_a_preview_says_what_rules_would_do_and_leaves_all_as_it_is(scene: Scene):
    """Preview of a Discover: what it would do, findings and Records untouched."""
    from tidegate.actions.operation import preview_discover
    from tidegate.reads.preview import differences

    add(scene, "a", ignore=True, because="Old")
    add(scene, "*", template="{name}")
    for name in "ab":
        scene.world.add(name, name)

    operation = scene.operation(preview_discover(ALICE, scene.connection_id))

    page = differences(operation.pk)
    assert page is not None
    told = [(row.kind, row.what) for row in page.differences if row.kind != "new"]
    assert told == [
        ("ignored", "Would be ignored by a rule: Old."),
        ("mapped", "Would be mapped to «b», which would be made for it."),
    ]
    assert "map 1 by rules, ignore 1 by rules" in scene.log(operation)
