"""Mapping rules over the API: each way in which they are not kept, and all of them done once."""

from __future__ import annotations

from tests.api.house import House, Sad, forbidden, house, missing, refused, sad, undone, wrong
from tidegate.store.models import Record

__all__ = ["house", "undone"]


@sad(
    missing("of the other side", "GET", "/connections/{other.connection}/rules", who="reader of own"),
    missing("tried on the other side", "POST", "/connections/{other.connection}/rules/try", {}, who="reader of own"),
    missing(
        "edited on the other side",
        "PUT",
        "/rules/{other.rule}",
        {"rule": {"pattern": "a", "ignore": True}},
        who="mapper of own",
    ),
    forbidden("by a reader", "reader", "DELETE", "/rules/{own.rule}", {}),
    wrong(
        "without a pattern", "POST", "/connections/{own.connection}/rules", {"rule": {"ignore": True}}, "#/rule/pattern"
    ),
    wrong(
        "a field that there is not",
        "POST",
        "/connections/{own.connection}/rules",
        {"rule": {"pattern": "a", "ignore": True, "field": "colour"}},
        "#/rule/field",
    ),
    wrong(
        "a rule with more than there is",
        "PUT",
        "/connections/{own.connection}/rules",
        {"rules": [{"pattern": "a", "ignore": True, "nonsense": 1}]},
        "#/rules/0/nonsense",
    ),
    refused("no answer", "POST", "/connections/{own.connection}/rules", {"rule": {"pattern": "a"}}, "not clear"),
    refused(
        "two answers",
        "POST",
        "/connections/{own.connection}/rules",
        {"rule": {"pattern": "a", "ignore": True, "template": "{parent}"}},
    ),
    refused(
        "a pattern that is none",
        "POST",
        "/connections/{own.connection}/rules",
        {"rule": {"pattern": "(", "syntax": "regex", "ignore": True}},
    ),
    refused(
        "a pattern that would take for ever",
        "POST",
        "/connections/{own.connection}/rules",
        {"rule": {"pattern": "(a+)+\\1", "syntax": "regex", "ignore": True}},
    ),
    missing(
        "a Product of others",
        "POST",
        "/connections/{own.connection}/rules",
        {"rule": {"pattern": "a", "product_id": "{other.product}"}},
        who="mapper of own",
    ),
    forbidden(
        "a template, by who has one Connection",
        "mapper of own",
        "POST",
        "/connections/{own.connection}/rules",
        {"rule": {"pattern": "a", "template": "{parent}"}},
    ),
    refused("a place that there is not", "POST", "/rules/{own.rule}/move", {"position": 99}, "position 99"),
    wrong("before the first", "POST", "/rules/{own.rule}/move", {"position": 0}, "#/position"),
)
def test_what_cannot_be_done_is_told_with_its_why_and_the_next_step(undone: House, one: Sad):
    one.check(undone)


def test_rules_are_tried_kept_moved_and_decide_anew_if_that_is_asked_for(undone: House):
    asked, own = undone.as_("mapper"), undone.own
    path = f"/connections/{own.connection}/rules"

    tried = asked.post(f"{path}/try", {"tried": [{"pattern": "Own new", "product_id": own.product}]})
    assert tried.status == 200
    assert Record.objects.get(pk=own.new).decision == "undecided"

    added = asked.post(path, {"rule": {"pattern": "Own new", "product_id": own.product}, "position": 1})
    assert (added.status, added.headers["location"]) == (201, f"/api/v1{path}")
    assert [one["pattern"] for one in added.json["rules"]] == ["Own new", "Own*"]
    first = added.json["rules"][0]["id"]

    moved = asked.post(f"/rules/{first}/move", {"position": 2})
    assert [one["id"] for one in moved.json["rules"]] == [own.rule, first]
    edited = asked.put(f"/rules/{own.rule}", {"rule": {"pattern": "nothing", "ignore": True}, "again": True})
    assert edited.json["step"] is not None, edited.json
    assert Record.objects.get(pk=own.new).decision == "mapped"
    assert asked.delete(f"/rules/{first}", {}).json["rules"][0]["pattern"] == "nothing"
    assert asked.put(path, {"rules": []}).json["rules"] == []
