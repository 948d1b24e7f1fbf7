"""Tests over the API: each way in which it is not done, and all of them done once."""

from __future__ import annotations

from tests.api.house import House, Sad, bad_query, forbidden, house, missing, refused, sad, undone, wrong
from tidegate.store import models

__all__ = ["house", "undone"]


@sad(
    missing("of the other side", "GET", "/tests/{other.test}", who="reader of own"),
    missing("there is none", "GET", "/tests/{nobody}", says="There is no Test"),
    bad_query("of no number", "/tests", engagement_id="0"),
    wrong("a name that is none", "PATCH", "/tests/{own.test}", {"name": 7}, "#/name"),
    refused("a name of nothing", "PATCH", "/tests/{own.test}", {"name": ""}),
    forbidden("by an operator", "operator", "PATCH", "/tests/{own.test}", {"name": "x"}),
    refused("another name was typed", "DELETE", "/tests/{own.test}", {"typed_name": "x"}, "is called"),
)
def test_what_cannot_be_done_is_told_with_its_why_and_the_next_step(undone: House, one: Sad):
    one.check(undone)


def test_a_test_is_renamed_and_deleted_with_its_findings(undone: House):
    asked, number = undone.as_("administrator"), undone.own.test

    renamed = asked.patch(f"/tests/{number}", {"name": "What Acme found"})
    assert (renamed.json["name"], renamed.json["product"]) == ("What Acme found", "Own product")
    assert [one["id"] for one in asked.get("/tests", search="acme found").json["tests"]] == [number]

    gone = asked.delete(f"/tests/{number}", {"typed_name": "What Acme found"})
    assert gone.json == {"stale": [undone.own.shop, undone.own.missing]}
    assert not models.Test.objects.filter(pk=number).exists()
    assert not models.Finding.objects.filter(pk=undone.own.finding).exists()
