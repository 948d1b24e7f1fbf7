"""Suggestions over the API: each way in which two are not made one, and once they are."""

from __future__ import annotations

from tests.api.house import House, Sad, bad_query, forbidden, house, missing, refused, sad, undone, wrong
from tidegate.store.models import Record

__all__ = ["house", "undone"]


@sad(
    bad_query("of no number", "/suggestions", connection_id="x"),
    wrong("one of two", "POST", "/suggestions/accept", {"missing_id": 1}, "#/new_id"),
    missing(
        "one that there is not", "POST", "/suggestions/accept", {"missing_id": "{own.missing}", "new_id": "{nobody}"}
    ),
    missing(
        "one of others",
        "POST",
        "/suggestions/accept",
        {"missing_id": "{own.missing}", "new_id": "{other.new}"},
        who="mapper of own",
    ),
    refused(
        "two of two Connections",
        "POST",
        "/suggestions/accept",
        {"missing_id": "{own.missing}", "new_id": "{other.new}"},
        "is of",
    ),
    refused("one and itself", "POST", "/suggestions/accept", {"missing_id": "{own.new}", "new_id": "{own.new}"}),
    refused(
        "one that is not Missing",
        "POST",
        "/suggestions/accept",
        {"missing_id": "{own.shop}", "new_id": "{own.new}"},
        "is not Missing",
    ),
    refused(
        "one that is not New", "POST", "/suggestions/accept", {"missing_id": "{own.missing}", "new_id": "{own.shop}"}
    ),
    refused(
        "what was not dismissed",
        "POST",
        "/suggestions/suggest-again",
        {"missing_id": "{own.missing}", "new_id": "{own.new}"},
        "were not dismissed",
    ),
    forbidden(
        "by a reader", "reader", "POST", "/suggestions/dismiss", {"missing_id": "{own.missing}", "new_id": "{own.new}"}
    ),
)
def test_what_cannot_be_done_is_told_with_its_why_and_the_next_step(undone: House, one: Sad):
    one.check(undone)


def test_two_become_one_and_two_again(undone: House):
    asked, own = undone.as_("mapper"), undone.own
    pair = {"missing_id": own.missing, "new_id": own.new}

    assert asked.post("/suggestions/dismiss", pair).status == 200
    assert asked.post("/suggestions/suggest-again", pair).status == 200
    accepted = asked.post("/suggestions/accept", pair)

    assert accepted.json["items"][0]["id"] == own.missing
    one = asked.get(f"/records/{own.missing}").json["record"]
    assert (one["state"], one["vendor_id"], one["product"]) == ("Good", "id of Own new", "Own product")
    assert asked.get(f"/records/{own.new}").status == 404
    assert asked.post("/records/undo", {"step": accepted.json["step"]}).json["items"][0]["ok"]
    assert Record.objects.get(pk=own.new).deleted_at is None
