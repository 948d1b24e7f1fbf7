"""Product Types, Products, Engagements and Tests, as people look after them."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from tests import world
from tests.world import ALICE
from tidegate.actions import engagement, product, product_type
from tidegate.actions import record as records
from tidegate.actions import test as ours
from tidegate.actions.errors import Forbidden, NotThere, Refused
from tidegate.reads import product as reads
from tidegate.rules.access import Grant, granted
from tidegate.rules.actor import Actor
from tidegate.store import models

pytestmark = pytest.mark.usefixtures("database")

HUGE = 2**80


def administrator_of(*places: tuple[Any, int]) -> Actor:
    return Actor("person", "carol", granted(Grant("administrator", scope, id) for scope, id in places))


def product_type_of(product_id: int) -> str:
    return models.Product.objects.select_related("product_type").get(pk=product_id).product_type.name


@pytest.mark.parametrize(
    ("name", "sentence"),
    [(" \u200b", "is empty"), ("x" * 256, "256 characters"), ("a\0b", "cannot be shown"), ("Shop", "«Shop» already")],
)
def test_a_product_or_product_type_whose_name_cannot_be_used_or_is_taken_is_refused(name: str, sentence: str):
    """records.md: names of Products and Product Types are trimmed, NFC, 1-255 characters, unique exactly."""
    web = product_type.add_product_type(ALICE, "Shop")
    shop = product.add_product(ALICE, "Shop", product_type_id=web)
    other, kind = product.add_product(ALICE, "Bank"), product_type.add_product_type(ALICE, "Desktop")

    for doing in (
        lambda: product.add_product(ALICE, name),
        lambda: product.edit_product(ALICE, other, name=name),
        lambda: product_type.add_product_type(ALICE, name),
        lambda: product_type.rename_product_type(ALICE, kind, name),
    ):
        with pytest.raises(Refused, match=sentence):
            doing()

    assert dict(models.Product.objects.values_list("pk", "name")) == {shop: "Shop", other: "Bank"}
    assert set(models.ProductType.objects.values_list("name", flat=True)) == {"Shop", "Desktop", "Imported"}


@pytest.mark.parametrize("unknown", [999, -1, HUGE])
def test_what_is_not_there_is_said_and_nothing_is_made(unknown: int):
    shop = product.add_product(ALICE, "Shop")

    for doing in (
        lambda: product.add_product(ALICE, "Bank", product_type_id=unknown),
        lambda: product.edit_product(ALICE, unknown, name="Bank"),
        lambda: product.edit_product(ALICE, shop, product_type_id=unknown),
        lambda: product_type.rename_product_type(ALICE, unknown, "Bank"),
        lambda: product_type.delete_product_type(ALICE, unknown, "Bank"),
        lambda: engagement.rename_engagement(ALICE, unknown, "Bank"),
        lambda: engagement.delete_engagement(ALICE, unknown, "Bank"),
        lambda: ours.rename_test(ALICE, unknown, "Bank"),
        lambda: ours.delete_test(ALICE, unknown, "Bank"),
    ):
        with pytest.raises(NotThere):
            doing()

    assert [one.name for one in models.Product.objects.all()] == ["Shop"]


def test_a_product_is_added_renamed_moved_and_tagged_and_its_names_are_trimmed_and_nfc():
    web = product_type.add_product_type(ALICE, "Web")
    number = product.add_product(ALICE, "  Cafe\u0301 ", tags=["b", " a ", "b"])
    product.edit_product(ALICE, number, product_type_id=web)
    product.edit_product(ALICE, number, name="Cafe\u0301 2")

    stored = models.Product.objects.get()
    assert (stored.name, stored.tags, stored.origin) == (
        unicodedata.normalize("NFC", "Cafe\u0301 2"),
        ["a", "b"],
        "alice",
    )
    assert product_type_of(number) == "Web"
    product.edit_product(ALICE, number, tags=[])
    assert models.Product.objects.get().tags == []


def test_near_twins_are_warned_of_and_unique_means_exactly():
    """records.md: unique exactly; suggestions ignore case and warn of near twins."""
    product.add_product(ALICE, "Web shop")
    number = product.add_product(ALICE, "WEB SHOP")

    detail = reads.product(number)

    assert detail is not None
    assert detail.near_twins == ["Web shop"]


def test_too_many_tags_or_nothing_said_is_refused():
    number = product.add_product(ALICE, "Shop")

    with pytest.raises(Refused, match="tags cannot be kept"):
        product.edit_product(ALICE, number, tags=[str(n) for n in range(21)])
    with pytest.raises(Refused, match="tags cannot be kept"):
        product.add_product(ALICE, "Bank", tags=["x" * 101])
    with pytest.raises(Refused, match="Nothing was said"):
        product.edit_product(ALICE, number)


def test_a_renamed_product_keeps_its_records_and_what_flows_into_it():
    shop = world.record(world.connection())
    records.map_records(ALICE, [shop], new_product="Shop")
    product.edit_product(ALICE, models.Product.objects.get().pk, name="Store")

    assert world.product_of(shop) == "Store"
    assert world.read(shop).epoch == 1


def test_the_administrator_of_a_product_type_adds_products_in_it_and_nowhere_else():
    web, desktop = (product_type.add_product_type(ALICE, name) for name in ("Web", "Desktop"))
    carol = administrator_of(("product type", web))

    number = product.add_product(carol, "Shop", product_type_id=web)
    with pytest.raises(NotThere):
        product.add_product(carol, "Bank", product_type_id=desktop)
    with pytest.raises(Forbidden):
        product.add_product(carol, "Bank")
    with pytest.raises(Forbidden):
        product_type.add_product_type(carol, "Mobile")

    assert [one.pk for one in models.Product.objects.all()] == [number]


def test_a_product_is_moved_by_who_is_administrator_of_both_product_types():
    """Taking a Product out of a Product Type takes it away from those who have a role there."""
    web, desktop = (product_type.add_product_type(ALICE, name) for name in ("Web", "Desktop"))
    shop = product.add_product(ALICE, "Shop", product_type_id=web)

    with pytest.raises(NotThere):
        product.edit_product(administrator_of(("product type", web)), shop, product_type_id=desktop)
    carol = administrator_of(("product", shop), ("product type", desktop))
    with pytest.raises(Forbidden, match="take «Shop» out"):
        product.edit_product(carol, shop, product_type_id=desktop)
    assert product_type_of(shop) == "Web"
    both = administrator_of(("product type", web), ("product type", desktop))
    product.edit_product(both, shop, product_type_id=desktop)

    assert product_type_of(shop) == "Desktop"


def test_only_an_empty_product_type_is_deleted_and_its_name_is_typed():
    web = product_type.add_product_type(ALICE, "Web")
    shop = product.add_product(ALICE, "Shop", product_type_id=web)

    with pytest.raises(Refused, match="something else was typed"):
        product_type.delete_product_type(ALICE, web, "web")
    with pytest.raises(Refused, match="1 Products are in «Web»"):
        product_type.delete_product_type(ALICE, web, "Web")
    product.delete_product(ALICE, shop, "Shop")
    burp = world.connection(product_type_id=web)
    with pytest.raises(Refused, match="1 Connections make their Products in «Web»"):
        product_type.delete_product_type(ALICE, web, "Web")
    models.Connection.objects.filter(pk=burp.pk).update(product_type=None)
    product_type.delete_product_type(ALICE, web, "Web")

    assert not models.ProductType.objects.filter(pk=web).exists()


def test_mapping_rules_follow_a_renamed_product_type():
    web = product_type.add_product_type(ALICE, "Web")
    rule = models.MappingRule.objects.create(
        connection=world.connection(), position=1, field="name", pattern="*", syntax="glob", answer="template",
        template="{name}", product_type="Web", changed_by="alice",
    )  # fmt: skip

    product_type.rename_product_type(ALICE, web, "Web sites")

    rule.refresh_from_db()
    assert rule.product_type == "Web sites"


def test_global_connectors_is_marked_so_renaming_it_changes_nothing_of_what_flows():
    """records.md: ours is marked, not named: the Engagement *Global Connectors* and its Tests carry our mark and may be
    renamed; an Engagement of that name that others made is not ours."""
    burp = world.connection()
    first, second = world.record(burp, "a"), world.record(burp, "b")
    records.map_records(ALICE, [first], new_product="Shop")
    shop = models.Product.objects.get()
    marked, test = models.Engagement.objects.get(), models.Test.objects.get()

    engagement.rename_engagement(ALICE, marked.pk, "Scanners")
    ours.rename_test(ALICE, test.pk, "The Burp in the cellar")
    models.Engagement.objects.create(product=shop, name="Global Connectors")
    records.map_records(ALICE, [second], product_id=shop.pk)

    feed = world.read(second).feed
    assert (feed.test_id, feed.test.engagement_id) == (test.pk, marked.pk)
    assert (feed.test.name, feed.test.engagement.name) == ("The Burp in the cellar", "Scanners")
