"""Deciding about many Records at once, by numbers or by a filter; what a preview says is what is done."""

from __future__ import annotations

from typing import Any

import pytest

from tests import world
from tests.actions.test_matrix import everything_stored
from tests.world import ALICE, BOB
from tidegate.actions import bulk
from tidegate.actions import record as singly
from tidegate.actions.bulk import decide_records, preview_records, sync_records
from tidegate.actions.errors import Forbidden, NotThere, Refused
from tidegate.rules.access import Grant, granted
from tidegate.rules.actor import Actor
from tidegate.store import models

pytestmark = pytest.mark.usefixtures("database")


def mapper_of(*grants: Grant) -> Actor:
    return Actor("person", "carol", granted(grants), through="API")


def states() -> dict[str, tuple[str, str | None]]:
    rows = models.Record.objects.filter(deleted_at=None).order_by("name")
    return {row.name: (row.decision, world.product_of(row.pk)) for row in rows}


def shares(done: Any) -> dict[str, int]:
    return {share.fate: share.number for share in done.shares}


@pytest.fixture
def house(database: object) -> list[int]:
    """Six Records of one Connection: two new, one ignored, one mapped to *Shop*, one whose findings a change has, one
    whose Product was deleted."""
    burp = world.connection("Burp")
    made = [world.record(burp, name) for name in ("a new", "b new", "c ignored", "d mapped", "e busy", "f stale")]
    singly.ignore_records(ALICE, [made[2]], "old")
    singly.map_records(ALICE, [made[3], made[4]], new_product="Shop")
    singly.map_records(ALICE, [made[5]], new_product="Gone")
    models.Product.objects.get(name="Gone").delete()
    change = world.operation(burp, "change", "running", scope={"change": "close"})
    models.Record.objects.filter(pk=made[4]).update(changing_operation=change)
    return made


# What is refused


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"deed": "explode"}, "nothing that can be done"),
        ({"deed": "sync"}, "nothing that can be done"),
        ({"deed": "map"}, "not clear which Product"),
        ({"deed": "map", "product_id": 1, "new_product": "x"}, "not clear which Product"),
        ({"deed": "ignore", "product_id": 1}, "Leave the Product out"),
        ({"deed": "map", "new_product": " \t "}, "is empty"),
        ({"deed": "map", "new_product": "Shop"}, "There is a Product «Shop» already"),
        ({"deed": "ignore", "because": "a\x00b"}, "cannot be shown"),
        ({"deed": "map each", "already_imported": "burn"}, "is no choice"),
        ({"deed": "ignore", "record_ids": [1]}, "not clear which Records"),
        ({"deed": "ignore", "matching": None}, "not clear which Records"),
        ({"deed": "ignore", "matching": {"search": "nowhere"}, "expected": "0"}, "No Record is so"),
        ({"deed": "ignore", "expected": ""}, "not said how many"),
        ({"deed": "ignore", "expected": "5"}, "there are 6 now"),
    ],
)
def test_what_is_not_clear_or_not_as_expected_changes_nothing(house: list[int], said: dict[str, Any], why: str):
    before = everything_stored()

    with pytest.raises(Refused, match=why):
        decide_records(ALICE, **{"matching": {}, "expected": "6"} | said)

    assert everything_stored() == before


def test_numbers_that_nobody_has_change_nothing(house: list[int]):
    for ids in ([house[0], 987], [2**70]):
        with pytest.raises(NotThere):
            decide_records(ALICE, "ignore", ids)
        with pytest.raises(NotThere):
            preview_records(ALICE, "ignore", ids)

    assert states()["a new"] == ("undecided", None)


def test_a_product_that_is_not_there_is_not_made_up(house: list[int]):
    with pytest.raises(NotThere, match="no Product 987"):
        preview_records(ALICE, "map", matching={}, product_id=987)


def test_a_preview_that_no_longer_fits_is_refused(house: list[int]):
    """Between the preview and the deed somebody decides about one of them: the number is the same, the token is not."""
    seen = preview_records(ALICE, "ignore", matching={"state": "new"})
    singly.ignore_records(BOB, [house[0]])
    singly.restore_records(BOB, [house[0]])

    with pytest.raises(Refused, match="one was decided since"):
        decide_records(ALICE, "ignore", matching={"state": "new"}, expected=seen.expected)

    assert states()["b new"] == ("undecided", None)
    assert decide_records(ALICE, "ignore", matching={"state": "new"}, expected="2").changed == 2


def test_who_was_faster_while_the_locks_were_waited_for_is_not_overruled(
    house: list[int], monkeypatch: pytest.MonkeyPatch
):
    """The locks are there: what was found is looked at again."""
    held = bulk.writer.hold_records

    def slowly(ids: list[int]) -> None:
        held(ids)
        models.Record.objects.filter(pk=house[0]).update(epoch=99)

    monkeypatch.setattr(bulk.writer, "hold_records", slowly)

    with pytest.raises(Refused, match="at this moment"):
        decide_records(ALICE, "ignore", matching={}, expected="6")


