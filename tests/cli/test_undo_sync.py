"""Undo of a Sync at the terminal: what it says, what it refuses, and what the Sync says of itself from then on."""

from __future__ import annotations

from typing import Any

from tests.cli.test_json import has_shape
from tidegate.cli.answer import answers


def newest(shop: Any, type: str) -> int:
    return shop.json("operation", "list", "--type", type)["operations"][0]["id"]


def test_a_sync_is_undone_and_both_say_so(shop: Any):
    """Issue 5: undo of a whole Operation; the Operation's verdict says what it did, the undone one by which."""
    shop("sync", "Burp")

    ran = shop("operation", "undo", "2")

    assert ran.code == 0, ran.err
    number = newest(shop, "change")
    assert f"Change {number} of Burp. It went well. Sync 2 is undone: 138 created are inactive." in ran.out
    assert shop.json("product", "show", "Web shop")["product"]["findings"]["open"] == 0
    assert f"It was undone by Operation {number}." in shop("operation", "show", "2").out
    results = shop.json("operation", "show", "2")["results"]
    assert {one["undone_by"] for one in results} == {number}
    again = shop("sync", "Burp")
    assert "138 reopened" in again.out


def test_one_record_is_undone_alone_and_a_script_reads_how_it_went(shop: Any):
    shop("sync", "Burp")

    answer = shop.json("operation", "undo", "2", "--record", "Storefront API")

    assert has_shape(answer, answers()["operation undo"])
    assert answer["operation"]["counts"] == {"inactive": 18}
    number = answer["operation"]["id"]
    assert f"It was undone for 1 of its 2 Records, by Operation {number}." in shop("operation", "show", "2").out


def test_an_undo_is_asked_for_and_done_later(shop: Any):
    shop("sync", "Burp")

    ran = shop("operation", "undo", "2", "--later")

    number = newest(shop, "change")
    assert (ran.code, ran.out) == (0, f"Change {number} of Burp is asked for.\n")
    assert shop("operation", "watch", number).code == 0
    assert "138 created are inactive" in shop("operation", "list", "--type", "change").out


def test_an_undo_that_is_not_possible_says_why(shop: Any):
    """Issue 5: an undo that is not possible any more says why."""
    shop("sync", "Burp")
    shop("sync", "--record", "Storefront")

    ran = shop("operation", "undo", "2")

    assert ran.code == 1
    assert "Sync 2 cannot be undone for 1 of 2 Records." in ran.err
    assert f"Storefront: Sync {newest(shop, 'sync')} was applied later" in ran.err
    assert "Undo the others singly: tidegate operation undo 2 --record" in ran.err
    assert shop("operation", "undo", "99").code == 1
    assert "is no Sync" in shop("operation", "undo", "1").err
