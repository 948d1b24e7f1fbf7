"""`tidegate product`, `product-type`, `engagement` and `test`: where data live, managed by a person."""

from __future__ import annotations

from typing import Any

import pytest

from tests import world
from tests.world import ALICE
from tidegate.actions.record import map_records


@pytest.fixture
def full(tidegate: Any) -> Any:
    """Shop has something in it."""
    shop = world.record(world.connection())
    map_records(ALICE, [shop], new_product="Shop")
    world.synced(shop, "k1")
    return tidegate


def test_a_product_is_added_renamed_moved_and_tagged(tidegate: Any):
    assert tidegate("product-type", "add", "Web").code == 0
    assert tidegate("product", "add", "Shop", "--product-type", "Web", "--tag", "eu").code == 0
    twin = tidegate("product", "add", "SHOP")
    edited = tidegate("product", "edit", "Shop", "--name", "Store", "--product-type", "Imported", "--no-tags")

    assert "Mind that there is also «Shop»" in twin.err
    assert "Store (1) is in Imported." in edited.out
    assert tidegate.json("product", "show", "Store")["product"]["product_type"] == "Imported"


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (("product", "add", " "), 1, "is empty"),
        (("product", "add", "Bank", "--product-type", "Nowhere"), 1, "There is no Product Type «Nowhere»"),
        (("product", "edit", "Shop"), 2, "Nothing was said"),
        (("product", "edit", "Shop", "--tag", "a", "--no-tags"), 2, "contradict"),
        (("product-type", "add", "Imported"), 1, "already"),
        (("product-type", "delete", "Imported", "--confirm", "Imported"), 1, "1 Products are in «Imported»"),
        (("engagement", "rename", "Nobody", "x"), 1, "tidegate engagement list"),
        (("test", "delete", "Burp"), 2, "--confirm 'Burp'"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_next_step(full: Any, command: tuple[str, ...], code: int, told: str):
    ran = full(*command)

    assert ran.code == code
    assert told in " ".join(ran.err.split())


def test_engagements_and_tests_are_listed_renamed_and_deleted(full: Any):
    assert "Scanners" in full("engagement", "rename", "Global Connectors", "Scanners").out
    assert "cellar" in full("test", "rename", "Burp", "cellar", "--product", "Shop").out
    assert "Shop › Scanners" in full("test", "list").out
    assert "cellar" in full("engagement", "show", "Scanners").out
    assert full.json("test", "show", "cellar")["connection"] == "Burp"

    assert "1 Records that wrote to it" in full("test", "delete", "cellar", "--confirm", "cellar").out
    assert full("engagement", "delete", "Scanners", "--confirm", "Scanners").code == 0
    assert "There is none yet" in full("engagement", "list").out


def test_a_product_type_is_listed_renamed_and_deleted_when_empty(full: Any):
    full("product-type", "add", "Web")
    assert "Sites" in full("product-type", "rename", "Web", "Sites").out
    assert [one["name"] for one in full.json("product-type", "list")["product_types"]] == ["Imported", "Sites"]
    assert "holds 0 Products" in full("product-type", "show", "Sites").out

    assert full("product-type", "delete", "Sites", "--confirm", "Sites").code == 0

    assert len(full.json("product-type", "list")["product_types"]) == 1
