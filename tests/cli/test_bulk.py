"""`--all`: many Records at once, looked at before, as they are expected, undone as one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.test_json import has_shape
from tests.cli.test_record import states
from tidegate.cli.answer import answers, answers_to_previews
from tidegate.store import models


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("ignore",), "Which Records?"),
        (("delete", "Storefront", "--all"), "Which Records?"),
        (("ignore", "Storefront", "--state", "new"), "need --all"),
        (("restore", "Storefront", "--expected", "1"), "need --all"),
        (("map", "Storefront"), "To which Product?"),
        (("map", "Storefront", "--each", "--new", "x"), "To which Product?"),
        (("map", "--all", "--product", "Web shop", "--product-type", "x"), "Only a new Product"),
        (("ignore", "--all"), "nobody is there to say that they are meant"),
        (("ignore", "--all", "--json"), "--expected 4-"),
    ],
)
def test_what_is_not_clear_is_asked_wrongly(shop: Any, arguments: tuple[str, ...], why: str):
    before = states(shop)

    ran = shop("record", *arguments)

    assert (ran.code, why in ran.err) == (2, True), ran.err
    assert states(shop) == before


def test_others_than_were_expected_are_left_alone(shop: Any):
    ran = shop("record", "ignore", "--all", "--expected", "3")

    assert (ran.code, "there are 4 now" in ran.err) == (1, True)
    assert "Ignored" not in states(shop).values()


def test_a_person_looks_and_says_no_or_yes(shop: Any):
    no = shop("record", "ignore", "--all", "--state", "new", stdin="n\n", keyboard=True)
    assert (no.code, states(shop)["Partner Portal"]) == (1, "New")

    yes = shop("record", "ignore", "--all", "--state", "new", "--because", "old", stdin="y\n", keyboard=True)

    assert (yes.code, states(shop)["Partner Portal"], states(shop)["Storefront"]) == (0, "Ignored", "Good")
    assert "2 Records are meant" in yes.out
    assert "record undo --step" in yes.out


def test_a_preview_gives_what_is_expected_and_changes_nothing(shop: Any):
    seen = shop.json("record", "map", "--all", "--search", "portal", "--each", "--preview")
    said = shop("record", "map", "--all", "--search", "portal", "--each", "--preview").out

    assert has_shape(seen, answers_to_previews()["record map --all --preview"])
    assert states(shop)["Partner Portal"] == "New"
    assert "1 new Products would be made." in said
    assert f"--expected {seen['expected']}" in said

    done = shop.json("record", "map", "--all", "--search", "portal", "--each", "--expected", seen["expected"])
    assert has_shape(done, answers_to_previews()["record map --all"])
    assert (done["changed"], states(shop)["Partner Portal"]) == (1, "Good")
    assert shop("record", "undo", "--step", done["step"]).code == 0
    assert states(shop)["Partner Portal"] == "New"


def test_a_preview_says_what_a_configuration_file_would_set_back(shop: Any):
    record = next(row["id"] for row in shop.json("record", "list")["records"] if row["name"] == "Partner Portal")
    models.Managed.objects.create(kind="mapping", thing_id=record, source="acme.yaml", by="alice")

    said = shop("record", "ignore", "--all", "--state", "new", "--preview").out

    assert "1 of those that would change are managed by a configuration file" in said


def test_what_is_left_alone_is_named_and_the_code_says_it(shop: Any):
    ran = shop("record", "restore", "--all", "--to-earlier", "--expected", "4")

    assert ran.code == 1
    assert "Partner Portal" in ran.err
    assert "It was never mapped before" in ran.err


def test_each_of_the_named_gets_its_own_product(shop: Any):
    ran = shop("record", "map", "Partner Portal", "Storefront", "--each", "--product-type", "Web")

    assert ran.code == 0
    products = {row["name"]: row["product_type"] for row in shop.json("product", "list")["products"]}
    assert products == {"Partner Portal": "Web", "Storefront": "Web", "Web shop": "Imported"}


def test_what_flows_into_a_product_is_deleted_at_once(shop: Any):
    done = shop.json("record", "delete", "--all", "--in-product", "Web shop", "--there", "--expected", "2")

    assert done["changed"] == 2
    assert sorted(states(shop)) == ["Legacy Intranet", "Partner Portal"]


def test_records_are_synced_and_what_is_not_good_is_told(shop: Any):
    ran = shop("record", "sync", "--all", "--connection", "Burp", "--expected", "4")
    again = shop("record", "sync", "Storefront", "--json")

    assert ran.code == 3
    assert "map it first" in ran.err
    assert has_shape(again.json, answers()["record sync"])
    assert (again.code, again.json["changed"]) == (0, 1)
    assert shop.json("finding", "list")["count"] > 0


def test_a_list_is_filtered_by_when_it_was_first_found(shop: Any):
    assert len(shop.json("record", "list", "--since", "2020-01-01")["records"]) == 4
    assert shop.json("record", "list", "--until", "2020-01-01")["records"] == []
