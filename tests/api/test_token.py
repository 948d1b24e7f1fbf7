"""Tokens over the API: each way in which none is made, and one from its making to its end."""

from __future__ import annotations

from tests.api.house import House, Sad, bad_query, forbidden, house, missing, refused, sad, undone, wrong
from tidegate.store.models import Token

__all__ = ["house", "undone"]


@sad(
    missing("of another", "GET", "/tokens/1", who="reader of own"),
    missing("there is none", "GET", "/tokens/{nobody}", says="There is no Token"),
    missing("revoked, of another", "DELETE", "/tokens/1", who="reader of own"),
    forbidden("revoked, of another that they see", "operator", "DELETE", "/tokens/1"),
    bad_query("neither yes nor no", "/tokens", alive="perhaps"),
    wrong("without a role", "POST", "/tokens", {"name": "x", "grants": []}, "#/grants"),
    wrong("without a name", "POST", "/tokens", {"grants": [{"role": "reader"}]}, "#/name"),
    wrong("for ever", "POST", "/tokens", {"name": "x", "grants": [{"role": "reader"}], "days": 366}, "#/days"),
    wrong("for no day", "POST", "/tokens", {"name": "x", "grants": [{"role": "reader"}], "days": 0}, "#/days"),
    refused("a name of nothing", "POST", "/tokens", {"name": " ", "grants": [{"role": "reader"}]}),
    missing("of nobody", "POST", "/tokens", {"name": "x", "grants": [{"role": "reader"}], "user_id": "{nobody}"}),
    forbidden(
        "for another", "operator", "POST", "/tokens", {"name": "x", "grants": [{"role": "reader"}], "user_id": 1}
    ),
    refused(
        "by a token of no administrator",
        "POST",
        "/tokens",
        {"name": "x", "grants": [{"role": "reader"}]},
        "makes no other tokens",
        "operator",
    ),
)
def test_what_cannot_be_done_is_told_with_its_why_and_the_next_step(undone: House, one: Sad):
    one.check(undone)


def test_a_token_is_shown_once_may_no_more_than_it_says_and_ends_at_once(undone: House):
    """promises.md, Users: tokens are shown once, stored hashed, scoped and expire."""
    asked = undone.as_("administrator")

    made = asked.post("/tokens", {"name": "nightly", "grants": [{"role": "reader"}], "days": 7})
    text, number = made.json["token"], made.json["id"]
    assert (made.status, made.headers["location"]) == (201, f"/api/v1/tokens/{number}")
    shown = asked.get(f"/tokens/{number}")
    assert (shown.json["state"], shown.json["user"], shown.json["beginning"]) == ("active", "administrator", text[:8])
    for answer in (shown, asked.get("/tokens"), asked.get("/audit")):
        assert text[8:] not in answer.body.decode()
    assert text.encode() not in bytes(Token.objects.get(pk=number).hash)

    bearer = {"authorization": f"Bearer {text}"}
    nobody = undone.as_("nobody")
    assert nobody.ask("GET", "/products", {}, headers=bearer).status == 200
    assert nobody.ask("POST", "/products", {}, {"name": "x"}, bearer).status == 403
    assert asked.delete(f"/tokens/{number}").json["state"] == "revoked"
    assert nobody.ask("GET", "/products", {}, headers=bearer).status == 401
    again = asked.delete(f"/tokens/{number}")
    assert (again.status, "revoked already" in again.json["detail"]) == (409, True)
