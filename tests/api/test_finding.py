"""Findings over the API: each way in which nothing is decided, and every decision once."""

from __future__ import annotations

from tests.api.house import House, Sad, bad_query, forbidden, house, missing, refused, sad, undone, wrong
from tidegate.store.models import Decision, Finding

__all__ = ["house", "undone"]


@sad(
    missing("of the other side", "GET", "/findings/{other.finding}", who="reader of own"),
    missing("its story", "GET", "/findings/{other.finding}/story", who="reader of own"),
    missing("there is none", "GET", "/findings/{nobody}", says="There is no finding"),
    bad_query("a severity that there is not", "/findings", severity="Awful"),
    bad_query("a CWE that cannot be", "/findings", cwe="0"),
    bad_query("an export of no form", "/findings/export", format="pdf"),
    bad_query("a filter that an export has not", "/findings/export", sort="newest"),
    bad_query("a CWE of an export that cannot be", "/findings/export", cwe="0"),
    Sad(
        "a cursor of another order",
        "reader",
        "GET",
        "/findings",
        None,
        400,
        "cursor",
        query={"cursor": "WyJuZXdlc3QiLDEsMV0", "sort": "oldest"},
    ),
    missing(
        "decided about one of others",
        "PATCH",
        "/findings/{other.finding}/decisions",
        {"note": "x"},
        who="mapper of own",
    ),
    forbidden("by a reader", "reader", "PATCH", "/findings/{own.finding}/decisions", {"note": "x"}),
    refused("nothing is decided", "PATCH", "/findings/{own.finding}/decisions", {}, "Nothing was decided"),
    wrong("a verdict that is none", "PATCH", "/findings/{own.finding}/decisions", {"verdict": "boring"}, "#/verdict"),
    wrong(
        "an end without its zone",
        "PATCH",
        "/findings/{own.finding}/decisions",
        {"verdict": "accepted", "until": "2099-01-01T00:00:00"},
        "#/until",
    ),
    refused(
        "an end that was",
        "PATCH",
        "/findings/{own.finding}/decisions",
        {"verdict": "accepted", "until": "2020-01-01T00:00:00Z"},
        "would have ended already",
    ),
    refused(
        "an end of what has none",
        "PATCH",
        "/findings/{own.finding}/decisions",
        {"verdict": "false positive", "until": "2099-01-01T00:00:00Z"},
    ),
    wrong("a note that is too long", "PATCH", "/findings/{own.finding}/decisions", {"note": "x" * 10_001}, "#/note"),
    refused("a tag of nothing", "PATCH", "/findings/{own.finding}/decisions", {"tags": [" "]}),
    missing(
        "closing one of others", "POST", "/findings/close", {"finding_ids": ["{other.finding}"]}, who="mapper of own"
    ),
    refused("closing none", "POST", "/findings/close", {}, "not clear which findings"),
)
def test_what_cannot_be_done_is_told_with_its_why_and_the_next_step(undone: House, one: Sad):
    one.check(undone)


def test_everything_that_can_be_decided_about_a_finding_is_decided_and_taken_back(undone: House):
    asked, path = undone.as_("mapper"), f"/findings/{undone.own.finding}/decisions"
    said = {"verdict": "accepted", "until": "2099-01-01T00:00:00Z", "severity": "Low", "verified": True,
            "note": "known", "tags": ["b", "a"]}  # fmt: skip

    decided = asked.patch(path, said).json["finding"]

    assert (decided["finding"]["active"], decided["finding"]["severity"]) == (False, "Low")
    assert decided["finding"]["why"].startswith("Inactive: mapper says accepted until 2099-01-01")
    told = {one["field"]: (one["value"], one["by"]) for one in decided["decisions"]}
    assert {field: by for field, (_, by) in told.items()} == dict.fromkeys(
        ("verdict", "severity", "verified", "note", "tags"), "mapper"
    )
    assert told["note"][0] == "known"
    assert [one["actor"] for one in asked.get(f"/findings/{undone.own.finding}/story").json["events"]][-1] == "mapper"

    back = {"verdict": "none", "severity": "none", "note": "", "tags": []}
    assert asked.patch(path, back).json["finding"]["finding"]["active"] is True
    assert list(Decision.objects.values_list("field", flat=True)) == ["verified"]


def test_only_what_nothing_watches_is_closed_by_hand(undone: House):
    asked, one = undone.as_("mapper"), undone.own.finding

    watched = asked.post("/findings/close", {"finding_ids": [one]})
    asked.post("/records/ignore", {"record_ids": [undone.own.shop]})
    closed = asked.post("/findings/close", {"finding_ids": [one]})

    assert (watched.status, watched.json["changed"], watched.json["refused"]) == (409, 0, 1)
    assert (closed.status, closed.json["changed"]) == (200, 1)
    assert not Finding.objects.get(pk=one).open
