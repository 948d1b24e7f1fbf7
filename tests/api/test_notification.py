"""News over the API: routes that cannot be, and one from its making to its end."""

from __future__ import annotations

from tests.actions.ways import CANARY, HOOK
from tests.api.house import House, Sad, bad_query, forbidden, house, missing, refused, sad, undone, wrong
from tidegate.store.models import Delivery, News, Route

__all__ = ["house", "undone"]


@sad(
    missing("of the other side", "GET", "/routes/{other.route}", who="reader of own"),
    missing("there is none", "GET", "/routes/{nobody}", says="There is no route"),
    bad_query("news of no number", "/news", connection_id="x"),
    wrong("without an address", "POST", "/routes", {"name": "x"}, "#/address"),
    wrong("an address that is too long", "POST", "/routes", {"name": "x", "address": "x" * 4001}, "#/address"),
    refused("an address that leads nowhere", "POST", "/routes", {"name": "x", "address": "nonsense"}),
    refused("a name that is taken", "POST", "/routes", {"name": "Own route", "address": HOOK}, "«Own route» already"),
    missing(
        "for a Connection that there is not",
        "POST",
        "/routes",
        {"name": "x", "address": HOOK, "connection_id": "{nobody}"},
    ),
    missing(
        "for one of others",
        "POST",
        "/routes",
        {"name": "x", "address": HOOK, "connection_id": "{other.connection}"},
        who="administrator of own",
    ),
    forbidden(
        "for all of them, by who has one", "administrator of own", "POST", "/routes", {"name": "x", "address": HOOK}
    ),
    refused("a webhook that is no web address", "POST", "/routes/webhooks", {"name": "x", "address": "ftp://x/"}),
    refused(
        "a secret that is too short",
        "POST",
        "/routes/webhooks",
        {"name": "x", "address": "https://127.0.0.1:1/", "signing_secret": "short"},
    ),
    refused("on where it is on", "PATCH", "/routes/{own.route}", {"on": True}, "switched on already"),
    forbidden(
        "made to be for all, by who has one",
        "administrator of own",
        "PATCH",
        "/routes/{own.route}",
        {"connection_id": 0},
    ),
    refused("a secret of what is no webhook", "POST", "/routes/{own.route}/signing-secret", {}, "is no webhook"),
    refused("to send nothing again", "POST", "/news/replay", {}, "Say which news"),
    refused("to send two things again", "POST", "/news/replay", {"news_id": 1, "since": "2026-01-01T00:00:00Z"}),
    missing("news that there are not", "POST", "/news/replay", {"news_id": "{nobody}"}),
    wrong("a time without its zone", "POST", "/news/replay", {"since": "2026-01-01T00:00:00"}, "#/since"),
)
def test_what_cannot_be_done_is_told_with_its_why_and_the_next_step(undone: House, one: Sad):
    one.check(undone)


def test_a_webhook_from_its_making_to_its_end(undone: House):
    """promises.md, Secrets: what it is signed with is shown once, and its address never."""
    asked, own = undone.as_("administrator"), undone.own
    address = f"https://127.0.0.1:1/{CANARY}"

    made = asked.post("/routes/webhooks", {"name": "Hook", "address": address, "connection_id": own.connection})
    number, secret = made.json["route"]["id"], made.json["signing_secret"]
    assert (made.status, made.headers["location"]) == (201, f"/api/v1/routes/{number}")

    edited = asked.patch(f"/routes/{number}", {"name": "Team", "kinds": ["new_records"], "connection_id": 0})
    assert (edited.json["name"], edited.json["kinds"], edited.json["connection_id"]) == ("Team", ["new_records"], None)
    another = asked.post(f"/routes/{number}/signing-secret", {"keep_former": False})
    assert another.json["signing_secret"] not in ("", secret)
    shown = asked.get("/routes").body + asked.get(f"/routes/{number}").body + edited.body
    assert not [one for one in (CANARY, secret, another.json["signing_secret"]) if one.encode() in shown]

    news = News.objects.create(kind="new_records", connection_id=own.connection, operation_id=own.sync, facts={})
    again = asked.post("/news/replay", {"news_id": news.pk, "route_id": number})
    assert (again.status, again.json) == (202, {"news": 1, "messages": 1})
    assert [one["outcome"] for one in asked.get("/news", route_id=number).json["news"][0]["deliveries"]] == ["waiting"]

    assert asked.patch(f"/routes/{number}", {"on": False}).json["state"] == "off"
    assert Delivery.objects.get(news=news).next_at is None
    removed = asked.delete(f"/routes/{number}")
    assert (removed.status, removed.body) == (204, b"")
    assert not Route.objects.filter(pk=number).exists()


def test_no_part_of_an_address_is_in_what_is_refused(undone: House):
    for path in ("/routes", "/routes/webhooks"):
        for address in (f"nonsense://u:{CANARY}@x", f"{CANARY}", f"https://x y/{CANARY}", f"tgram://{CANARY}"):
            answer = undone.as_("administrator").post(path, {"name": "x", "address": address})
            assert answer.status == 409
            assert CANARY not in answer.body.decode()
