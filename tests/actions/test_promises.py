"""What records.md promises of what people do where no neighbour holds it yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests import world
from tests.world import ALICE, BOB
from tidegate.actions import record as records
from tidegate.actions.engagement import delete_engagement
from tidegate.actions.errors import Refused
from tidegate.actions.test import delete_test
from tidegate.reads import record as reads
from tidegate.store.models import Engagement, Finding, Product, ProductType
from tidegate.store.models import Test as OurTest

pytestmark = pytest.mark.usefixtures("database")


def mapped(name: str = "Shop") -> int:
    shop = world.record(world.connection())
    records.map_records(ALICE, [shop], new_product=name)
    world.synced(shop, "k1")
    return shop


DELETIONS: dict[str, tuple[Any, Callable[[int, str], list[int]]]] = {
    "Engagement": (Engagement, lambda id, name: delete_engagement(BOB, id, name)),
    "Test": (OurTest, lambda id, name: delete_test(BOB, id, name)),
}


@pytest.mark.parametrize("what", DELETIONS)
def test_deleting_an_engagement_or_a_test_asks_for_its_name_and_is_not_undone(what: str):
    """records.md: deleting a Product, Engagement, Test or Connection cannot be undone and asks for the name."""
    shop = mapped()
    model, delete = DELETIONS[what]
    target = model.objects.get()

    with pytest.raises(Refused, match=f"The {what} is called «{target.name}»"):
        delete(target.pk, target.name.upper())
    assert Finding.objects.exists()
    assert delete(target.pk, target.name) == [shop]
    records.undo(ALICE, record_id=shop)

    assert not model.objects.exists()
    assert not Finding.objects.exists()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("  ", "is empty"), ("x" * 256, "256 characters; 255 are allowed"), ("a\0b", "cannot be shown")],
)
def test_a_product_type_whose_name_cannot_be_used_is_refused_and_nothing_is_done(name: str, sentence: str):
    """records.md: names of Products and Product Types are trimmed, NFC, 1-255 characters, unique exactly."""
    shop = world.record(world.connection())

    with pytest.raises(Refused) as refused:
        records.map_records(ALICE, [shop], new_product="Shop", product_type=name)

    assert "name of the Product Type" in refused.value.sentence
    assert sentence in refused.value.sentence
    assert world.read(shop).decision == "undecided"
    assert not Product.objects.exists()


def test_a_product_type_is_found_again_by_its_name_as_it_is_stored_and_by_no_other():
    """records.md: names of Product Types are trimmed, NFC, unique exactly."""
    burp = world.connection()
    for number, name in enumerate(["Cafe\u0301", "  Café ", "CAFÉ"]):
        shop = world.record(burp, f"shop {number}")
        records.map_records(ALICE, [shop], new_product=f"Shop {number}", product_type=name)

    assert set(ProductType.objects.values_list("name", flat=True)) == {"Café", "CAFÉ"}


def test_undecided_mapped_and_ignored_are_all_there_is_to_decide_and_each_says_who_and_when():
    """records.md: decision: undecided, mapped to a Product, or ignored (with an optional reason); when it was finalized
    and by whom; the previous mapping, remembered when a mapping is taken away."""
    shop = mapped()
    records.ignore_records(BOB, [shop], "a copy of prod")
    ignored = reads.record(shop)
    records.restore_records(BOB, [shop])
    restored = reads.record(shop)

    assert ignored is not None
    assert restored is not None
    assert (ignored.record.state, ignored.finalized_by, ignored.finalized_how) == ("Ignored", "bob", "person")
    assert ignored.record.why.startswith("Ignored by bob on ")
    assert ignored.record.why.endswith(": a copy of prod.")
    assert (restored.record.state, restored.finalized_at, restored.finalized_by) == ("New", None, "")
    assert [detail.record.earlier_product for detail in (ignored, restored)] == ["Shop", "Shop"]
