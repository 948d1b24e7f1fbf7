"""This is the same one: a Record that went Missing goes on as the one that appeared."""

from __future__ import annotations

import pytest

from tests import world
from tests.acme import rows
from tests.ingest.scene import ALICE, Scene
from tidegate.actions import record as records
from tidegate.actions import suggestion as actions
from tidegate.actions.errors import NotThere, Refused
from tidegate.reads.suggestion import suggested, suggestions
from tidegate.store.models import Finding, Product, Record


def moved(scene: Scene) -> tuple[int, int]:
    """Shop went Missing under its id, and is there under another; Missing and new."""
    scene.mapped(s1=rows("f1", "f2"), stays={})  # all gone at once would be held
    scene.sync()
    del scene.world.products["s1"]
    scene.world.add("s2", "product S1", rows("f1", "f2", "f3"))
    scene.discover()
    return scene.record("s1").pk, scene.record("s2").pk


def test_what_goes_missing_while_another_appears_that_looks_like_it_is_suggested(scene: Scene):
    """records.md: a Record goes Missing while another appears that looks like it: suggested, with the evidence."""
    missing, new = moved(scene)

    (found,) = suggestions().suggestions

    assert (found.missing_id, found.new_id, found.product) == (missing, new, "Product s1")
    assert found.evidence == [
        "The name is the same but for case and punctuation: «Product s1», «product S1».",
        "The one attribute is the same.",
    ]
    assert suggestions(scene.connection_id).suggestions == [found]


def test_accepted_it_goes_on_with_mapping_findings_and_history(scene: Scene):
    """one click relinks while the new one is undecided, keeping mapping and findings."""
    missing, new = moved(scene)
    before = set(Finding.objects.values_list("pk", flat=True))

    outcome = actions.accept_suggestion(ALICE, missing, new)

    assert outcome.items[0].sentence == "Is the same as product S1 from now on, and flows into «Product s1»."
    found = world.read(missing)
    assert (found.vendor_id, found.former_ids, found.name, found.absent_since) == ("s2", ["s1"], "product S1", None)
    assert world.product_of(missing) == "Product s1"
    assert suggestions().suggestions == []
    scene.forget_what_waits()
    assert scene.discover().status == "success"
    scene.sync()
    assert scene.open() == {"f1", "f2", "f3"}
    assert set(Finding.objects.values_list("pk", flat=True)) > before
    assert Record.objects.get(pk=new).deleted_at is not None


def test_accepted_it_can_be_undone(scene: Scene):
    """Every decision can be undone as one step."""
    missing, new = moved(scene)
    facts = list(Record.objects.order_by("pk").values())
    outcome = actions.accept_suggestion(ALICE, missing, new)

    undone = records.undo(ALICE, step=outcome.step)

    assert [item.ok for item in undone.items] == [True, True]
    after = list(Record.objects.order_by("pk").values())
    assert [row | {"epoch": 0} for row in after] == [row | {"epoch": 0} for row in facts]
    assert len(suggestions().suggestions) == 1


@pytest.mark.parametrize("of", [0, 1])
def test_the_last_decision_on_either_of_the_two_takes_both_back(scene: Scene, of: int):
    """They exchanged their ids: one alone would have the id of the other."""
    both = moved(scene)
    facts = list(Record.objects.order_by("pk").values())
    actions.accept_suggestion(ALICE, *both)

    undone = records.undo(ALICE, record_id=both[of])

    assert [item.ok for item in undone.items] == [True, True]
    after = list(Record.objects.order_by("pk").values())
    assert [row | {"epoch": 0} for row in after] == [row | {"epoch": 0} for row in facts]


@pytest.mark.parametrize("of", [0, 1])
def test_while_one_of_the_two_changes_neither_is_taken_back(scene: Scene, of: int):
    both = moved(scene)
    outcome = actions.accept_suggestion(ALICE, *both)
    Record.objects.filter(pk=both[of]).update(
        changing_operation_id=world.operation(world.read(both[of]).connection, type="change", status="running").pk
    )
    facts = list(Record.objects.order_by("pk").values())

    ways = (
        lambda: records.undo(ALICE, step=outcome.step),
        lambda: records.undo(ALICE, record_id=both[0]),
        lambda: records.undo(ALICE, record_id=both[1]),
    )
    for way in ways:
        undone = way()
        told = {item.id: item.sentence for item in undone.items}

        assert [item.ok for item in undone.items] == [False, False]
        assert "goes back together with" in told[both[1 - of]]
        assert list(Record.objects.order_by("pk").values()) == facts


def test_after_a_sync_wrote_under_it_neither_half_is_undone(scene: Scene):
    missing, new = moved(scene)
    outcome = actions.accept_suggestion(ALICE, missing, new)
    scene.forget_what_waits()
    scene.sync()

    undone = records.undo(ALICE, step=outcome.step)

    assert [item.ok for item in undone.items] == [False, False]
    assert "a Sync wrote under it since" in undone.items[0].sentence
    assert world.read(missing).vendor_id == "s2"


def test_the_earlier_thing_that_comes_back_is_new(scene: Scene):
    missing, new = moved(scene)
    actions.accept_suggestion(ALICE, missing, new)
    scene.world.add("s1", "Product s1")

    scene.discover()

    assert (scene.record("s1").pk, scene.record("s1").decision, scene.record("s1").deleted_at) == (
        new,
        "undecided",
        None,
    )
    assert scene.record("s2").pk == missing


def test_dismissed_it_is_not_suggested_again_unless_that_is_taken_back(scene: Scene):
    """refuse/dismiss is remembered; undoable."""
    missing, new = moved(scene)

    actions.dismiss_suggestion(ALICE, missing, new)
    assert suggestions().suggestions == []
    actions.suggest_again(ALICE, missing, new)

    assert suggested(missing, new) is not None
    with pytest.raises(Refused, match="not dismissed"):
        actions.suggest_again(ALICE, missing, new)


def test_only_a_missing_and_a_new_record_of_one_connection_become_one(scene: Scene):
    missing, new = moved(scene)
    other = world.record(world.connection("Other"), "shop")
    scene.world.add("s3", "third")
    scene.discover()
    scene.map("s3", "Third")

    for pair, said in (
        ((new, missing), "is not Missing"),
        ((missing, missing), "the same Record"),
        ((missing, other), "Only Records of one Connection"),
        ((missing, scene.record("s3").pk), "mapped already"),
    ):
        with pytest.raises(Refused, match=said):
            actions.accept_suggestion(ALICE, *pair)
    with pytest.raises(NotThere):
        actions.accept_suggestion(ALICE, missing, 99)
    assert Product.objects.count() == 3


def test_findings_of_both_are_looked_at(scene: Scene):
    """overlapping findings: only where there are findings of both."""
    scene.mapped(s1=rows("f1", "f2"))
    scene.sync()
    scene.world.add("s2", "Storefront", rows("f1", "f2"))
    scene.discover()
    scene.map("s2", "Other")
    scene.sync("s2")
    records.restore_records(ALICE, [scene.record("s2").pk])
    Record.objects.filter(vendor_id__in=["s1", "s2"]).update(attributes={"team": "pay"})
    Record.objects.filter(vendor_id="s1").update(absent_since=world.now())

    (found,) = suggestions().suggestions

    assert found.evidence[0] == "2 of 2 findings of the new one are findings of the other too."
