"""Findings and Products at the terminal: filters, decisions, stories, and a deletion that asks for the name."""

from __future__ import annotations

from typing import Any

import pytest

from tidegate.demo.fake_burp import FakeBurp


@pytest.fixture
def synced(shop: Any) -> Any:
    assert shop("sync", "Burp").code == 0
    return shop


def test_the_worst_stands_first_and_every_filter_filters(synced: Any):
    def found(*filters: str) -> list[dict[str, Any]]:
        return synced.json("finding", "list", "--limit", "1000", *filters)["findings"]

    ranks = ["Critical", "High", "Medium", "Unknown", "Low", "Info"]
    everything = found()
    assert len(everything) == 138
    assert [row["severity"] for row in everything] == sorted((row["severity"] for row in everything), key=ranks.index)
    assert {row["severity"] for row in found("--severity", "high")} == {"High"}
    assert len(found("--record", "Storefront API")) == 18
    assert len(found("--inactive")) == len(found("--status", "inactive")) == 1
    assert len(found("--active")) == 137
    assert len(found("--product", "Web shop", "--connection", "Burp")) == 138
    assert 0 < len(found("--search", "cross-site")) < 138
    assert found("--status", "unwatched") == found("--status", "held") == []


def test_a_decision_survives_a_sync_and_is_told(synced: Any):
    """records.md: what a person decided survives every sync."""
    number = synced.json("finding", "list", "--active", "--limit", "1")["findings"][0]["id"]

    ran = synced("finding", "decide", number, "--verdict", "false positive", "--note", "Only in tests", "--tag", "web")
    synced("sync", "Burp")

    assert ran.code == 0, ran.err
    shown = synced.json("finding", "show", number)
    assert shown["finding"]["active"] is False
    assert shown["finding"]["why"] == "Inactive: alice says false positive."
    assert {said["field"]: said["value"] for said in shown["decisions"]} == {
        "verdict": "false positive", "note": "Only in tests", "tags": "web",
    }  # fmt: skip
    assert shown["story"][0]["what"] == "Found by Sync 2."
    assert shown["story"][-1]["actor"] == "alice"


def test_notes_and_tags_can_be_taken_back(synced: Any):
    number = synced.json("finding", "list", "--limit", "1")["findings"][0]["id"]
    synced("finding", "decide", number, "--note", "Only in tests", "--tag", "web", "--tag", "old")

    ran = synced("finding", "decide", number, "--note", "", "--no-tags")

    assert ran.code == 0, ran.err
    assert synced.json("finding", "show", number)["decisions"] == []
    said = synced("finding", "show", number).out
    assert "tags «nothing» → «old, web»" in " ".join(said.split()).replace(" alice", "")
    assert synced("finding", "decide", number, "--tag", "x", "--no-tags").code == 2


def test_an_acceptance_ends_on_its_day(synced: Any):
    number = synced.json("finding", "list", "--active", "--limit", "1")["findings"][0]["id"]

    assert synced("finding", "decide", number, "--verdict", "accepted", "--until", "2999-12-31").code == 0
    assert "until 2999-12-31" in synced.json("finding", "show", number)["finding"]["why"]
    assert synced("finding", "decide", number, "--verdict", "accepted", "--until", "2001-01-01").code == 1
    assert synced("finding", "decide", number, "--verdict", "accepted", "--until", "tomorrow").code == 2


def test_a_severity_of_a_person_stands_before_the_tools(synced: Any):
    number = synced.json("finding", "list", "--severity", "info", "--limit", "1")["findings"][0]["id"]

    synced("finding", "decide", number, "--severity", "critical")

    shown = synced.json("finding", "show", number)
    assert (shown["finding"]["severity"], shown["severity_vendor"]) == ("Critical", "Info")
    assert "the tool says Info" in synced("finding", "show", number).out
    synced("finding", "decide", number, "--severity", "none")
    assert synced.json("finding", "show", number)["finding"]["severity"] == "Info"


def test_the_story_of_a_finding_that_closed_and_came_back(synced: Any, burp: FakeBurp):
    burp.control.fix_issue("Storefront API")
    synced("sync", "Burp")
    [closed] = synced.json("finding", "list", "--status", "closed")["findings"]
    last = synced.json("operation", "list", "--limit", "1")["operations"][0]["id"]

    assert closed["why"] == f"Closed by Sync {last}: it is no longer reported."
    said = synced("finding", "show", closed["id"]).out
    assert "Found by Sync 2." in said
    assert f"Closed by Sync {last}: it is no longer reported." in said


def test_a_product_shows_where_its_findings_come_from(synced: Any):
    said = synced("product", "show", "web SHOP").out

    assert "Global Connectors ›" in said
    assert "137" in said


def test_deleting_a_product_asks_for_its_name_and_leaves_records_stale(synced: Any):
    """records.md: deleting a Product cannot be undone and asks for the name; Stale at once."""
    unasked, wrong = (
        synced("product", "delete", "Web shop"),
        synced("product", "delete", "Web shop", "--confirm", "web"),
    )
    typed = synced("product", "delete", "Web shop", stdin="Web shop\n", keyboard=True)

    assert (unasked.code, wrong.code, typed.code) == (2, 1, 0)
    assert "2 Records that wrote to it are Stale now." in typed.out
    shown = synced.json("record", "show", "Storefront")["record"]
    assert shown["state"] == "Stale"
    assert "«Web shop»" in shown["why"]
