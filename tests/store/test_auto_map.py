"""Auto-map on Records, as a Discover calls it."""

from __future__ import annotations

import time

import pytest

from tests import world
from tests.world import ALICE
from tidegate.actions import product as products
from tidegate.actions import record as records
from tidegate.store.acting import acting
from tidegate.store.models import Connection, HeldAbsence, Product, ProductType, Record, RecordHistory
from tidegate.store.writers.record import auto_map_records

pytestmark = pytest.mark.usefixtures("database")


def auto_map(connection: Connection) -> dict[str, int]:
    discover = world.operation(connection, "discover", "running", started_at=world.now())
    with acting("tidegate", operation=discover.pk):
        counts = auto_map_records(connection.pk, discover.pk)
        Record.objects.filter(connection=connection).update(url="https://seen.example.org")  # the Discover goes on
    discover.delete()
    return counts


def revive(record_id: int) -> None:
    with acting("tidegate"):
        Record.objects.filter(pk=record_id).update(deleted_at=None)


def test_a_product_is_made_and_the_record_is_good_by_auto_map():
    """Discover finds a new VEP, auto-map on: a Product is made for it, Record mapped, Good, finalized by auto-map."""
    burp = world.connection(auto_map=True)
    shop = world.record(burp, "shop")

    counts = auto_map(burp)

    found = world.read(shop)
    assert counts == {"auto_mapped": 1, "products_made": 1}
    assert (world.product_of(shop), found.finalized_by, found.finalized_how) == ("shop", "auto-map", "auto-map")
    assert found.feed.test.engagement.product.product_type.name == "Imported"
    assert Product.objects.get().origin == "auto-map"


def test_in_history_auto_map_acts_in_a_step_of_its_own_and_the_discover_goes_on():
    burp = world.connection(auto_map=True)
    shop = world.record(burp, "shop")

    auto_map(burp)

    mapped, seen = world.history(shop)
    assert (mapped.actor, mapped.step is None) == ("auto-map", False)
    assert (seen.actor, seen.step) == ("tidegate", None)


def test_nothing_is_decided_where_auto_map_is_off():
    """auto-map off: New Record."""
    burp = world.connection()
    shop = world.record(burp)

    assert auto_map(burp) == {}
    assert world.read(shop).decision == "undecided"


def test_a_product_of_that_name_is_not_joined_unless_the_connection_says_so():
    """An existing Product of that name is joined only if the Connection says so; otherwise the new one gets a name that
    tells them apart (its parent, the Connection's label; a number last)."""
    world.product("shop")
    burp = world.connection(auto_map=True)
    ids = [world.record(burp, "shop", vendor_id=str(n), parent=parent) for n, parent in enumerate(["EU", "EU", "", ""])]

    auto_map(burp)

    assert [world.product_of(id) for id in ids] == [
        "shop (EU)",
        "shop (EU · Burp)",
        "shop (Burp)",
        "shop (Burp) 2",
    ]


def test_a_product_of_that_name_is_joined_where_the_connection_says_so():
    """An existing Product of that name is joined only if the Connection says so."""
    there = world.product("shop")
    burp = world.connection(auto_map=True, join_by_name=True)
    ids = [world.record(burp, name, vendor_id=name) for name in (" shop ", "new", "new\x01", "New")]

    auto_map(burp)

    assert [world.product_of(id) for id in ids] == ["shop", "new", "new", "New"]
    assert world.read(ids[0]).feed.test.engagement.product_id == there
    assert Product.objects.count() == 3


def test_the_connections_product_type_is_used():
    kind = ProductType.objects.create(name="Web")
    burp = world.connection(auto_map=True, product_type=kind)
    shop = world.record(burp)

    auto_map(burp)

    assert world.read(shop).feed.test.engagement.product.product_type == kind


def test_ignored_hands_off_deleted_and_absent_records_are_left_alone():
    """Ignored ones stay ignored; hands off until a person decides; auto-map decides undecided Records only."""
    burp = world.connection(auto_map=True)
    at, discover = world.now(), world.operation(burp, "discover")
    ignored = world.record(burp, "a", decision="ignored", finalized_at=at)
    others = [
        world.record(burp, "b", hands_off=True),
        world.record(burp, "c", deleted_at=at),
        world.record(burp, "d", absent_since=at, absent_operation=discover),
        world.record(burp, "e"),
    ]
    held = {"connection": burp, "since_operation": discover, "latest_operation": discover}
    HeldAbsence.objects.create(record_id=others[3], **held)

    auto_map(burp)

    assert world.read(ignored).decision == "ignored"
    assert {world.read(id).decision for id in others} == {"undecided"}


