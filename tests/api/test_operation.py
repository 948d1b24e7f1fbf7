"""Operations over the API: each way in which they are not decided, and each decision about them once."""

from __future__ import annotations

from tests.api.house import House, Sad, bad_query, forbidden, house, missing, refused, sad, undone, wrong
from tidegate.store.models import LogLine, Operation, Record

__all__ = ["house", "undone"]


@sad(
    missing("of the other side", "GET", "/operations/{other.sync}", who="reader of own"),
    missing("its log", "GET", "/operations/{other.sync}/log", who="reader of own"),
    missing("its progress", "GET", "/operations/{other.sync}/progress", who="reader of own"),
    missing("its differences", "GET", "/operations/{other.sync}/differences", who="reader of own"),
    missing("there is none", "GET", "/operations/{nobody}", says="There is no Operation"),
    bad_query("a status that there is not", "/operations", status="lost"),
    bad_query("a type that there is not", "/operations", type="import"),
    bad_query("a level that there is not", "/operations/1/log", level="loud"),
    bad_query("lines before the first", "/operations/1/log", after="-1"),
    Sad("a cursor that is none", "reader", "GET", "/operations", None, 400, "cursor", query={"cursor": "x"}),
    refused("to cancel what ended", "POST", "/operations/{own.sync}/cancel", says="has ended already"),
    refused("to believe what holds nothing", "POST", "/operations/{own.sync}/approve", says="holds nothing"),
    refused("to keep open what holds nothing", "POST", "/operations/{own.sync}/keep-open", says="holds nothing"),
    wrong("to undo for no Record", "POST", "/operations/{own.sync}/undo", {"record_ids": []}, "#/record_ids"),
    forbidden("by a mapper", "mapper", "POST", "/operations/{own.held}/approve"),
)
def test_what_cannot_be_done_is_told_with_its_why_and_the_next_step(undone: House, one: Sad):
    one.check(undone)


def test_an_absence_that_was_held_is_believed_or_not(undone: House):
    asked, held, shop = undone.as_("operator"), undone.own.held, undone.own.shop
    assert [one["id"] for one in asked.get("/operations", held="true").json["operations"]] == [undone.other.held, held]
    assert asked.get(f"/operations/{held}").json["held"][0]["record_id"] == shop

    approved = asked.post(f"/operations/{held}/approve")
    kept = asked.post(f"/operations/{undone.other.held}/keep-open")

    assert (approved.json, kept.json["settled"]) == ({"operation_id": held, "settled": 1}, 1)
    assert Record.objects.get(pk=shop).absent_since is not None
    assert Record.objects.get(pk=undone.other.shop).absent_since is None
    assert asked.get("/operations", held="true").json["operations"] == []


def test_what_waits_is_cancelled_and_what_failed_is_asked_for_again(undone: House):
    asked, own = undone.as_("operator"), undone.own
    Operation.objects.filter(status="pending").delete()

    again = asked.post(f"/operations/{own.failed}/again")
    number = again.json["operation"]["id"]
    too_soon = asked.post(f"/operations/{number}/again")
    cancelled = asked.post(f"/operations/{number}/cancel")

    assert (again.status, again.headers["location"]) == (202, f"/api/v1/operations/{number}")
    assert (again.json["operation"]["status"], again.json["operation"]["actor"]) == ("pending", "operator")
    assert (too_soon.status, too_soon.json["detail"]) == (409, f"Operation {number} has not ended.")
    assert cancelled.json["operation"]["status"] == "cancelled"
    assert Operation.objects.get(pk=number).ended_at is not None


def test_a_log_is_read_line_by_line(undone: House):
    asked, number = undone.as_("reader"), undone.own.sync
    for n, level in enumerate(("debug", "info", "error", "error"), 1):
        LogLine.objects.create(operation_id=number, n=n, level=level, text=f"Line {n}", facts={"word": f"w{n}"})

    def lines(**query: str) -> list[int]:
        return [line["n"] for line in asked.get(f"/operations/{number}/log", **query).json["lines"]]

    assert lines() == [1, 2, 3, 4]
    assert lines(level="error") == [3, 4]
    assert lines(search="LINE w2") == [2]
    assert lines(after="2", limit="1") == [3]
