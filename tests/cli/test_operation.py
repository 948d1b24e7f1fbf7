"""Discover and Sync at the terminal: what they say, how they end, and what is done about closings that are held."""

from __future__ import annotations

from typing import Any

import pytest

from tidegate.demo.fake_burp import FakeBurp


@pytest.fixture
def collapsed(shop: Any, burp: FakeBurp) -> Any:
    """Everything of Storefront was imported, and is gone from Burp's next scan but for a fifth."""
    assert shop("sync", "Burp").code == 0
    burp.control.fix_issue("Storefront", n=100)
    ran = shop("sync", "Burp")
    assert ran.code == 3, ran.out + ran.err
    return shop


def open_findings(shop: Any) -> int:
    return shop.json("product", "show", "Web shop")["product"]["findings"]["open"]


def test_a_sync_says_what_it_did(shop: Any):
    ran = shop("sync", "Burp")

    assert ran.code == 0
    assert "138 created" in ran.out


def test_one_record_is_synced_alone(shop: Any):
    """records.md: a Sync can be asked for one Record, a selection, or all."""
    shop("sync", "Burp")

    ran = shop("sync", "--record", "Storefront API")

    assert ran.code == 0, ran.err
    assert "18 seen, 1 Record read, 18 unchanged" in ran.out


def test_a_record_that_cannot_sync_says_why(shop: Any, burp: FakeBurp):
    """records.md: a Missing or Stale Record is asked to sync: refused, with its why."""
    burp.control.delete_site("Storefront API")
    shop("discover", "Burp")

    missing, unmapped = shop("sync", "--record", "Storefront API"), shop("sync", "--record", "Partner Portal")

    assert (missing.code, unmapped.code) == (1, 1)
    assert "Missing since" in missing.err
    assert "not mapped" in unmapped.err


def test_half_a_page_is_3_and_says_what_to_do(shop: Any, burp: FakeBurp):
    shop("sync", "Burp")
    burp.control.half_a_page("Storefront")

    ran = shop("sync", "Burp")

    assert ran.code == 3
    assert "Nothing was closed" in ran.out
    assert "tidegate operation show" in ran.err
    assert open_findings(shop) == 138


def test_what_is_held_is_shown_with_what_can_be_done(collapsed: Any):
    """records.md: they are *held* with their list and a person decides."""
    [held] = collapsed.json("operation", "list", "--held")["operations"]

    said = collapsed("operation", "show", held["id"]).out

    assert held["held"] == 100
    assert "Waits for you" in said
    assert said.partition("asked for")[0].count("are held") == 1
    assert "By now" not in said
    assert f"tidegate operation approve {held['id']}" in said
    assert f"tidegate operation keep {held['id']}" in said
    assert collapsed.json("record", "show", "Storefront")["record"]["badge"] == "held"


def test_a_long_list_of_results_is_cut_for_the_eye_and_whole_for_a_script(shop: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tidegate.cli.operation.SHOWN", 1)
    shop("sync", "Burp")

    ran, whole = shop("operation", "show", "2"), shop.json("operation", "show", "2")

    assert len(whole["results"]) == 4
    table = ran.out.partition("Record by Record")[2].partition("Log")[0]
    assert table.count("Storefront") == 1
    assert "And 3 more" in ran.err


def test_approve_closes_what_was_held(collapsed: Any):
    [held] = collapsed.json("operation", "list", "--held")["operations"]

    ran = collapsed("operation", "approve", held["id"])

    assert (ran.code, open_findings(collapsed)) == (0, 38)
    assert "By now nothing of it is held any more" in collapsed("operation", "show", held["id"]).out
    assert collapsed("operation", "approve", held["id"]).code == 1


def test_keep_leaves_open_what_was_held(collapsed: Any):
    [held] = collapsed.json("operation", "list", "--held")["operations"]

    ran = collapsed("operation", "keep", held["id"])

    assert (ran.code, open_findings(collapsed)) == (0, 138)
    kept = collapsed.json("finding", "list", "--status", "kept open", "--limit", "1")["findings"][0]
    assert "kept open by alice" in kept["why"]


def test_records_of_two_connections_are_not_synced_together(shop: Any, burp: FakeBurp):
    more = ("--set", f"url={burp.url}", "--secret", "api_key=env:BURP_KEY")
    shop("connection", "add", "burpsuite", "--label", "Burp 2", *more)
    numbers = [str(row["id"]) for row in shop.json("record", "list")["records"] if row["name"] == "Storefront"]

    ran = shop("sync", "--record", numbers[0], "--record", numbers[1])

    assert ran.code == 2
    assert "Burp, Burp 2" in ran.err


def test_the_list_is_filtered_by_type_and_status(shop: Any):
    shop("sync", "Burp")

    assert [row["type"] for row in shop.json("operation", "list")["operations"]] == ["sync", "discover"]
    assert [row["id"] for row in shop.json("operation", "list", "--type", "sync")["operations"]] == [2]
    assert shop.json("operation", "list", "--status", "failed", "--connection", "Burp")["operations"] == []