def test_a_restored_record_gets_its_earlier_mapping_back():
    """if auto-map is on, the next Discover gives it back its earlier mapping."""
    burp = world.connection(auto_map=True)
    shop = world.record(burp)
    records.map_records(ALICE, [shop], new_product="Mine")
    feed = world.read(shop).feed_id
    records.ignore_records(ALICE, [shop])
    records.restore_records(ALICE, [shop])

    auto_map(burp)

    assert (world.read(shop).feed_id, world.read(shop).finalized_how) == (feed, "auto-map")


def test_a_restored_record_whose_product_was_deleted_stays_new():
    """a fresh Product only if it never had one; where its Product was deleted it stays New."""
    burp = world.connection(auto_map=True)
    shop = world.record(burp)
    records.map_records(ALICE, [shop], new_product="Mine")
    records.ignore_records(ALICE, [shop])
    products.delete_product(ALICE, Product.objects.get().pk, "Mine")
    records.restore_records(ALICE, [shop])

    counts = auto_map(burp)

    assert (world.read(shop).decision, counts["auto_mapped"]) == ("undecided", 0)


def test_a_restored_record_that_never_had_a_product_gets_a_fresh_one():
    """the next Discover gives it … a fresh Product only if it never had one."""
    burp = world.connection(auto_map=True)
    shop = world.record(burp, "shop")
    records.ignore_records(ALICE, [shop])
    records.restore_records(ALICE, [shop])

    auto_map(burp)

    assert world.product_of(shop) == "shop"


def test_a_deleted_record_that_is_back_finds_the_test_that_holds_its_findings():
    """Auto-map first looks for the Test that already holds them; Sync recognises its earlier findings."""
    burp = world.connection(auto_map=True)
    shop = world.record(burp, "shop")
    records.map_records(ALICE, [shop], new_product="Mine")
    (finding,) = world.synced(shop, "k1")
    records.delete_records(ALICE, [shop])
    revive(shop)

    auto_map(burp)

    assert world.read(shop).feed_id == world.of(finding).feed_id
    assert not Product.objects.filter(name="shop").exists()


def test_findings_are_found_also_where_no_earlier_product_is_remembered():
    """Auto-map first looks for the Test that already holds them."""
    burp = world.connection(auto_map=True)
    shop = world.record(burp, "shop")
    outcome = records.map_records(ALICE, [shop], new_product="Mine")
    feed = world.read(shop).feed_id
    records.undo(ALICE, step=outcome.step)
    records.map_records(ALICE, [shop], new_product="Mine")
    feed = world.read(shop).feed_id
    world.synced(shop, "k1")
    with acting("tidegate"):
        Record.objects.update(decision="undecided", feed=None, finalized_at=None)

    auto_map(burp)

    assert world.read(shop).feed_id == feed


def test_a_renamed_vep_keeps_its_mapping():
    """Discover sees a known VEP renamed: name follows; mapping, Product and findings stay."""
    burp = world.connection(auto_map=True)
    shop = world.record(burp, "shop")
    auto_map(burp)
    with acting("tidegate"):
        Record.objects.update(name="store")

    auto_map(burp)

    assert world.product_of(shop) == "shop"


def test_thousands_of_records_are_mapped_at_a_steady_rate():
    """Statements that are planned for a few Records and kept would take minutes for thousands."""
    seconds = [time_of_auto_map(number) for number in (300, 3000)]

    assert RecordHistory.objects.filter(actor="auto-map").count() == 3300
    assert seconds[1] < 40 * seconds[0]


def time_of_auto_map(number: int) -> float:
    burp = world.connection(f"Burp {number}", auto_map=True)
    names = [(str(n), f"app {n % 100}", f"team {n % 7}") for n in range(number)]
    Record.objects.bulk_create(
        [Record(connection=burp, vendor_id=id, name=name, parent=parent) for id, name, parent in names]
    )
    began = time.monotonic()
    assert auto_map(burp) == {"auto_mapped": number, "products_made": number}
    return time.monotonic() - began
