"""What people decide about Records; each promise of records.md is named where it is held."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests import world
from tests.world import ALICE, BOB
from tidegate.actions import product as products
from tidegate.actions import record as records
from tidegate.actions.engagement import delete_engagement
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.test import delete_test
from tidegate.store import models
from tidegate.store.models import Engagement, Product

pytestmark = pytest.mark.usefixtures("database")


def mapped(record_id: int, name: str = "Shop") -> None:
    outcome = records.map_records(ALICE, [record_id], new_product=name)
    assert outcome.items[0].ok, outcome


def test_mapping_to_a_new_product_makes_our_engagement_and_test_at_once():
    """user maps, to an existing or a new Product: Good; Engagement and Test are made now if not there."""
    burp = world.connection()
    shop = world.record(burp)

    outcome = records.map_records(ALICE, [shop], new_product=" Shop ", product_type="Web")

    found = world.read(shop)
    assert (found.decision, found.finalized_by, found.finalized_how) == ("mapped", "alice", "person")
    test = found.feed.test
    assert (test.name, test.engagement.name, test.engagement.kind) == ("Burp", "Global Connectors", "connectors")
    assert (test.engagement.product.name, test.engagement.product.product_type.name) == ("Shop", "Web")
    assert outcome.items == ((shop, True, "Flows into «Shop» from the next Sync on."),)


def test_an_engagement_of_our_name_that_others_made_is_not_ours():
    """Ours is marked, not named: an Engagement of that name that others made is not ours."""
    theirs = Engagement.objects.create(product_id=world.product("Shop"), name="Global Connectors")
    shop = world.record(world.connection())

    records.map_records(ALICE, [shop], product_id=theirs.product_id)

    assert world.read(shop).feed.test.engagement_id != theirs.pk
    assert not models.Test.objects.filter(engagement=theirs).exists()


def test_our_engagement_is_found_again_under_another_name():
    """The Engagement Global Connectors and its Tests carry our mark and may be renamed."""
    burp = world.connection()
    first, second = world.record(burp, "a"), world.record(burp, "b")
    mapped(first)
    ours = world.read(first).feed.test
    Engagement.objects.update(name="Scanners")
    models.Test.objects.update(name="The Burp")

    records.map_records(ALICE, [second], product_id=ours.engagement.product_id)

    assert world.read(second).feed.test == ours


def test_several_records_of_a_connection_share_a_test_and_have_a_feed_each():
    """Several Records of one Connection may point to one Product: two Feeds, one Test."""
    burp = world.connection()
    ids = [world.record(burp, name) for name in "abc"]

    outcome = records.map_records(ALICE, ids, new_product="Shop")

    feeds = [world.read(id).feed for id in ids]
    assert len({feed.pk for feed in feeds}) == 3
    assert len({feed.test_id for feed in feeds}) == 1
    assert [item.ok for item in outcome.items] == [True] * 3


def test_two_connections_have_a_test_each_in_one_product():
    """Stored under the mapped Product, in the one Engagement Global Connectors, in one Test per Connection."""
    first, second = world.record(world.connection("A")), world.record(world.connection("B"))

    records.map_records(ALICE, [first, second], new_product="Shop")

    tests = {world.read(first).feed.test, world.read(second).feed.test}
    assert {test.name for test in tests} == {"A", "B"}
    assert len({test.engagement_id for test in tests}) == 1


def test_mapping_where_a_feed_is_already_takes_it_up_again():
    """Mapping where a Feed of this Record exists already takes it up again."""
    shop = world.record(world.connection())
    mapped(shop)
    (finding,) = world.synced(shop, "k1")
    feed = world.read(shop).feed_id
    mapped(shop, "Other")

    records.map_records(ALICE, [shop], product_id=Product.objects.get(name="Shop").pk)

    assert world.read(shop).feed_id == feed == world.of(finding).feed_id


def test_a_remap_leaves_what_was_imported_where_it_is():
    """user remaps: the findings already imported are left as they are (default)."""
    shop = world.record(world.connection())
    mapped(shop)
    (finding,) = world.synced(shop, "k1")

    outcome = records.map_records(ALICE, [shop], new_product="Other")

    found = world.of(finding)
    assert found.open
    assert found.feed.test.engagement.product.name == "Shop"
    assert world.product_of(shop) == "Other"
    assert world.read(shop).earlier_product_name == "Shop"
    assert outcome.items[0].sentence == "Flows into «Other» from the next Sync on; what was imported stays in «Shop»."


def test_a_remap_that_moves_takes_findings_decisions_and_journal_along_as_one_row():
    """user remaps: moved along with their history."""
    shop = world.record(world.connection())
    mapped(shop)
    (finding,) = world.synced(shop, "k1")
    feed = world.read(shop).feed_id

    records.map_records(ALICE, [shop], new_product="Other", already_imported="move")

    assert world.read(shop).feed_id == world.of(finding).feed_id == feed
    assert world.of(finding).feed.test.engagement.product.name == "Other"
    assert world.journal(finding) == []


def test_a_remap_that_closes_closes_only_that_records_findings_and_says_who():
    """user remaps: closed. A finding is closed only by evidence, or by a person (also by the close of a remap)."""
    burp = world.connection()
    shop, other = world.record(burp, "a"), world.record(burp, "b")
    records.map_records(ALICE, [shop, other], new_product="Shop")
    (mine,), (theirs,) = world.synced(shop, "k1"), world.synced(other, "k1")

    records.map_records(BOB, [shop], new_product="Other", already_imported="close")

    assert (world.of(mine).open, world.of(mine).active, world.of(mine).closed_because) == (False, False, "person")
    assert world.journal(mine) == [("closed", "bob")]
    assert world.of(theirs).open
    assert world.tallies() == world.true_tallies()


def test_ignoring_takes_the_mapping_away_and_remembers_it():
    """user ignores: mapping taken away and remembered; nothing flows; imported findings stay."""
    shop = world.record(world.connection())
    mapped(shop)
    (finding,) = world.synced(shop, "k1")

    records.ignore_records(BOB, [shop], "a copy")

    found = world.read(shop)
    assert (found.decision, found.feed_id, found.ignored_because) == ("ignored", None, "a copy")
    assert (found.earlier_product_name, found.finalized_by) == ("Shop", "bob")
    assert world.of(finding).open


def test_restoring_makes_new_and_offers_the_earlier_product():
    """user restores an Ignored Record: New, with restore to «Product» offered at once."""
    shop = world.record(world.connection())
    mapped(shop)
    records.ignore_records(ALICE, [shop])

    outcome = records.restore_records(ALICE, [shop])

    found = world.read(shop)
    assert (found.decision, found.earlier_product_name, found.hands_off) == ("undecided", "Shop", False)
    assert "It was mapped to «Shop»" in outcome.items[0].sentence


def test_restoring_to_the_earlier_product_maps_there():
    """restore to «Product»."""
    shop = world.record(world.connection())
    mapped(shop)
    feed = world.read(shop).feed_id
    records.ignore_records(ALICE, [shop])

    outcome = records.restore_records(ALICE, [shop], to_earlier=True)

    assert world.read(shop).feed_id == feed
    assert outcome.items[0].sentence == "Flows into «Shop» again."


def test_restoring_to_an_earlier_product_that_was_deleted_is_refused_with_its_name():
    """Product deleted: never silently made again; restore to «Product» says why it cannot be."""
    shop, never = world.record(world.connection()), world.record(world.connection("B"))
    mapped(shop)
    records.ignore_records(ALICE, [shop])
    products.delete_product(ALICE, Product.objects.get().pk, "Shop")

    outcome = records.restore_records(ALICE, [shop, never], to_earlier=True)

    assert [(item.ok, item.sentence) for item in outcome.items] == [
        (False, "Its earlier Product «Shop» was deleted; map it to another."),
        (False, "It was never mapped before; map it to a Product."),
    ]
    assert world.read(shop).decision == "ignored"


def test_a_deleted_record_leaves_its_findings_and_remembers_its_mapping():
    """user deletes a Record: gone from the lists; imported data stays."""
    shop = world.record(world.connection())
    mapped(shop)
    (finding,) = world.synced(shop, "k1")

    records.delete_records(ALICE, [shop])

    found = world.read(shop)
    assert found.deleted_at is not None
    assert (found.decision, found.feed_id, found.earlier_product_name) == ("undecided", None, "Shop")
    assert world.of(finding).open
    assert not records.map_records(ALICE, [shop], new_product="Other").items[0].ok
    assert not Product.objects.filter(name="Other").exists()


@pytest.mark.parametrize("level", ["product", "engagement", "test", "feed"])
def test_a_record_whose_target_is_deleted_at_any_level_is_stale_at_once(level: str):
    """Product, Engagement or Test deleted, also by a cascade, in SQL: Stale at once; never silently made again."""
    from django.db import connection as database

    shop = world.record(world.connection())
    mapped(shop)
    world.synced(shop, "k1")
    epoch = world.read(shop).epoch

    with database.cursor() as cursor:
        cursor.execute(f"DELETE FROM {level}")

    found = world.read(shop)
    assert (found.decision, found.feed_id, found.target_lost) == ("mapped", None, level)
    assert found.earlier_product_name == "Shop"
    assert found.epoch > epoch
    assert world.history(shop)[-1].actor.startswith("plain SQL by ")


def test_deleting_a_product_asks_for_its_name_and_makes_records_stale():
    """Deleting a Product, Engagement, Test or Connection cannot be undone and asks for the name."""
    shop = world.record(world.connection())
    mapped(shop)
    product = Product.objects.get()

    with pytest.raises(Refused, match="is called «Shop»"):
        products.delete_product(BOB, product.pk, "shop")
    stale = products.delete_product(BOB, product.pk, "Shop")

    assert stale == [shop]
    assert world.read(shop).target_lost == "product"
    assert world.history(shop)[-1].actor == "bob"


def test_deleting_our_engagement_or_test_makes_records_stale():
    """Product, Engagement or Test deleted: Stale at once."""
    burp = world.connection()
    first, second = world.record(burp, "a"), world.record(burp, "b")
    mapped(first, "A")
    mapped(second, "B")
    engagement, test = world.read(first).feed.test.engagement, world.read(second).feed.test

    delete_engagement(ALICE, engagement.pk, engagement.name)
    delete_test(ALICE, test.pk, test.name)

    assert world.read(first).target_lost == "engagement"
    assert world.read(second).target_lost == "test"


def test_a_stale_record_mapped_again_gets_engagement_and_test_anew():
    """user maps: Good; Engagement and Test are made now if not there."""
    shop = world.record(world.connection())
    mapped(shop)
    product = world.read(shop).feed.test.engagement.product
    Engagement.objects.all().delete()

    records.map_records(ALICE, [shop], product_id=product.pk)

    found = world.read(shop)
    assert (world.product_of(shop), found.target_lost, found.target_lost_at) == ("Shop", "", None)


def test_every_change_of_a_record_is_kept_with_before_after_when_and_by_whom():
    """Every change of a Record is kept as history: before, after, when, by whom or by which Operation."""
    shop = world.record(world.connection())
    outcome = records.map_records(ALICE, [shop], new_product="Shop")

    records.ignore_records(BOB, [shop], "no")

    first, second = world.history(shop)
    assert (first.actor, first.step, first.before["decision"], first.after["decision"]) == (
        "alice",
        outcome.step,
        "undecided",
        "mapped",
    )
    assert (second.actor, second.before["ignored_because"], second.after["ignored_because"]) == ("bob", "", "no")


def test_who_decides_what_somebody_else_decided_since_is_told_by_whom_and_when():
    """Two people mapping the same Record at once: the second is told, nothing half done."""
    shop = world.record(world.connection())
    seen = world.read(shop).epoch
    mapped(shop)

    outcome = records.map_records(BOB, [shop], new_product="Other", epochs={shop: seen})

    assert not outcome.items[0].ok
    assert outcome.items[0].sentence.startswith("It was decided by alice 0 s ago")
    assert world.product_of(shop) == "Shop"
    assert not Product.objects.filter(name="Other").exists()


def test_a_second_same_mapping_changes_nothing():
    shop = world.record(world.connection())
    mapped(shop)
    epoch = world.read(shop).epoch

    outcome = records.map_records(BOB, [shop], product_id=Product.objects.get().pk)

    assert outcome.items[0].sentence == "Flows into «Shop» already."
    assert (outcome.step, world.read(shop).epoch) == (None, epoch)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("x" * 10_000, "10,000 characters; 255 are allowed"),
        ("a\0b", "cannot be shown (U+0000)"),
        ("  \u200b ", "is empty"),
        ("\ud800", "U+D800"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_and_nothing_is_done(name: str, sentence: str):
    """Names of Products are trimmed, NFC, 1–255 characters, unique exactly."""
    shop = world.record(world.connection())

    with pytest.raises(Refused) as refused:
        records.map_records(ALICE, [shop], new_product=name)

    assert sentence in refused.value.sentence
    assert world.read(shop).decision == "undecided"
    assert not Product.objects.exists()


def test_a_taken_name_is_refused_and_a_near_twin_is_mentioned():
    """unique exactly; suggestions ignore case and warn of near twins."""
    world.product("Shop")
    shop = world.record(world.connection())

    with pytest.raises(Refused, match="«Shop» already"):
        records.map_records(ALICE, [shop], new_product="Shop")
    outcome = records.map_records(ALICE, [shop], new_product="SHOP")

    assert "Mind that there is also «Shop»." in outcome.items[0].sentence


@pytest.mark.parametrize("unknown", [[99], [2**63], [-1], [10**30], []])
def test_unknown_records_are_named_and_nothing_is_done_for_any(unknown: list[int]):
    shop = world.record(world.connection())

    with pytest.raises(Refused):
        records.ignore_records(ALICE, [*unknown, *([shop] if unknown else [])])

    assert world.read(shop).decision == "undecided"


@pytest.mark.parametrize("product", [99, 2**63, -1])
def test_an_unknown_product_is_named(product: int):
    shop = world.record(world.connection())

    with pytest.raises(NotThere, match="no Product"):
        records.map_records(ALICE, [shop], product_id=product)


@pytest.mark.parametrize(
    "asked", [{}, {"product_id": 1, "new_product": "x"}, {"new_product": "x", "already_imported": "burn"}]
)
def test_an_unclear_mapping_is_refused(asked: dict[str, object]):
    with pytest.raises(Refused):
        records.map_records(ALICE, [world.record(world.connection())], **asked)  # pyright: ignore[reportArgumentType]


def test_records_of_a_deleted_connection_are_not_there():
    burp = world.connection(deleted_at=world.now())

    with pytest.raises(NotThere):
        records.ignore_records(ALICE, [world.record(burp)])


def test_undo_wants_to_know_what():
    with pytest.raises(Refused):
        records.undo(ALICE)
    with pytest.raises(NotThere):
        records.undo(ALICE, step=uuid4())
    with pytest.raises(NotThere, match="not decided yet"):
        records.undo(ALICE, record_id=world.record(world.connection()))
