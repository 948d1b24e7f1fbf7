"""Discover: one Record for each VEP; what is gone is Missing only when everything else was seen."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.acme import as_json, rows
from tests.ingest.scene import ALICE, Scene


def names(scene: Scene) -> dict[str, str]:
    from tidegate.store.models import Record

    return dict(Record.objects.filter(deleted_at__isnull=True).values_list("vendor_id", "name"))


def absent(scene: Scene) -> set[str]:
    from tidegate.store.models import Record

    return set(Record.objects.filter(absent_since__isnull=False).values_list("vendor_id", flat=True))


def held_absences() -> int:
    from tidegate.store.models import HeldAbsence

    return HeldAbsence.objects.count()


def products(scene: Scene, number: int) -> None:
    for n in range(number):
        scene.world.add(f"p{n}")


def test_discover_finds_new_records(scene: Scene) -> None:
    """records.md: Discover finds a new VEP, auto-map off → New Record."""
    scene.world.add("shop", "Storefront", parent="Web")

    operation = scene.discover()

    record = scene.record("shop")
    assert (record.name, record.parent, record.decision, record.feed_id) == ("Storefront", "Web", "undecided", None)
    assert record.first_seen_operation_id == operation.pk
    assert (operation.status, operation.complete) == ("success", True)
    assert operation.counts == {"seen": 1, "new": 1}


def test_a_rename_follows_and_keeps_mapping_and_findings(scene: Scene) -> None:
    """records.md: name and attributes follow; mapping, Product and findings stay."""
    from tidegate.store.models import RecordHistory

    scene.mapped(shop=rows("a"))
    scene.sync()
    scene.world.products["shop"].name = "Shop 2"
    scene.world.products["shop"].parent = "Moved"

    operation = scene.discover()

    record = scene.record("shop")
    assert (record.name, record.parent, record.decision) == ("Shop 2", "Moved", "mapped")
    assert record.feed.test.engagement.product.name == "Product shop"
    assert scene.open() == {"a"}
    assert operation.counts["renamed"] == 1
    history = RecordHistory.objects.filter(record=record).latest("pk")
    assert history.operation_id == operation.pk
    assert (history.before["name"], history.after["name"]) == ("Product shop", "Shop 2")


def test_discovering_what_is_known_writes_no_record(scene: Scene) -> None:
    """promises.md: 0 rows written when nothing changed but a timestamp per Operation."""
    from django.db import connection

    products(scene, 5)
    scene.discover()

    def look() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, xmin::text FROM record ORDER BY id")
            return cursor.fetchall()

    before = look()
    scene.discover()

    assert look() == before


def test_a_gone_vep_makes_its_record_missing_and_leaves_its_findings(scene: Scene) -> None:
    """records.md: Discover is complete and a VEP is gone: mapped → Missing; its findings stay as they are."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    scene.sync()
    del scene.world.products["shop"]

    operation = scene.discover()

    assert absent(scene) == {"shop"}
    assert scene.record("shop").absent_operation_id == operation.pk
    assert scene.open() == {"a", "b"}


