"""promises.md 6, for what a person asked that takes many steps: a change killed in the middle is taken up again, and
comes to what an undisturbed one leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db.models import Count

from tests.faults.conftest import Houses
from tests.faults.house import House
from tests.faults.stored import Stored, stored
from tests.ingest.scene import ALICE
from tidegate.actions import rule as rules
from tidegate.actions.record import Imported, map_records
from tidegate.store.models import Operation, Part, Product, Record, RecordHistory
from tidegate.store.writers import remap

IN_STEPS = {"tidegate.store.writers.remap:BATCH": 3}
MOVE = ["after range #2", "after exchange", "before end"]
CLOSE = ["after closing all"]


@pytest.fixture(scope="module")
def unharmed(houses: Houses) -> dict[Imported, Stored]:
    """What is stored after a move, and after a close, that nobody disturbed."""
    found: dict[Imported, Stored] = {}
    for choice in ("move", "close"):
        with houses() as house, in_steps():
            number = remapped(house, choice)
            house.worker(hold=IN_STEPS)
            assert house.ends(number).status == "success", house.told()
            found[choice] = told()
    return found


@pytest.mark.parametrize(
    ("choice", "place"), [("move", place) for place in MOVE] + [("close", place) for place in CLOSE]
)
def test_a_worker_killed_in_a_change(
    house: House, unharmed: dict[Imported, Stored], choice: Imported, place: str
) -> None:
    """promises.md 6. What is left is found by what is still where it was."""
    with in_steps():
        number = remapped(house, choice)
    worker = house.worker(stop=[place], lease=1, hold=IN_STEPS)

    house.stopped()
    worker.kill()
    house.worker(hold=IN_STEPS)
    house.scheduler()

    ended = house.ends(number)
    assert (ended.status, ended.deaths) == ("success", 1)
    assert ended.counts == {"move": {"moved": 6, "merged": 24}, "close": {"closed": 30}}[choice]
    assert told() == unharmed[choice]


def remapped(house: House, choice: Imported) -> int:
    """The Record with thirty findings goes to a Product where some of the same were left; gives the change of it."""
    big = house.acme.record("big").pk
    home = Product.objects.get(name="Product big").pk
    map_records(ALICE, [big], new_product="Left behind")
    house.do(
        "INSERT INTO finding (feed_id, created_operation, key_hash, fingerprint, mapping_version, severity_vendor,"
        " severity, active, family, branch, key, title, fields)"
        " SELECT record.feed_id, created_operation, key_hash, fingerprint, mapping_version, severity_vendor, severity,"
        " finding.active, family, branch, key, title, fields FROM record JOIN feed ON feed.record_id = record.id"
        " JOIN finding ON finding.feed_id = feed.id WHERE record.id = %s AND feed.id <> record.feed_id"
        " ORDER BY finding.id LIMIT 24",
        big,
    )
    map_records(ALICE, [big], product_id=home)
    to = Product.objects.get(name="Left behind").pk
    (number,) = map_records(ALICE, [big], product_id=to, already_imported=choice).operations
    Operation.objects.filter(type="sync", status="pending").delete()
    Operation.objects.filter(pk=number).update(scope=Operation.objects.get(pk=number).scope | {"sync_after": None})
    return number


@pytest.fixture(scope="module")
def decided_unharmed(houses: Houses) -> list[object]:
    """What rules decide anew that nobody disturbs."""
    with houses() as house, few_at_once():
        number = ruled(house)
        house.worker(hold=IN_BATCHES)
        assert house.ends(number).status == "success", house.told()
        return decisions()


@pytest.mark.parametrize("place", ["before deciding #2", "after deciding #2", "before end"])
def test_a_worker_killed_while_rules_decide_anew(house: House, decided_unharmed: list[object], place: str) -> None:
    """promises.md 6. What the rules decided already is as they want it, so it is not decided twice."""
    with few_at_once():
        number = ruled(house)
    worker = house.worker(stop=[place], lease=1, hold=IN_BATCHES)

    house.stopped()
    worker.kill()
    house.worker(hold=IN_BATCHES)
    house.scheduler()

    ended = house.ends(number)
    assert (ended.status, ended.deaths) == ("success", 1), house.told()
    assert ended.counts == {"mapped_by_rules": NEW, "products_made": NEW}
    assert decisions() == decided_unharmed


IN_BATCHES = {"tidegate.ingest.decide:BATCH": 3}
NEW = 8


def ruled(house: House) -> int:
    """Eight Records that nobody decided, and a rule that makes each a Product; gives the change of it."""
    connection = house.acme.connection_id
    for n in range(NEW):
        Record.objects.create(connection_id=connection, vendor_id=f"new {n}", name=f"new {n}")
    made = rules.new_rule("new *", template="Of {name}")
    number = rules.add_rule(ALICE, connection, made, again=True).operation
    assert number is not None
    Operation.objects.filter(pk=number).update(scope=Operation.objects.get(pk=number).scope | {"flows_after": None})
    return number


def decisions() -> list[object]:
    """Where each Record flows, and how often that was decided."""
    product = "feed__test__engagement__product__name"
    told = Record.objects.order_by("vendor_id").values_list("vendor_id", product, "finalized_by", "finalized_how")
    history = RecordHistory.objects.values("record__vendor_id").annotate(n=Count("pk")).order_by("record__vendor_id")
    return [*told, *history.values_list("record__vendor_id", "n")]


@contextmanager
def few_at_once() -> Iterator[None]:
    """Here a few Records are many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "AT_ONCE", 2)
        yield


def told() -> Stored:
    """What is stored; each step has a number of its own."""
    assert not Operation.objects.filter(type="sync", status="pending").exists()
    proofs = Part.objects.order_by("feed_id", "family").values_list("feed_id", "family", "proven_operation_id", "mark")
    found = stored()
    journal = [(*line, re.sub(r'"step": "[^"]+"', "", before)) for *line, before in found["journal"]]
    return {**found, "journal": journal, "whose proofs": list(proofs)}


@contextmanager
def in_steps() -> Iterator[None]:
    """Here too a few are many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remap, "AT_ONCE", 2)
        yield
