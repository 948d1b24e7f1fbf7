"""People over the API: each way in which it is not done, and all of them done once."""

from __future__ import annotations

from tests.actions.ways import CANARY
from tests.api.house import House, Sad, bad_query, forbidden, house, missing, refused, sad, undone, wrong
from tidegate.store.models import Token, User

__all__ = ["house", "undone"]


@sad(
    missing("another one, for who is none of theirs", "GET", "/users/1", who="reader of own"),
    missing("there is none", "GET", "/users/{nobody}", says="There is no User"),
    bad_query("neither yes nor no", "/users", active="perhaps"),
    forbidden("by an operator", "operator", "POST", "/users", {"name": "x"}),
    forbidden("by an administrator of a part", "administrator of own", "POST", "/users", {"name": "x"}),
    refused("a name that is taken, in other letters", "POST", "/users", {"name": "EVE"}),
    refused("a name of nothing", "POST", "/users", {"name": " "}),
    refused("a password that is too short", "POST", "/users", {"name": "x", "password": "short"}),
    refused("a password that everybody has", "POST", "/users", {"name": "x", "password": "password1234"}),
    wrong("a password that is no text", "POST", "/users", {"name": "x", "password": 123456789012}, "#/password"),
    refused(
        "a service with a password",
        "POST",
        "/users",
        {"name": "x", "kind": "service", "password": f"{CANARY} long enough"},
    ),
    refused("no mail address", "POST", "/users", {"name": "x", "email": "x@"}, "is not a mail address"),
    wrong("a role that there is not", "POST", "/users", {"name": "x", "grants": [{"role": "king"}]}, "#/grants/0/role"),
    missing(
        "a role for what there is not",
        "POST",
        "/users",
        {"name": "x", "grants": [{"role": "reader", "scope": "product", "id": "{nobody}"}]},
    ),
    refused(
        "a role for something without its number",
        "POST",
        "/users",
        {"name": "x", "grants": [{"role": "reader", "scope": "product"}]},
    ),
    refused(
        "two roles for one thing", "POST", "/users", {"name": "x", "grants": [{"role": "reader"}, {"role": "mapper"}]}
    ),
    wrong("a grant with more than there is", "PUT", "/users/1/grants", {"role": "reader", "nonsense": 1}, "#/nonsense"),
    refused("a role that they have not", "DELETE", "/users/1/grants", {"scope": "product", "id": "{own.product}"}),
    refused("in already", "POST", "/users/1/reactivate", says="may come in already"),
    refused("no second factor", "POST", "/users/1/reset-second-factor", says="has no second factor"),
)
def test_what_cannot_be_done_is_told_with_its_why_and_the_next_step(undone: House, one: Sad):
    one.check(undone)


def test_a_person_comes_and_goes(undone: House):
    """promises.md, Secrets: a password is in no answer."""
    asked, own = undone.as_("administrator"), undone.own
    password = f"{CANARY} long enough"
    grants = [{"role": "mapper", "scope": "product", "id": own.product}]

    made = asked.post("/users", {"name": "Dora", "email": "d@example.org", "password": password, "grants": grants})
    number = made.json["id"]
    assert (made.status, made.headers["location"], made.json["password"]) == (201, f"/api/v1/users/{number}", True)
    assert [(one["role"], one["scope"]) for one in made.json["grants"]] == [("mapper", "product")]
    assert User.objects.get(pk=number).check_password(password)

    assert asked.patch(f"/users/{number}", {"name": "Dorothy"}).json["name"] == "Dorothy"
    given = asked.put(f"/users/{number}/grants", {"role": "reader"})
    assert {one["role"] for one in given.json["grants"]} == {"mapper", "reader"}
    taken = asked.delete(f"/users/{number}/grants", {"scope": "product", "id": own.product})
    assert [one["role"] for one in taken.json["grants"]] == ["reader"]
    changed = asked.put(f"/users/{number}/password", {"password": f"{password} 2"})
    assert User.objects.get(pk=number).check_password(f"{password} 2")

    token = asked.post("/tokens", {"name": "t", "user_id": number, "grants": [{"role": "reader"}]}).json["id"]
    left = asked.post(f"/users/{number}/deactivate")
    assert (left.json["active"], Token.objects.get(pk=token).revoked_at is None) == (False, False)
    assert asked.post(f"/users/{number}/reactivate").json["active"] is True
    for answer in (made, changed, left, asked.get("/users"), asked.get("/audit")):
        assert CANARY not in answer.body.decode()


def test_the_last_administrator_stays(undone: House):
    asked = undone.as_("administrator")
    me = asked.get("/me").json["id"]
    others = User.objects.filter(is_active=True, kind="person").exclude(pk=me)
    for one in others.values_list("pk", flat=True):
        asked.delete(f"/users/{one}/grants", {})

    for answer in (
        asked.post(f"/users/{me}/deactivate"),
        asked.delete(f"/users/{me}/grants", {}),
        asked.put(f"/users/{me}/grants", {"role": "reader"}),
    ):
        assert (answer.status, answer.problem) == (409, "refused")
        assert "last administrator" in answer.json["detail"]
