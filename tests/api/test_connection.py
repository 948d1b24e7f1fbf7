"""Connections over the API: each way in which it is not done, and all of them done once."""

from __future__ import annotations

from tests.actions.ways import CANARY
from tests.api.house import House, Sad, bad_query, forbidden, house, missing, refused, sad, undone, wrong
from tidegate.catalog import stored_secrets
from tidegate.store.models import Connection, Operation

__all__ = ["house", "undone"]


@sad(
    missing("of the other side", "GET", "/connections/{other.connection}", who="reader of own"),
    missing("there is none", "GET", "/connections/{nobody}", says="There is no Connection"),
    bad_query("a health that there is not", "/connections", health="sick"),
    bad_query("neither yes nor no", "/connections", paused="perhaps"),
    bad_query("a severity that there is not", "/connections/{own.connection}/threshold", minimum_severity="Awful"),
    missing("a Tool that there is not", "POST", "/connections", {"tool": "nothing", "label": "x"}),
    refused("a label that is taken", "POST", "/connections", {"tool": "acme", "label": "Own scanner"}, "Own scanner"),
    refused("a label of nothing", "POST", "/connections", {"tool": "acme", "label": " "}),
    refused(
        "a setting that there is not",
        "POST",
        "/connections",
        {"tool": "acme", "label": "x", "settings": {"nonsense": 1}},
        "no setting of a name that was given",
    ),
    refused(
        "a secret among the settings",
        "POST",
        "/connections",
        {"tool": "acme", "label": "x", "settings": {"token": CANARY}},
    ),
    refused(
        "a setting among the secrets",
        "POST",
        "/connections",
        {"tool": "acme", "label": "x", "secrets": {"url": CANARY}},
    ),
    wrong(
        "a secret that is no text",
        "POST",
        "/connections",
        {"tool": "acme", "label": "x", "secrets": {"token": 7}},
        "#/secrets",
    ),
    wrong(
        "a severity",
        "POST",
        "/connections",
        {"tool": "acme", "label": "x", "minimum_severity": "Awful"},
        "#/minimum_severity",
    ),
    missing(
        "to continue what there is not", "POST", "/connections", {"tool": "acme", "label": "x", "continues": "{nobody}"}
    ),
    wrong(
        "a day that there is not",
        "PATCH",
        "/connections/{own.connection}",
        {"secret_ends": "2026-02-30"},
        "#/secret_ends",
    ),
    wrong("more than all", "PATCH", "/connections/{own.connection}", {"hold_percent": 101}, "#/hold_percent"),
    refused("a label of another", "PATCH", "/connections/{own.connection}", {"label": "Foreign scanner"}),
    forbidden("edited by an operator", "operator", "PATCH", "/connections/{own.connection}", {"label": "x"}),
    refused("to resume what runs", "POST", "/connections/{own.connection}/resume"),
    refused("another label was typed", "DELETE", "/connections/{own.connection}", {"typed_label": "x"}),
    missing("a Record of others", "POST", "/connections/{own.connection}/sync", {"record_ids": ["{other.shop}"]}),
    refused(
        "a Record that nothing flows from",
        "POST",
        "/connections/{own.connection}/sync",
        {"record_ids": ["{own.new}"]},
        "cannot sync",
    ),
    wrong("no Record", "POST", "/connections/{own.connection}/sync", {"record_ids": []}, "#/record_ids"),
)
def test_what_cannot_be_done_is_told_with_its_why_and_the_next_step(undone: House, one: Sad):
    one.check(undone)


def test_a_connection_from_its_making_to_its_end(undone: House):
    """promises.md, Secrets: write-only through the API."""
    asked = undone.as_("administrator")

    made = asked.post("/connections", {"tool": "acme", "label": "Fresh", "secrets": {"token": CANARY}})
    number = made.json["connection"]["id"]
    assert (made.status, made.headers["location"]) == (201, f"/api/v1/connections/{number}")
    assert (made.json["secrets"], made.json["settings"].get("token")) == (["token"], None)
    assert Operation.objects.get(connection_id=number).type == "discover"

    shown = asked.get(f"/connections/{number}")
    edited = asked.patch(f"/connections/{number}", {"label": "Renamed"}, if_match=shown.headers["etag"])
    late = asked.patch(f"/connections/{number}", {"label": "Late"}, if_match=shown.headers["etag"])
    assert (edited.status, edited.json["connection"]["connection"]["label"]) == (200, "Renamed")
    assert (late.status, late.problem) == (412, "changed")

    paused = asked.post(f"/connections/{number}/pause", {"because": "moving"})
    assert (paused.json["cancelled"], paused.json["connection"]["connection"]["state"]) == (1, "paused")
    not_now = asked.post(f"/connections/{number}/discover")
    assert (not_now.status, "moving" in not_now.json["detail"]) == (409, True)
    assert asked.post(f"/connections/{number}/resume").json["connection"]["state"] != "paused"

    asked.patch(f"/connections/{number}", {"secrets": {"token": f"{CANARY} 2"}})
    assert stored_secrets(Connection.objects.get(pk=number))["token"].get_secret_value() == f"{CANARY} 2"
    assert asked.delete(f"/connections/{number}", {"typed_label": "Renamed"}).status == 200
    assert asked.get(f"/connections/{number}").status == 404
    for answer in (made, shown, edited, late, paused):
        assert CANARY not in answer.body.decode()


def test_settings_are_tried_before_anything_is_kept(undone: House):
    asked, before = undone.as_("administrator"), Connection.objects.count()

    good = asked.post("/connections/try", {"tool": "acme", "secrets": {"token": "acme-secret-token"}})
    bad = asked.post("/connections/try", {"tool": "acme", "secrets": {"token": CANARY}})

    assert (good.status, good.json["ok"], good.json["account"]["id"]) == (200, True, "acme-1")
    assert (bad.status, bad.json["ok"], bad.json["account"]) == (200, False, None)
    assert CANARY not in bad.body.decode()
    assert Connection.objects.count() == before