def test_more_than_can_be_are_refused(house: list[int], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bulk, "MOST", 5)

    with pytest.raises(Refused, match="more than 5 Records"):
        preview_records(ALICE, "ignore", matching={})


# Who may


def test_a_filter_leaves_out_what_is_not_seen_and_tells_what_may_not_be(house: list[int]):
    """promises.md, Users: what lies elsewhere is not there; what is seen and may not be decided is told."""
    other = world.record(world.connection("Other"), "elsewhere")
    shop = models.Product.objects.get(name="Shop").pk
    carol = mapper_of(Grant("reader", "connection", models.Connection.objects.get(label="Burp").pk))
    mixed = mapper_of(*carol.access.sets[0], Grant("mapper", "product", shop))

    with pytest.raises(Forbidden):
        decide_records(carol, "ignore", matching={}, expected="6")
    done = decide_records(mixed, "ignore", matching={}, expected="6")

    assert shares(done) == {"ignore": 1, "changing": 1, "forbidden": 4}
    assert states()["d mapped"] == ("ignored", None)
    assert {one.name: one.sentence for one in done.refusals}["a new"].startswith("You see it and may not")
    assert (done.changed, done.refused, world.read(other).decision) == (1, 5, "undecided")


def test_numbers_that_may_not_all_be_decided_are_forbidden_as_ever(house: list[int]):
    shop = models.Product.objects.get(name="Shop").pk
    burp = models.Connection.objects.get(label="Burp").pk
    mixed = mapper_of(Grant("reader", "connection", burp), Grant("mapper", "product", shop))

    with pytest.raises(Forbidden):
        decide_records(mixed, "ignore", house)
    assert shares(preview_records(mixed, "ignore", house))["forbidden"] == 4


def test_a_product_that_one_may_not_map_to_is_not_joined_nor_returned_to(house: list[int]):
    world.product("b new", "Secret")
    burp = models.Connection.objects.get(label="Burp").pk
    carol = mapper_of(Grant("mapper", "connection", burp))
    singly.ignore_records(ALICE, [house[3]])

    each = preview_records(mapper_of(*carol.access.sets[0], Grant("mapper", "product", 1)), "restore to earlier", house)
    with pytest.raises(Forbidden, match="make Products there"):
        preview_records(carol, "map each", [house[0]])
    taken = preview_records(carol, "map each", [house[1]])
    earlier = preview_records(carol, "restore to earlier", [house[3]])

    assert shares(taken) == {"taken": 1}
    assert shares(earlier) == {"earlier forbidden": 1}
    assert shares(each)["never mapped"] == 3


# What a preview says is what is done


DEEDS: list[dict[str, Any]] = [
    {"deed": "map", "new_product": "Brand new"},
    {"deed": "map", "product_id": 1},
    {"deed": "map each"},
    {"deed": "map each", "join": False},
    {"deed": "ignore"},
    {"deed": "ignore", "because": "another"},
    {"deed": "restore"},
    {"deed": "restore to earlier"},
    {"deed": "delete"},
]


@pytest.mark.parametrize("said", DEEDS, ids=lambda said: " ".join(map(str, said.values())))
def test_a_preview_writes_nothing_and_says_what_is_done(house: list[int], said: dict[str, Any]):
    """screens.md: a preview says what will happen to how many."""
    before = everything_stored()
    seen = preview_records(ALICE, matching={}, **said)
    assert everything_stored() == before

    done = decide_records(ALICE, matching={}, expected=seen.expected, **said)

    assert done.shares == seen.shares
    assert (seen.number, seen.changes, seen.refused) == (done.number, done.changed, done.refused)
    assert seen.new_products == done.new_products == models.Product.objects.count() - 1
    assert sum(share.number for share in done.shares) == 6


@pytest.mark.parametrize("said", DEEDS, ids=lambda said: " ".join(map(str, said.values())))
def test_it_is_one_step_that_is_undone(house: list[int], said: dict[str, Any]):
    """records.md: every decision, single or in bulk, can be undone as one step."""
    before = states()

    done = decide_records(ALICE, matching={}, expected="6", **said)
    if done.step is None:
        assert states() == before
    else:
        assert states() != before
        undone = singly.undo(ALICE, step=done.step)
        assert all(item.ok for item in undone.items)
        assert states() == before
    assert models.Product.objects.count() == 1


def test_many_flow_into_one_product(house: list[int]):
    done = decide_records(ALICE, "map", matching={}, expected="6", product_id=1)

    assert shares(done) == {"map": 4, "flows": 1, "changing": 1}
    assert {product for name, (_, product) in states().items()} == {"Shop"}
    assert done.shares[0].examples == ["a new", "b new", "c ignored", "f stale"]
    assert "is changing its findings" in done.refusals[0].sentence
    assert models.Operation.objects.filter(type="sync", status="pending").get().scope["records"] == sorted(
        {house[0], house[1], house[2], house[3], house[4], house[5]}
    )


