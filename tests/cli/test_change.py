"""What is about many findings is done by an Operation: the command waits for it with a bar, or says who will do it."""

from __future__ import annotations

from typing import Any

import pytest

from tidegate.store.writers import remap


@pytest.fixture
def many(shop: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The shop with its findings, where any of them is many."""
    assert shop("sync", "Burp").code == 0
    monkeypatch.setattr(remap, "AT_ONCE", 0)
    monkeypatch.setattr(remap, "BATCH", 2)
    return shop


def test_a_remap_that_closes_many_is_waited_for_and_can_be_undone(many: Any):
    """Issue 5, 8: a remap is an Operation with progress, taken back as one step."""
    there = many.json("record", "show", "Storefront")["record"]["findings"]["active"]

    ran = many("record", "map", "Storefront", "--new", "Other", "--already-imported", "close")

    assert ran.code == 0, ran.err
    assert "what was imported into «Web shop» is being closed, by Operation" in ran.out
    assert f"It went well: {there} closed." in ran.out
    assert many.json("record", "show", "Storefront")["record"]["findings"]["active"] == 0
    step = ran.out.rpartition("--step ")[2].strip()
    undone = many.json("record", "undo", "--step", step)
    assert many.json("record", "show", "Storefront")["record"]["findings"]["active"] == there
    (number,) = undone["operations"]
    assert many.json("operation", "show", number)["operation"]["counts"] == {"reopened": there}


def test_with_later_nobody_waits_and_the_record_is_left_alone_until_it_is_done(many: Any):
    """Issue 5, 8: a change is fenced per Record."""
    ran = many("record", "map", "Storefront", "--new", "Other", "--already-imported", "close", "--later")

    number = ran.out.partition("by Operation ")[2].partition(".")[0]
    assert f"Change {number} of Burp is asked for." in ran.out
    refused = many("record", "ignore", "Storefront")
    assert refused.code == 1
    assert f"Operation {number} is changing its findings; watch it: tidegate operation watch {number}." in refused.err
    assert many("sync", "--record", "Storefront").code == 1

    assert many("operation", "watch", number).code == 0
    assert "Nothing of Operation" in many("operation", "again", number).err
    assert many("record", "ignore", "Storefront").code == 0


def test_a_raised_threshold_is_waited_for_too(many: Any):
    low = len(many.json("finding", "list", "--severity", "medium", "--status", "open")["findings"])
    assert low

    ran = many("connection", "edit", "Burp", "--minimum-severity", "high")

    assert ran.code == 0
    assert "findings are below its minimum severity now, and closed by Operation" in ran.out
    assert many.json("finding", "list", "--severity", "medium", "--status", "open")["findings"] == []
