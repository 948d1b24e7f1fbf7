"""Schedules over the API: each way in which they are not kept, and one that is."""

from __future__ import annotations

from tests.api.house import House, Sad, bad_query, forbidden, house, missing, refused, sad, undone, wrong
from tidegate.store.models import Schedule

__all__ = ["house", "undone"]


@sad(
    missing("of the other side", "GET", "/connections/{other.connection}/schedules", who="reader of own"),
    missing("there is none", "GET", "/connections/{nobody}/schedules", says="There is no Connection"),
    bad_query("a page of too many", "/schedules", limit="1001"),
    missing(
        "set on the other side",
        "PATCH",
        "/connections/{other.connection}/schedules/sync",
        {"kind": "off"},
        who="operator of own",
    ),
    Sad("of no type", "operator", "PATCH", "/connections/{own.connection}/schedules/import", {}, pointer="type"),
    forbidden("by a mapper", "mapper", "PATCH", "/connections/{own.connection}/schedules/sync", {"kind": "off"}),
    wrong(
        "a kind that there is not", "PATCH", "/connections/{own.connection}/schedules/sync", {"kind": "often"}, "#/kind"
    ),
    wrong(
        "a day that there is not", "PATCH", "/connections/{own.connection}/schedules/sync", {"weekday": 7}, "#/weekday"
    ),
    refused(
        "a time that there is not",
        "PATCH",
        "/connections/{own.connection}/schedules/sync",
        {"kind": "daily", "at": "25:00"},
    ),
    refused(
        "a zone that there is not",
        "PATCH",
        "/connections/{own.connection}/schedules/sync",
        {"kind": "daily", "at": "02:30", "zone": "Europe/Atlantis"},
    ),
    refused(
        "a zone that is a path",
        "PATCH",
        "/connections/{own.connection}/schedules/sync",
        {"zone": "../../../etc/passwd"},
    ),
    refused(
        "a cron that is none",
        "PATCH",
        "/connections/{own.connection}/schedules/sync",
        {"kind": "cron", "cron": "* * *"},
    ),
    refused(
        "a cron that never comes",
        "PATCH",
        "/connections/{own.connection}/schedules/sync",
        {"kind": "cron", "cron": "0 0 30 2 *"},
    ),
)
def test_what_cannot_be_done_is_told_with_its_why_and_the_next_step(undone: House, one: Sad):
    one.check(undone)


def test_a_schedule_is_set_and_what_is_not_named_stays(undone: House):
    asked, path = undone.as_("operator"), f"/connections/{undone.own.connection}/schedules"

    asked.patch(f"{path}/sync", {"kind": "daily", "at": "02:30", "zone": "Europe/Berlin", "spread_minutes": 0})
    answer = asked.patch(f"{path}/sync", {"at": "03:15"})

    (sync,) = [one for one in answer.json["schedules"] if one["type"] == "sync"]
    assert (sync["kind"], sync["at"], sync["zone"], sync["changed_by"]) == (
        "daily", "03:15", "Europe/Berlin", "operator",
    )  # fmt: skip
    assert len(sync["next"]) == 3
    assert Schedule.objects.get(connection_id=undone.own.connection, type="sync").next_at is not None
    listed = asked.get("/schedules").json["connections"]
    assert {one["connection_id"] for one in listed} >= {undone.own.connection, undone.other.connection}