def test_each_gets_the_product_of_its_own_name(house: list[int]):
    world.product("b new")
    twin = world.record(models.Connection.objects.get(label="Burp"), "a new", vendor_id="another")

    joined = preview_records(ALICE, "map each", matching={"state": "new"})
    apart = preview_records(ALICE, "map each", matching={"state": "new"}, join=False)
    done = decide_records(ALICE, "map each", matching={"state": "new"}, expected=joined.expected, product_type="Web")

    assert shares(joined) == {"make": 2, "join": 1}
    assert shares(apart) == {"make": 1, "taken": 2}
    assert (joined.new_products, apart.new_products, done.changed) == (1, 1, 3)
    assert world.product_of(house[0]) == world.product_of(twin) == "a new"
    assert models.Product.objects.get(name="a new").product_type.name == "Web"
    assert shares(preview_records(ALICE, "map each", [house[0]])) == {"flows": 1}


def test_it_says_how_many_that_would_change_a_configuration_file_manages(house: list[int]):
    """A file says where a Record flows: what is decided by hand its next apply sets back. A Sync decides nothing."""
    new, mapped, busy = house[0], house[3], house[4]
    models.Managed.objects.bulk_create(
        models.Managed(kind=kind, thing_id=id, source="acme.yaml", by="alice")
        for kind, id in [("mapping", new), ("mapping", mapped), ("mapping", busy), ("product", house[1])]
    )

    said = [({"deed": "map", "product_id": 1}, 1), ({"deed": "delete"}, 2), ({"deed": "sync"}, 0)]

    assert [preview_records(ALICE, matching={}, **given).managed for given, _ in said] == [many for _, many in said]


def test_findings_imported_before_are_counted_and_go_where_was_chosen(house: list[int]):
    """records.md: on a remap the findings imported so far are left, moved along, or closed."""
    world.synced(house[3], "k1", "k2")
    seen = preview_records(ALICE, "map each", [house[3]])

    done = decide_records(ALICE, "map each", [house[3]], already_imported="move")

    assert (seen.imported, done.changed) == (2, 1)
    places = models.Finding.objects.values_list("feed__test__engagement__product__name", flat=True)
    assert set(places) == {"d mapped"}


def test_a_reason_is_kept_and_an_ignored_one_is_left_alone(house: list[int]):
    done = decide_records(ALICE, "ignore", matching={"state": "ignored"}, expected="1")
    assert (shares(done), done.step) == ({"ignored": 1}, None)

    decide_records(ALICE, "ignore", matching={"state": "ignored"}, expected="1", because=" of no use ")
    assert world.read(house[2]).ignored_because == "of no use"


def test_a_sync_is_asked_for_once_a_connection_and_of_what_is_good(house: list[int]):
    paused = world.connection("Paused", paused_at=world.now())
    asleep = world.record(paused, "asleep")
    singly.map_records(ALICE, [asleep], product_id=1)
    with pytest.raises(Forbidden):
        sync_records(mapper_of(Grant("mapper")), matching={}, expected="7")

    seen = preview_records(ALICE, "sync", matching={})
    done = sync_records(ALICE, matching={}, expected=seen.expected)

    assert shares(seen) == shares(done) == {"sync": 1, "changing": 1, "not good": 4, "paused": 1}
    (operation,) = done.operations
    asked = models.Operation.objects.get(pk=operation)
    assert house[3] in asked.scope["records"]
    whys = {one.name: one.sentence for one in done.refusals}
    assert whys["a new"] == "It is not mapped to a Product yet: map it first."
    assert "was deleted" in whys["f stale"]


def test_what_is_told_is_bounded_however_many_they_are(database: object):
    """Thousands are one step of few statements, and their answer is short."""
    burp = world.connection()
    models.Record.objects.bulk_create(
        models.Record(connection=burp, vendor_id=str(n), name=f"site {n}") for n in range(3_000)
    )
    models.Record.objects.filter(vendor_id__endswith="7").update(
        changing_operation=world.operation(burp, "change", "running")
    )

    done = decide_records(ALICE, "map each", matching={"connection_id": burp.pk}, expected="3000")

    assert (done.changed, done.refused, done.new_products) == (2_700, 300, 2_700)
    assert (len(done.refusals), max(len(share.examples) for share in done.shares)) == (100, 5)
    assert models.Product.objects.count() == 2_700
    assert len(models.RecordHistory.objects.filter(step=done.step)) == 2_700


def test_it_takes_few_statements_whatever_their_number(house: list[int], django_assert_max_num_queries: Any):
    models.Record.objects.bulk_create(
        models.Record(connection_id=1, vendor_id=str(n), name=f"site {n}") for n in range(200)
    )
    with django_assert_max_num_queries(45):
        decide_records(ALICE, "map", matching={"search": "site"}, expected="200", new_product="Sites")
    with django_assert_max_num_queries(15):
        preview_records(ALICE, "map each", matching={})
