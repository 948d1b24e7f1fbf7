"""Previews at the terminal: what would happen is said and shown, and nothing happens."""

from __future__ import annotations

from typing import Any

import pytest

from tests.untouched import only_the_preview_is_written
from tidegate.demo.fake_burp import FakeBurp

SECRET = "api_key=env:BURP_KEY"


def draft(tidegate: Any, burp: FakeBurp, *more: str, label: str = "Burp") -> Any:
    url = ("--set", f"url={burp.url}")
    added = ("connection", "add", "burpsuite", "--label", label, *url, "--secret", SECRET, "--preview")
    return tidegate(*added, *more)


def test_a_new_connection_can_be_looked_at_before_it_is_there(tidegate: Any, burp: FakeBurp):
    """Preview of a Discover, also of a Connection that is still a draft; nothing is listed until it is kept."""
    ran = draft(tidegate, burp)

    assert ran.code == 0, ran.err
    assert "Would add 4 Records." in ran.out
    assert "Storefront API" in ran.out
    assert "tidegate connection keep 1" in ran.err
    assert tidegate.json("connection", "list")["connections"] == []
    assert tidegate.json("record", "list")["records"] == []


def test_a_draft_that_is_kept_is_a_connection_and_discovered(tidegate: Any, burp: FakeBurp):
    """records.md: a new Connection is discovered at once."""
    draft(tidegate, burp, "--auto-map")

    ran = tidegate("connection", "keep", 1)

    assert ran.code == 0, ran.err
    assert "Burp is stored as Connection 1." in ran.out
    assert "4 new" in ran.out
    assert tidegate.json("connection", "show", "Burp")["auto_map"]
    assert tidegate("connection", "keep", 1).code == 1


def test_a_draft_whose_label_is_taken_says_so_and_is_kept_under_another(shop: Any, burp: FakeBurp):
    ran = draft(shop, burp)

    refused, kept = shop("connection", "keep", 2), shop("connection", "keep", 2, "--label", "Burp 2", "--no-discover")

    assert "There is a Connection «Burp» already" in ran.err
    assert "tidegate connection keep 2 --label ANOTHER" in ran.err
    assert (refused.code, kept.code) == (1, 0), kept.err
    assert "«Burp» already" in refused.err


def test_a_draft_can_be_previewed_again_and_let_go(tidegate: Any, burp: FakeBurp):
    draft(tidegate, burp)
    burp.control.delete_site("Partner Portal")

    again, unknown = tidegate("discover", 1, "--preview"), tidegate("discover", 1)
    dropped, gone = tidegate("connection", "drop", 1), tidegate("discover", 1, "--preview")

    assert "Would add 3 Records." in again.out
    assert (unknown.code, dropped.code, gone.code) == (1, 0, 1)
    assert "tidegate discover" not in unknown.out


def test_a_draft_takes_up_a_deleted_connection_when_it_is_kept(shop: Any, burp: FakeBurp):
    """records.md: a new Connection of the same Tool and account continues the deleted one: the same Records."""
    shop("connection", "delete", "Burp", "--confirm", "Burp")
    draft(shop, burp)

    kept = shop("connection", "keep", 2, "--continues", 1)

    assert kept.code == 0, kept.err
    assert "Burp is stored as Connection 1." in kept.out
    assert len(shop.json("record", "list")["records"]) == 4
    assert draft(shop, burp, "--continues", "1").code == 2


def test_a_discover_is_previewed(shop: Any, burp: FakeBurp):
    """What is new, renamed, missing is shown, one by one and field by field; the real one then does it."""
    burp.control.rename_site("Storefront", "Shop front")
    burp.control.delete_site("Partner Portal")
    burp.control.add_site("Brand new")

    with only_the_preview_is_written():
        ran = shop("discover", "Burp", "--preview")

    assert ran.code == 0, ran.err
    assert "Preview of discover 3 of Burp. Would add 1 Record, rename or change 1, let 1 go Missing." in ran.out
    assert "name «Storefront» → «Shop front»" in " ".join(ran.out.split())
    assert "Brand new" in ran.out
    assert "4 Records" not in shop("discover", "Burp").out


