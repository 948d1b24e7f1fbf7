"""Every decision, single or in bulk, can be undone as one step until a Sync wrote under it or it was decided again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from tests import world
from tests.world import ALICE, BOB
from tidegate.actions import finding as findings
from tidegate.actions import product as products
from tidegate.actions import record as records
from tidegate.actions.bulk import decide_records
from tidegate.rules.undo import DECISION_FACTS
from tidegate.store.acting import acting
from tidegate.store.models import Connection, Decision, Feed, Finding, Held, Part, Product, Record
from tidegate.store.sql import sql
from tidegate.store.writers import undo
from tidegate.store.writers.record import auto_map_records

pytestmark = pytest.mark.usefixtures("database")


def facts(*ids: int) -> list[dict[str, Any]]:
    return list(Record.objects.filter(pk__in=ids).order_by("pk").values(*DECISION_FACTS))


def contents() -> dict[str, Any]:
    """All that a remap may touch, without numbers of rows that are made anew."""
    return {
        "findings": list(Finding.objects.order_by("pk").values()),
        "decisions": sorted(
            map(str, Decision.objects.values_list("feed", "family", "key_hash", "field", "value", "by"))
        ),
        "parts": sorted(
            map(str, Part.objects.values_list("feed", "family", "branch", "proven_operation", "proven_at"))
        ),
        "held": sorted(map(str, Held.objects.values_list("finding", "feed", "standing"))),
        "feeds": sorted(map(str, Feed.objects.values_list("pk", "record", "test"))),
    }


def two_mapped() -> tuple[int, int]:
    burp = world.connection()
    ids = world.record(burp, "a"), world.record(burp, "b")
    records.map_records(ALICE, ids, new_product="Shop")
    return ids


def test_a_bulk_is_undone_as_one_and_the_product_it_made_goes_with_it():
    """Every decision, single or in bulk, can be undone as one step."""
    burp = world.connection()
    ids = world.record(burp, "a"), world.record(burp, "b")
    before = facts(*ids)
    outcome = records.map_records(ALICE, ids, new_product="Shop")

    undone = records.undo(BOB, step=outcome.step)

    assert [item.ok for item in undone.items] == [True, True]
    assert facts(*ids) == before
    assert not Product.objects.exists()
    assert world.history(ids[0])[-1].actor == "bob"


def test_a_product_that_was_there_before_or_is_used_stays():
    first, second = two_mapped()
    shop = Product.objects.get()
    outcome = records.map_records(ALICE, [world.record(world.connection("B"))], product_id=shop.pk)

    records.undo(ALICE, step=outcome.step)
    records.undo(ALICE, record_id=first)

    assert Product.objects.get() == shop
    assert world.product_of(second) == "Shop"


def test_each_decision_goes_back_to_exactly_what_was():
    """Every decision (map, remap, ignore, restore, delete) can be undone."""
    first, second = two_mapped()
    for decide in (
        lambda: records.ignore_records(BOB, [first, second], "no"),
        lambda: records.delete_records(BOB, [first, second]),
        lambda: records.restore_records(BOB, [first, second]),
        lambda: records.map_records(BOB, [first, second], new_product="Other"),
    ):
        before = facts(first, second)
        outcome = decide()
        assert facts(first, second) != before

        records.undo(ALICE, step=outcome.step)

        assert facts(first, second) == before


def test_undoing_a_deletion_after_the_vep_was_seen_again_brings_the_mapping_back():
    """Every decision can be undone; what Discover saw since does not hinder."""
    first, _ = two_mapped()
    before = facts(first)
    records.delete_records(ALICE, [first])
    with acting("tidegate"):
        Record.objects.filter(pk=first).update(deleted_at=None)

    records.undo(ALICE, record_id=first)

    assert facts(first) == before


def test_what_was_decided_again_cannot_be_undone_and_says_by_whom():
    """… until … it was decided again."""
    first, second = two_mapped()
    step = world.history(first)[-1].step
    records.ignore_records(BOB, [first])

    outcome = records.undo(ALICE, step=step)

    assert outcome.items == (
        (first, False, "Cannot be undone: it was decided again by bob since."),
        (second, True, "Is as it was before alice undid it."),
    )
    assert world.read(second).decision == "undecided"


def test_what_a_sync_wrote_under_cannot_be_undone():
    """… until a Sync wrote under it."""
    first, _ = two_mapped()
    world.synced(first, "k1")

    outcome = records.undo(ALICE, step=world.history(first)[-1].step)

    assert [item.ok for item in outcome.items] == [False, True]
    assert "a Sync wrote under it" in outcome.items[0].sentence
    assert world.product_of(first) == "Shop"


def test_a_sync_that_still_runs_and_has_tried_counts_as_written():
    first, _ = two_mapped()
    running = world.operation(Connection.objects.get(), status="running")
    Part.objects.create(feed_id=world.read(first).feed_id, family="dast", last_operation=running)

    assert not records.undo(ALICE, record_id=first).items[0].ok


def test_findings_of_a_sync_before_the_decision_do_not_hinder_its_undo():
    first, _ = two_mapped()
    world.synced(first, "k1")
    records.ignore_records(ALICE, [first])

    records.undo(ALICE, record_id=first)

    assert world.product_of(first) == "Shop"


def test_an_undo_is_not_undone():
    first, _ = two_mapped()
    records.undo(ALICE, record_id=first)

    outcome = records.undo(ALICE, record_id=first)

    assert "that was an undo already" in outcome.items[0].sentence


def test_undoing_an_automatic_mapping_is_hands_off_until_a_person_decides():
    """a Record whose automatic mapping a person undid is hands off until a person decides."""
    burp = world.connection(auto_map=True)
    shop = world.record(burp)
    auto_map(burp)
    assert world.product_of(shop) == "shop.example.org"

    records.undo(ALICE, record_id=shop)
    auto_map(burp)

    assert (world.read(shop).decision, world.read(shop).hands_off) == ("undecided", True)
    assert not Product.objects.exists()
    records.ignore_records(ALICE, [shop])
    records.restore_records(ALICE, [shop])
    auto_map(burp)
    assert world.product_of(shop) == "shop.example.org"


def test_taking_an_automatic_mapping_back_by_hand_is_hands_off_too():
    burp = world.connection(auto_map=True)
    shop = world.record(burp)
    auto_map(burp)

    records.restore_records(ALICE, [shop])
    auto_map(burp)

    assert (world.read(shop).decision, world.read(shop).hands_off) == ("undecided", True)


def test_an_earlier_product_that_is_gone_keeps_a_remap_from_being_undone():
    first, _ = two_mapped()
    records.map_records(ALICE, [first], new_product="Other")
    products.delete_product(ALICE, Product.objects.get(name="Shop").pk, "Shop")

    outcome = records.undo(ALICE, record_id=first)

    assert not outcome.items[0].ok
    assert world.product_of(first) == "Other"


def test_a_mapping_whose_product_was_deleted_can_still_be_undone():
    first, _ = two_mapped()
    products.delete_product(ALICE, Product.objects.get().pk, "Shop")

    assert records.undo(ALICE, record_id=first).items[0].ok
    assert (world.read(first).decision, world.read(first).target_lost) == ("undecided", "")


def test_undoing_a_move_is_one_row_again():
    """A remap that moved findings along with their history can be undone as one step."""
    first, _ = two_mapped()
    world.synced(first, "k1", "k2")
    before, findings_before = facts(first), contents()
    records.map_records(ALICE, [first], new_product="Other", already_imported="move")

    assert records.undo(ALICE, record_id=first).items[0].ok

    assert facts(first) == before
    assert contents() == findings_before


@pytest.mark.parametrize("choice", ["leave", "close", "move"])
def test_a_step_about_many_is_undone_in_pieces_and_as_one(monkeypatch: pytest.MonkeyPatch, choice: Any):
    """A hundred thousand Records do not come into memory at once; what is undone is the same."""
    monkeypatch.setattr(undo, "BATCH", 1)
    both = two_mapped()
    for id in both:
        world.synced(id, "k1", "k2")
    before, findings_before = facts(*both), contents()["findings"]
    step = records.map_records(ALICE, both, new_product="Other", already_imported=choice).step

    undone = records.undo(ALICE, step=step)

    assert [(item.id, item.ok) for item in undone.items] == [(id, True) for id in both]
    assert (facts(*both), contents()["findings"]) == (before, findings_before)
    assert not Product.objects.filter(name="Other").exists()


@pytest.mark.parametrize("choice", ["leave", "move"])
def test_records_of_which_nothing_is_to_be_put_back_take_no_statement_each(choice: Any):
    """What an undo costs grows by the findings that the step touched, and not by the Records."""

    def statements(number: int, choice: Any) -> int:
        burp = world.connection(f"Burp of {number} {choice}")
        ids = [world.record(burp, f"{choice} {number} {n}") for n in range(number)]
        records.map_records(ALICE, ids, new_product=f"Shop {number} {choice}")
        step = records.map_records(ALICE, ids, new_product=f"Other {number} {choice}", already_imported=choice).step
        with CaptureQueriesContext(connection) as captured:
            assert all(item.ok for item in records.undo(ALICE, step=step).items)
        return len(captured)

    assert statements(2, choice) == statements(9, choice)


@pytest.mark.parametrize(("deed", "most"), [("map each", 45), ("map", 18)], ids=["a Product each", "one for all"])
def test_an_undo_that_takes_new_products_with_it_looks_up_little_for_each_record(deed: Any, most: int):
    """A hundred thousand Records are undone in seconds and not in minutes: where a Feed is empty and nobody flows into
    it, no trigger looks for its findings, and none joins its way up to the Product."""
    burp = world.connection()
    ids = [world.record(burp, f"{n}") for n in range(200)]

    def looks_so_far(cursor: Any) -> int:
        cursor.execute("SELECT sum(seq_scan + coalesce(idx_scan, 0)) FROM pg_stat_xact_user_tables")
        return int(cursor.fetchone()[0])

    with transaction.atomic(), connection.cursor() as cursor:
        step = decide_records(ALICE, deed, ids, new_product="Shop" if deed == "map" else None).step
        cursor.execute("ANALYZE")
        before = looks_so_far(cursor)
        records.undo(ALICE, step=step)
        looks = (looks_so_far(cursor) - before) / len(ids)

    assert not Product.objects.exists()
    assert looks < most


def test_whoever_plans_the_end_of_many_products_expects_many():
    """Where one is expected, all Engagements are read for each of them."""
    burp = world.connection()
    with transaction.atomic(), connection.cursor() as cursor:
        decide_records(ALICE, "map each", [world.record(burp, f"{n}") for n in range(60)])
        cursor.execute("ANALYZE")
        products = list(Product.objects.values_list("pk", flat=True))
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql('products_unmake')}", {"products": products})
        ((plan,),) = cursor.fetchall()
        expected = (plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]["Plans"][-1]["Plan Rows"]

    assert expected >= len(products) / 4


def test_undoing_a_close_opens_what_it_closed_and_nothing_else():
    """A remap that closed findings can be undone as one step."""
    first, _ = two_mapped()
    open, fixed = world.synced(first, "k1")[0], world.synced(first, "k2", open=False, closed_because="fixed")[0]
    accepted = world.synced(first, "k3")[0]
    findings.decide_finding(ALICE, accepted, verdict="accepted")
    records.map_records(ALICE, [first], new_product="Other", already_imported="close")

    records.undo(BOB, record_id=first)

    assert [(world.of(id).open, world.of(id).active) for id in (open, fixed, accepted)] == [
        (True, True),
        (False, False),
        (True, False),
    ]
    assert world.journal(open) == [("closed", "alice"), ("undone", "bob")]
    assert world.tallies() == world.true_tallies()


# Merging: the destination has a Feed of this Record already


def to_be_merged() -> tuple[int, dict[str, int]]:
    """A Record whose findings are left in Shop, and that wrote to Other since."""
    first, _ = two_mapped()
    at = {"shop both": world.synced(first, "both", title="old")[0], "shop only": world.synced(first, "shop")[0]}
    findings.decide_finding(ALICE, at["shop both"], note="old note", severity="Low")
    records.map_records(ALICE, [first], new_product="Other")
    at["other both"] = world.synced(first, "both", open=False, closed_because="gone", closed_operation=1)[0]
    at["other only"] = world.synced(first, "other")[0]
    at["other closed"] = world.synced(first, "shut", open=False, closed_because="fixed")[0]
    findings.decide_finding(BOB, at["other both"], verdict="accepted", note="new note")
    findings.decide_finding(BOB, at["other only"], verdict="false positive")
    for key, standing in (("other only", "held"), ("shop only", "kept open")):
        held = {"since_operation": 1, "latest_operation": 1, "standing": standing}
        Held.objects.create(finding_id=at[key], feed_id=world.of(at[key]).feed_id, **held)
    return first, at


def test_a_move_onto_an_earlier_feed_merges():
    """On move, where the same finding is there already, the one at the destination stays and takes decision and opening
    of the other, which closes as merged."""
    first, at = to_be_merged()
    Finding.objects.filter(pk=at["other both"]).update(open=True, closed_because=None, closed_operation=None)
    Finding.objects.filter(pk=at["shop both"]).update(open=False, active=False, closed_because="gone")
    shop, other = world.of(at["shop both"]).feed_id, world.of(at["other both"]).feed_id
    proven = Part.objects.get(feed_id=other).proven_operation

    records.map_records(ALICE, [first], product_id=Product.objects.get(name="Shop").pk, already_imported="move")

    stays, merged = world.of(at["shop both"]), world.of(at["other both"])
    assert (world.read(first).feed_id, stays.feed_id, merged.feed_id) == (shop, shop, other)
    assert (stays.open, stays.active, stays.severity) == (True, False, 1)
    assert (merged.open, merged.active, merged.closed_because) == (False, False, "merged")
    assert {world.of(at[name]).feed_id for name in ("shop only", "other only", "other closed")} == {shop}
    said = {(row.field, row.value) for row in Decision.objects.filter(feed_id=shop, key_hash=stays.key_hash)}
    assert said == {("verdict", "accepted"), ("note", "new note"), ("severity", "1")}
    assert Decision.objects.filter(feed_id=shop, value="false positive").exists()
    assert set(Held.objects.values_list("finding", "feed", "standing")) == {
        (at["other only"], shop, "held"),
        (at["shop only"], shop, "kept open"),
    }
    assert Part.objects.get(feed_id=shop).proven_operation == proven
    assert world.journal(at["other both"])[-1] == ("closed", "alice")
    assert world.tallies() == world.true_tallies()


def test_nothing_is_there_twice_after_a_remap_there_and_back():
    """Nothing is imported twice into one Test, through remaps there and back."""
    first, _ = to_be_merged()
    for name in ("Shop", "Other", "Shop"):
        id = Product.objects.get(name=name).pk
        records.map_records(ALICE, [first], product_id=id, already_imported="move")

        open = Finding.objects.filter(feed__record_id=first, open=True).exclude(feed=F("feed__record__feed"))
        assert not open.exists()
    assert world.tallies() == world.true_tallies()


def test_undoing_a_merge_takes_it_apart_again():
    """A move where the same finding was there already can be undone as one step."""
    first, _ = to_be_merged()
    before, findings_before = facts(first), contents()
    id = Product.objects.get(name="Shop").pk
    records.map_records(ALICE, [first], product_id=id, already_imported="move")

    assert records.undo(BOB, record_id=first).items[0].ok

    assert facts(first) == before
    after = contents()
    changed = {"changed_operation", "closed_at"}
    for was, is_now in zip(findings_before.pop("findings"), after.pop("findings"), strict=True):
        assert {name for name in was if was[name] != is_now[name]} <= changed
    assert [line for line in findings_before["decisions"] if line not in after["decisions"]] == []
    assert {name: after[name] for name in ("parts", "held", "feeds")} == {
        name: findings_before[name] for name in ("parts", "held", "feeds")
    }
    assert world.tallies() == world.true_tallies()


def test_what_a_person_decided_after_a_merge_survives_its_undo():
    """What a person decided is still there."""
    first, at = to_be_merged()
    id = Product.objects.get(name="Shop").pk
    records.map_records(ALICE, [first], product_id=id, already_imported="move")
    findings.decide_finding(BOB, at["other only"], note="later")
    findings.decide_finding(BOB, at["shop both"], note="later still")

    records.undo(BOB, record_id=first)

    other = world.read(first).feed_id
    notes = Decision.objects.filter(feed_id=other, field="note").values_list("value", flat=True)
    assert set(notes) == {"later", "later still"}


def test_a_merge_of_nothing_leaves_the_proofs_where_they_are():
    first, _ = two_mapped()
    world.synced(first, "k1")
    records.map_records(ALICE, [first], new_product="Other")
    before = contents()

    records.map_records(ALICE, [first], product_id=Product.objects.get(name="Shop").pk, already_imported="move")

    assert contents() == before
    assert world.product_of(first) == "Shop"


def auto_map(connection: Connection) -> dict[str, int]:
    with acting("tidegate"):
        return auto_map_records(connection.pk, world.operation(connection, "discover").pk)


def test_times_of_the_database_are_kept_to_the_microsecond():
    first, _ = two_mapped()
    at = world.read(first).finalized_at
    records.ignore_records(ALICE, [first])

    records.undo(ALICE, record_id=first)

    assert world.read(first).finalized_at == at
