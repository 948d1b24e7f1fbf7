"""Settings: people, tokens, notifications, keys, the audit log, and what this house is."""

from __future__ import annotations

import platform
from typing import Final, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from pydantic import SecretStr

from tidegate.actions import route as routing
from tidegate.actions import token as tokening
from tidegate.actions import user as peopling
from tidegate.actions.errors import NotThere, Refused
from tidegate.config import load_settings
from tidegate.reads import audit, route, secret, token, user
from tidegate.reads.page import number
from tidegate.reads.service import service
from tidegate.rules.access import Grant, Role
from tidegate.rules.actor import Actor
from tidegate.rules.news import KINDS
from tidegate.ui.page import act, back, form_page, page, saying, show, tell
from tidegate.ui.table import Table
from tidegate.ui.words import several

ROLES: Final[tuple[Role, ...]] = ("reader", "mapper", "operator", "administrator")
DAYS: Final = (7, 30, 90, 365)


@page
def settings(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """Where what is set up."""
    return show(request, "setting/page.html", {"service": service(), "python": platform.python_version()})


# People


@form_page
def people(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """Who may come in, and what they may do; adding one."""
    refused, given = "", request.POST
    if request.method == "POST":
        try:
            role = given.get("role", "")
            grants = [Grant(cast("Role", role))] if role in ROLES else []
            password = SecretStr(given["password"]) if given.get("password") else None
            peopling.add_user(
                actor, given.get("name", ""), email=given.get("email", ""), password=password, grants=grants
            )
        except Refused as why:
            refused = f"{why.sentence} {why.next_step}"
        else:
            tell(request, f"{given.get('name', '')} may come in.")
            return redirect("people")
    table = Table(request, "people", filters={"active": ("yes", "no")})
    active = table.filter("active")
    found = user.users(
        me=actor.user_id, search=table.search, active=None if active is None else active == "yes",
        cursor=table.cursor, limit=table.limit,
    )  # fmt: skip
    context = {
        "table": table, "found": found, "roles": ROLES, "refused": refused, "given": given,
        "may": actor.access.may("administrator"), "me": actor.user_id,
    }  # fmt: skip
    parts = {"people": "setting/people_table.html"}
    return show(request, "setting/people.html", context, parts=parts, status=422 if refused else 200)


@act
def change_person(request: HttpRequest, actor: Actor, /, *, user_id: int) -> HttpResponse:
    """A button of one person: another role everywhere, let go or back in, logged out everywhere."""
    given = request.POST
    with saying(request):
        match given.get("do"):
            case "role" if given.get("role") in ROLES:
                peopling.grant_role(actor, user_id, cast("Role", given["role"]))
                tell(request, f"They are {given['role']} of everything now.")
            case "take":
                peopling.take_role(actor, user_id)
                tell(request, "Their role for everything is taken.")
            case "deactivate":
                peopling.deactivate_user(actor, user_id)
                tell(request, "They may not come in any more; sessions and tokens have ended.")
            case "reactivate":
                peopling.reactivate_user(actor, user_id)
                tell(request, "They may come in again.")
            case "log out":
                ended = peopling.log_out_everywhere(actor, user_id, also_tokens=False)
                tell(request, f"Logged out of {several(ended, 'browser')}.")
            case "second factor":
                peopling.reset_second_factor(actor, user_id)
                tell(request, "Their second factor is gone; they may set up another.")
            case _:
                tell(request, "Nothing was chosen, so nothing was done.", "warning")
    return back(request, reverse("people"))


# Tokens


@form_page
def tokens(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """Tokens for scripts; a new one is shown this once."""
    refused, made, given = "", "", request.POST
    if request.method == "POST":
        try:
            role = given.get("role", "reader")
            grant = Grant(cast("Role", role if role in ROLES else "reader"))
            new = tokening.add_token(
                actor, given.get("name", ""), grants=[grant], days=number(given.get("days", "")) or 0
            )
            made = new.token.get_secret_value()
        except Refused as why:
            refused = f"{why.sentence} {why.next_step}"
    table = Table(request, "tokens", filters={"alive": ("yes", "no")})
    alive = table.filter("alive")
    found = token.tokens(
        me=actor.user_id, alive=None if alive is None else alive == "yes", cursor=table.cursor, limit=table.limit
    )
    context = {
        "table": table, "found": found, "roles": ROLES, "days": DAYS, "made": made, "refused": refused, "given": given,
    }  # fmt: skip
    parts = {"tokens": "setting/tokens_table.html"}
    return show(request, "setting/tokens.html", context, parts=parts, status=422 if refused else 200)


@act
def revoke(request: HttpRequest, actor: Actor, /, *, token_id: int) -> HttpResponse:
    """Ends a token at once."""
    with saying(request):
        tell(request, f"«{tokening.revoke_token(actor, token_id)}» is revoked: whoever uses it is refused from now on.")
    return back(request, reverse("tokens"))


# Notifications


@form_page
def notifications(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """Where news goes, and how that went; adding a route."""
    refused, given = "", request.POST
    if request.method == "POST":
        try:
            kinds = [kind for kind in given.getlist("kinds") if kind in KINDS]
            routing.add_route(actor, given.get("name", ""), SecretStr(given.get("address", "")), kinds=kinds)
        except NotThere:
            raise
        except Refused as why:
            refused = f"{why.sentence} {why.next_step}"
        else:
            tell(request, "News goes there from now on. Test it once.")
            return redirect("notifications")
    table = Table(request, "news", filters={"kind": tuple(KINDS)})
    context = {
        "routes": route.routes().routes, "refused": refused, "given": given, "kinds": KINDS.items(), "table": table,
        "news": route.news(kind=table.filter("kind"), cursor=table.cursor, limit=table.limit),
        "may": actor.access.may_somewhere("administrator"),
    }  # fmt: skip
    return show(request, "setting/notifications.html", context, status=422 if refused else 200)


@act
def change_route(request: HttpRequest, actor: Actor, /, *, route_id: int) -> HttpResponse:
    """A button of one route: a test message now, off or on, or removed."""
    with saying(request):
        match request.POST.get("do"):
            case "test":
                outcome = routing.test_route(actor, route_id)
                tell(request, outcome.why or "The test message arrived.", "success" if outcome.ok else "error")
            case "off" | "on" as wanted:
                routing.edit_route(actor, route_id, on=wanted == "on")
                tell(request, f"It is {wanted}.")
            case _:
                tell(request, f"«{routing.remove_route(actor, route_id)}» is removed; nothing goes there any more.")
    return back(request, reverse("notifications"))


# The house


@page
def audit_log(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """Who did what, the newest first."""
    table = Table(request, "audit")
    by, action = request.GET.get("by", "").strip()[:150], request.GET.get("action", "").strip()[:100]
    found = audit.audit_lines(by=by or None, action=action or None, cursor=table.cursor, limit=table.limit)
    context = {"table": table, "found": found, "by": by, "action": action}
    return show(request, "setting/audit.html", context)


@page
def keys(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """Which keys seal what, and what cannot be opened."""
    return show(request, "setting/keys.html", {"found": secret.secrets_status(load_settings())})