def test_a_missing_vep_that_is_back_is_good_again_with_its_mapping(scene: Scene) -> None:
    """records.md: a Missing VEP is back: Good again, same mapping."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    gone = scene.world.products.pop("shop")
    scene.discover()
    scene.world.products["shop"] = gone

    operation = scene.discover()

    assert absent(scene) == set()
    assert scene.record("shop").decision == "mapped"
    assert operation.counts["back"] == 1


def test_a_missing_record_is_not_synced_and_a_request_is_refused_with_its_why(scene: Scene) -> None:
    """records.md: a Missing or Stale Record is asked to sync: refused, with its why."""
    from tidegate.actions.errors import Refused

    scene.mapped(shop=rows("a"), api=rows("b"))
    del scene.world.products["shop"]
    scene.discover()

    with pytest.raises(Refused, match="Missing"):
        scene.sync("shop")
    assert scene.sync().counts["records"] == 1


@pytest.mark.parametrize("answer", [httpx2.Response(500), httpx2.Response(403), as_json({"items": [], "total": 3})])
def test_a_discover_that_cannot_prove_that_it_saw_everything_makes_nothing_missing(
    scene: Scene, answer: httpx2.Response
) -> None:
    """records.md: Discover failed, was cut short, or cannot prove that it saw everything: nothing becomes Missing."""
    products(scene, 3)
    scene.discover()
    scene.world.interfere = lambda request: answer if request.url.path == "/products" else None

    operation = scene.discover()

    assert operation.status in ("failed", "partial")
    assert not operation.complete
    assert absent(scene) == set()


def test_an_incomplete_discover_may_still_add(scene: Scene) -> None:
    """records.md: new VEPs may be added."""
    products(scene, 2)
    scene.discover()
    listed = {"items": [{"id": "new", "name": "New", "parent": ""}], "total": 9}
    scene.world.interfere = lambda request: as_json(listed) if request.url.path == "/products" else None

    scene.discover()

    assert set(names(scene)) == {"p0", "p1", "new"}
    assert absent(scene) == set()


@pytest.mark.parametrize(
    ("number", "left", "held"), [(3, 0, True), (3, 1, False), (11, 5, True), (11, 6, False), (10, 1, False)]
)
def test_everything_or_more_than_half_of_more_than_ten_gone_at_once_is_held(
    scene: Scene, number: int, left: int, held: bool
) -> None:
    """records.md: everything, or more than half of more than ten VEPs, is gone at once: held,
    nothing becomes Missing."""
    products(scene, number)
    scene.discover()
    scene.world.products = dict(list(scene.world.products.items())[:left])

    operation = scene.discover()

    assert (held_absences() == number - left) is held
    assert len(absent(scene)) == (0 if held else number - left)
    assert operation.status == ("partial" if held else "success")
    if held:
        assert f"{left} of {number}" in operation.why


def test_approved_absences_become_missing(scene: Scene) -> None:
    """records.md: nothing becomes Missing until a person approves."""
    from tidegate.actions.operation import approve

    products(scene, 3)
    scene.discover()
    scene.world.products.clear()
    operation = scene.discover()

    assert approve(ALICE, operation.pk) == 3

    assert absent(scene) == {"p0", "p1", "p2"}
    assert held_absences() == 0


def test_held_absences_end_when_the_veps_are_back(scene: Scene) -> None:
    """records.md: held; nothing becomes Missing until a person approves, and what is back is held no longer."""
    products(scene, 3)
    scene.discover()
    there = dict(scene.world.products)
    scene.world.products.clear()
    scene.discover()
    scene.world.products = there

    operation = scene.discover()

    assert (operation.status, held_absences(), absent(scene)) == ("success", 0, set())


def test_a_drifting_list_of_veps_is_read_twice_before_one_is_missing(scene: Scene) -> None:
    """promises.md: a finding missing from a drifting source (a VEP likewise) is absent only if a
    second pass misses it."""
    scene.world.paged = "drifting"
    products(scene, 25)
    scene.discover()
    hidden = scene.world.products.pop("p3")
    del scene.world.products["p4"]
    passes: list[int] = []

    def come_back(request: httpx2.Request) -> None:
        if request.url.path == "/products" and request.url.params.get("page") == "1":
            passes.append(1)
            if len(passes) == 2:
                scene.world.products["p3"] = hidden

    scene.world.interfere = come_back
    scene.discover()

    assert len(passes) == 2
    assert absent(scene) == {"p4"}


def test_a_reading_that_began_anew_is_still_only_the_first(scene: Scene) -> None:
    """promises.md, Closing under drifting pages: a total that moves begins the pass again, once; a VEP that is missing
    then is absent only if a second complete pass misses it too."""
    scene.world.paged = "drifting"
    products(scene, 25)
    scene.discover()
    there = dict(scene.world.products)
    hidden = there.pop("p20")
    passes: list[str] = []

    def drift(request: httpx2.Request) -> None:
        if request.url.path != "/products":
            return
        passes.append(request.url.params["page"])
        if passes == ["1", "2"]:
            scene.world.add("new")
        elif passes == ["1", "2", "1"]:
            scene.world.products = dict(there)
        elif passes[3:].count("1") == 1:
            scene.world.products["p20"] = hidden

    scene.world.interfere = drift
    operation = scene.discover()

    assert passes.count("1") == 3
    assert (operation.status, absent(scene)) == ("success", set())


def test_auto_map_makes_a_product_for_each_new_vep(scene: Scene) -> None:
    """records.md: auto-map on: a Product is made for it, Record mapped, Good, finalized by auto-map."""
    scene.configure(auto_map=True)
    scene.world.add("shop", "Storefront", rows("a"))

    scene.discover()

    record = scene.record("shop")
    assert (record.decision, record.finalized_how) == ("mapped", "auto-map")
    assert record.feed.test.engagement.product.name == "Storefront"
    scene.sync()
    assert scene.open() == {"a"}


def test_a_deleted_record_is_discovered_again_as_new_and_recognises_its_findings(scene: Scene) -> None:
    """records.md: if the VEP still exists, Discover brings it back as New with its history; mapped to the same Product
    again, Sync recognises its earlier findings."""
    from tidegate.actions.record import delete_records
    from tidegate.store.models import Finding

    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    delete_records(ALICE, [scene.record("shop").pk])
    assert names(scene) == {}

    operation = scene.discover()

    assert scene.record("shop").decision == "undecided"
    assert operation.counts["revived"] == 1
    scene.map("shop", "Product shop")
    assert scene.sync().counts["unchanged"] == 2
    assert Finding.objects.count() == 2


def test_two_veps_with_one_name_are_two_records(scene: Scene) -> None:
    """promises.md, Meaning: two with one name. records.md: identity is never the name while an id exists."""
    scene.world.add("a", "Same")
    scene.world.add("b", "Same")

    scene.discover()

    assert names(scene) == {"a": "Same", "b": "Same"}


def test_vendor_ids_are_compared_as_bytes(scene: Scene) -> None:
    """records.md: identity: connection + vendor id, compared as bytes; never the name while an id exists."""
    for key in ("A", "a", "\u00e9", "e\u0301", "a "):
        scene.world.add(key, "Same")

    operation = scene.discover()

    assert operation.counts["new"] == 5


def test_another_account_stops_the_operation(scene: Scene) -> None:
    """records.md: another account asks whether the Records continue."""
    scene.mapped(shop=rows("a"))
    scene.world.account = "acme-2"

    operation = scene.discover()

    assert operation.status == "failed"
    assert "acme-2" in operation.why
    assert "tidegate connection edit Acme --records-continue" in operation.why
    assert absent(scene) == set()


def test_a_login_rejected_three_times_running_pauses_the_connection(scene: Scene) -> None:
    """records.md: one whose login is rejected three times running pauses itself and says so."""
    from tidegate.actions.errors import Refused

    scene.world.interfere = lambda request: httpx2.Response(401)
    for _ in range(3):
        assert scene.discover().status == "failed"

    assert scene.connection.paused_because.startswith("The login was rejected three times running")
    with pytest.raises(Refused, match="paused"):
        scene.discover()


def test_a_discover_that_sees_nothing_says_what_may_be_missing(scene: Scene) -> None:
    """records.md: a success in which nothing at all was visible says so, with what the token probably lacks."""
    operation = scene.discover()

    assert operation.status == "success"
    assert "Nothing at all was visible" in operation.why
