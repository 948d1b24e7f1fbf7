"""Deciding about Records: map, remap, ignore, restore, delete, undo; each by name or number."""

from __future__ import annotations

from typing import Any

import pytest

from tidegate.demo.fake_burp import FakeBurp


def states(shop: Any) -> dict[str, str]:
    return {row["name"]: row["state"] for row in shop.json("record", "list")["records"]}


def test_a_list_is_filtered_by_state_product_connection_and_text(shop: Any):
    def names(*filters: str) -> list[str]:
        return [row["name"] for row in shop.json("record", "list", *filters)["records"]]

    assert names() == ["Legacy Intranet", "Partner Portal", "Storefront", "Storefront API"]
    assert names("--state", "good") == names("--product", "Web shop") == ["Storefront", "Storefront API"]
    assert names("--state", "NEW") == ["Legacy Intranet", "Partner Portal"]
    assert names("--search", "PORTAL") == ["Partner Portal"]
    assert names("--connection", "1", "--there") == names()
    assert names("--gone") == []


def test_a_list_goes_on_behind_its_cursor(shop: Any):
    first = shop.json("record", "list", "--limit", "3")
    second = shop.json("record", "list", "--limit", "3", "--after", first["next"])

    assert [row["name"] for row in second["records"]] == ["Storefront API"]
    assert second["next"] is None


def test_records_are_named_by_number_or_by_name_in_any_case(shop: Any):
    number = shop.json("record", "list", "--search", "Partner")["records"][0]["id"]

    shown = [shop.json("record", "show", name)["record"]["id"] for name in (number, "Partner Portal", "partner portal")]

    assert shown == [number] * 3


def test_a_name_that_means_two_records_is_refused_with_both(shop: Any, burp: FakeBurp):
    burp.control.add_site("Storefront", "Partners")
    shop("discover", "Burp")

    ran = shop("record", "ignore", "Storefront")

    assert ran.code == 2
    assert "2 Records are called «Storefront»" in ran.err
    assert ran.err.count("Burp › Storefront") == 2
    assert states(shop)["Storefront"] != "Ignored"


def test_show_says_state_why_and_history(shop: Any):
    shop("record", "ignore", "Storefront", "--because", "a sandbox")

    said = shop("record", "show", "Storefront").out

    assert "Ignored by alice" in said
    assert "a sandbox" in said
    assert "Found by Discover 1." in said
    assert "tidegate, Operation 1" in said
    assert "Mapped to «Web shop»." in said


def test_an_ignored_record_is_restored_or_goes_straight_back(shop: Any):
    """records.md: New, with *restore to «Product»* offered at once."""
    shop("record", "ignore", "Storefront", "Storefront API")
    shop("record", "restore", "Storefront")
    shop("record", "restore", "Storefront API", "--to-earlier")

    assert states(shop) == {
        "Legacy Intranet": "New", "Partner Portal": "New", "Storefront": "New", "Storefront API": "Good",
    }  # fmt: skip


def test_a_whole_step_is_undone_by_what_the_command_printed(shop: Any):
    """records.md: every decision, single or in bulk, can be undone as one step."""
    step = shop.json("record", "ignore", "Storefront", "Storefront API")["step"]

    ran = shop("record", "undo", "--step", step)

    assert ran.code == 0, ran.err
    assert states(shop)["Storefront"] == states(shop)["Storefront API"] == "Good"


def test_the_last_decision_on_one_record_is_undone(shop: Any):
    shop("record", "ignore", "Storefront", "Storefront API")

    assert shop("record", "undo", "Storefront").code == 0
    assert (states(shop)["Storefront"], states(shop)["Storefront API"]) == ("Good", "Ignored")


def test_partly_done_is_3_and_says_which(shop: Any):
    shop("record", "ignore", "Storefront")
    shop("record", "restore", "Storefront")

    ran = shop("record", "restore", "Storefront", "Partner Portal", "--to-earlier")

    assert ran.code == 3
    assert "Storefront: Flows into «Web shop» again." in ran.out
    assert "Partner Portal: It was never mapped before" in ran.err


@pytest.mark.parametrize(("choice", "here", "there"), [("leave", 18, 0), ("move", 0, 18), ("close", 0, 0)])
def test_on_a_remap_one_chooses_what_becomes_of_what_was_imported(shop: Any, choice: str, here: int, there: int):
    """records.md: left as they are (default), moved along with their history, or closed."""
    shop("record", "ignore", "Storefront")
    shop("sync", "Burp")

    ran = shop("record", "map", "Storefront API", "--new", "API", "--already-imported", choice)

    assert ran.code == 0, ran.err
    found = {row["name"]: row["findings"]["open"] for row in shop.json("product", "list")["products"]}
    assert found == {"Web shop": here, "API": there}


def test_a_deleted_record_comes_back_with_discover(shop: Any):
    """records.md: if the VEP still exists, Discover brings it back as New."""
    assert shop("record", "delete", "Storefront").code == 0
    assert "Storefront" not in states(shop)

    shop("discover", "Burp")

    assert states(shop)["Storefront"] == "New"