def test_a_sync_is_previewed(shop: Any, burp: FakeBurp):
    """Preview of a Sync, of all or of one Record: what would be created, changed, closed; then it can be done."""
    shop("sync", "Burp", "--record", "Storefront API")
    burp.control.fix_issue("Storefront API", n=2)
    burp.control.change_issue("Storefront API", n=1, severity="info")
    burp.control.add_issue("Storefront", n=3)
    before = shop.json("product", "show", "Web shop")["product"]["findings"]

    with only_the_preview_is_written():
        one = shop("sync", "--record", "Storefront API", "--preview")
        all = shop("sync", "Burp", "--preview")

    assert one.code == 0, one.err
    assert "Would change 1, close 2." in one.out
    assert "Would be closed: 2" in one.out
    assert "no longer reported" in one.out
    assert "→ «Info»" in " ".join(one.out.split())
    assert "Would create 3, change 1, close 2." in all.out
    assert shop.json("product", "show", "Web shop")["product"]["findings"] == before
    done = shop.json("sync", "--record", "Storefront API")["operation"]["counts"]
    assert (done["updated"], done["closed"]) == (1, 2)


def test_its_differences_are_listed_by_kind_and_page(tidegate: Any, burp: FakeBurp):
    draft(tidegate, burp, "--auto-map")

    shown = tidegate("operation", "show", 1)
    listed = tidegate("operation", "differences", 1, "--kind", "mapped")
    page = tidegate.json("operation", "differences", 1, "--limit", 3)

    assert "Would be mapped: 4" in shown.out
    assert "which would be made for it" in " ".join(listed.out.split())
    assert (len(page["differences"]), page["counted"], page["kept"], page["why"]) == (3, 8, 8, "")
    following = tidegate.json("operation", "differences", 1, "--after", page["next"])
    assert len(following["differences"]) == 5


def test_a_preview_stands_apart_in_lists(shop: Any):
    shop("discover", "Burp", "--preview", "--later")

    assert [row["preview"] for row in shop.json("operation", "list", "--type", "discover")["operations"]] == [
        True,
        False,
    ]
    assert len(shop.json("operation", "list", "--preview")["operations"]) == 1
    assert all(not row["preview"] for row in shop.json("operation", "list", "--no-preview")["operations"])
    assert "preview of discover" in shop("operation", "list").out


def test_a_preview_that_was_no_preview_has_nothing_to_list(shop: Any):
    assert "was no preview" in shop("operation", "differences", 1).out
    assert "kept for a day" in shop("operation", "differences", 99).err


@pytest.mark.parametrize("verb", ["approve", "keep"])
def test_there_is_nothing_to_decide_about_a_preview(shop: Any, burp: FakeBurp, verb: str):
    burp.control.show_only()

    ran = shop("discover", "Burp", "--preview")
    decided = shop("operation", verb, 3)

    assert ran.code == 3
    assert "4 would be held" in ran.out
    assert decided.code == 1
    assert "it wrote nothing" in decided.err


def test_again_asks_for_a_preview_again(shop: Any):
    shop("discover", "Burp", "--preview")

    again = shop.json("operation", "again", 3)["operation"]

    assert (again["type"], again["preview"], again["status"]) == ("discover", True, "success")


def test_another_minimum_severity_is_previewed_alone(shop: Any):
    """Threshold: the form says how many before it is saved."""
    shop("sync", "Burp")
    before = shop.json("product", "list")["products"][0]["findings"]["open"]

    said = shop.json("connection", "edit", "Burp", "--minimum-severity", "high", "--preview")
    told = shop("connection", "edit", "Burp", "--minimum-severity", "high", "--preview")
    mixed = shop("connection", "edit", "Burp", "--minimum-severity", "high", "--label", "X", "--preview")

    assert (said["minimum_severity"], said["may_bring"]) == ("High", 0)
    assert f"This would close {said['closes']:,} findings now." in told.out
    assert mixed.code == 2
    assert shop.json("product", "list")["products"][0]["findings"]["open"] == before
    saved = shop("connection", "edit", "Burp", "--minimum-severity", "high", "--yes", keyboard=True)
    assert saved.code == 0
    assert before - shop.json("product", "list")["products"][0]["findings"]["open"] == said["closes"] > 0
    lowered = shop.json("connection", "edit", "Burp", "--minimum-severity", "info", "--preview")
    assert lowered["may_bring"] == said["closes"]
