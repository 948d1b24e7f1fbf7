"""Engagements over the API: each way in which it is not done, and all of them done once."""

from __future__ import annotations

from tests.api.house import House, Sad, bad_query, forbidden, house, missing, refused, sad, undone, wrong
from tidegate.store.models import Engagement, Finding

__all__ = ["house", "undone"]


@sad(
    missing("of the other side", "GET", "/engagements/{other.engagement}", who="reader of own"),
    missing("there is none", "GET", "/engagements/{nobody}", says="There is no Engagement"),
    bad_query("of no number", "/engagements", product_id="x"),
    wrong("without a name", "PATCH", "/engagements/{own.engagement}", {}, "#/name"),
    refused("a name of nothing", "PATCH", "/engagements/{own.engagement}", {"name": "\t"}),
    refused("a name of 256 letters", "PATCH", "/engagements/{own.engagement}", {"name": "x" * 256}),
    forbidden("by an operator", "operator", "PATCH", "/engagements/{own.engagement}", {"name": "x"}),
    refused("another name was typed", "DELETE", "/engagements/{own.engagement}", {"typed_name": "x"}, "is called"),
    wrong("no name was typed", "DELETE", "/engagements/{own.engagement}", {}, "#/typed_name"),
)
def test_what_cannot_be_done_is_told_with_its_why_and_the_next_step(undone: House, one: Sad):
    one.check(undone)


def test_an_engagement_is_renamed_and_deleted_with_all_that_is_in_it(undone: House):
    asked, number = undone.as_("administrator"), undone.own.engagement

    renamed = asked.patch(f"/engagements/{number}", {"name": "Scanners"})
    assert renamed.json["engagement"]["name"] == "Scanners"
    listed = asked.get("/engagements", product_id=undone.own.product).json["engagements"]
    assert [one["id"] for one in listed] == [number]

    gone = asked.delete(f"/engagements/{number}", {"typed_name": "Scanners"})
    assert gone.json == {"stale": [undone.own.shop, undone.own.missing]}
    assert not Engagement.objects.filter(pk=number).exists()
    assert not Finding.objects.filter(pk=undone.own.finding).exists()
    assert Finding.objects.filter(pk=undone.other.finding).exists()
