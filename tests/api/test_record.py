"""Records over the API: each way in which it is not decided, and all decisions once."""

from __future__ import annotations

from tests.api.house import NOBODY_HAS, House, Sad, bad_query, forbidden, house, missing, refused, sad, undone, wrong
from tidegate.store.models import Operation, Record

__all__ = ["house", "undone"]


@sad(
    missing("of the other side", "GET", "/records/{other.shop}", who="reader of own"),
    missing("there is none", "GET", "/records/{nobody}", says="There is no Record"),
    bad_query("a state that there is not", "/records", state="lost"),
    bad_query("an order that there is not", "/records", sort="name; drop table record"),
    bad_query("a day that there is not", "/records", seen_since="2026-02-30"),
    missing("one of several is not there", "POST", "/records/ignore", {"record_ids": ["{own.new}", "{nobody}"]}),
    missing(
        "one of several is of others",
        "POST",
        "/records/ignore",
        {"record_ids": ["{own.new}", "{other.new}"]},
        who="mapper of own",
    ),
    forbidden("by a reader", "reader", "POST", "/records/ignore", {"record_ids": ["{own.new}"]}),
    wrong("none is named", "POST", "/records/map", {"record_ids": [], "new_product": "x"}, "#/record_ids"),
    wrong("a number as text", "POST", "/records/delete", {"record_ids": ["7"]}, "#/record_ids/0"),
    wrong(
        "a reason that is too long", "POST", "/records/ignore", {"record_ids": [1], "because": "x" * 2001}, "#/because"
    ),
    wrong(
        "an epoch of no number",
        "POST",
        "/records/map",
        {"record_ids": [1], "new_product": "x", "epochs": {"x": 1}},
        "#/epochs/x",
    ),
    refused("no Product is named", "POST", "/records/map", {"record_ids": ["{own.new}"]}, "not clear which Product"),
    refused(
        "two are named",
        "POST",
        "/records/map",
        {"record_ids": ["{own.new}"], "product_id": "{own.product}", "new_product": "x"},
    ),
    refused(
        "a new one that is there",
        "POST",
        "/records/map",
        {"record_ids": ["{own.new}"], "new_product": "Own product"},
        "«Own product» already",
    ),
    missing(
        "a Product of others",
        "POST",
        "/records/map",
        {"record_ids": ["{own.new}"], "product_id": "{other.product}"},
        who="mapper of own",
    ),
    wrong("nothing is named to undo", "POST", "/records/undo", {}, "#/step"),
    wrong("a step that is none", "POST", "/records/undo", {"step": "7"}, "#/step"),
    missing("a step that nobody took", "POST", "/records/undo", {"step": "6f1f6cd0-0000-4000-8000-000000000000"}),
)
def test_what_cannot_be_done_is_told_with_its_why_and_the_next_step(undone: House, one: Sad):
    one.check(undone)


def test_a_record_is_decided_and_each_decision_undone(undone: House):
    asked, new = undone.as_("mapper"), undone.own.new

    mapped = asked.post("/records/map", {"record_ids": [new], "product_id": undone.own.product})
    assert mapped.status == 200
    assert [(one["id"], one["ok"]) for one in mapped.json["items"]] == [(new, True)]
    shown = asked.get(f"/records/{new}").json
    assert (shown["record"]["state"], shown["record"]["product"], shown["finalized_by"]) == (
        "Good", "Own product", "mapper",
    )  # fmt: skip
    assert new in Operation.objects.get(status="pending", connection_id=undone.own.connection).scope["records"]

    back = asked.post("/records/undo", {"step": mapped.json["step"]})
    assert back.json["items"][0]["ok"]
    assert asked.get(f"/records/{new}").json["record"]["state"] == "New"

    ignored = asked.post("/records/ignore", {"record_ids": [new], "because": "a copy"})
    assert "a copy" in asked.get(f"/records/{new}").json["record"]["why"], ignored.json
    assert asked.post("/records/restore", {"record_ids": [new]}).json["items"][0]["ok"]
    assert asked.post("/records/delete", {"record_ids": [new]}).json["items"][0]["ok"]
    assert asked.get(f"/records/{new}").status == 404
    assert Record.objects.get(pk=new).deleted_at is not None


def test_one_that_was_decided_meanwhile_is_left_alone_and_the_others_are_done(undone: House):
    """Bulk answers per item: 207 where some are done, 409 where none is."""
    asked, new, shop = undone.as_("mapper"), undone.own.new, undone.own.shop
    old = {str(shop): Record.objects.get(pk=shop).epoch - 1}

    some = asked.post("/records/ignore", {"record_ids": [new, shop], "epochs": old})
    none = asked.post("/records/ignore", {"record_ids": [shop], "epochs": old})

    assert (some.status, {one["id"]: one["ok"] for one in some.json["items"]}) == (207, {new: True, shop: False})
    assert (none.status, none.json["step"], [one["ok"] for one in none.json["items"]]) == (409, None, [False])
    assert "after you looked at it" in none.json["items"][0]["sentence"]
    assert asked.post("/records/ignore", {"record_ids": [new, NOBODY_HAS]}).status == 404
