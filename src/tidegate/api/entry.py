"""Who asks: a token in the Authorization header, or the session of a person who logged in with a browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from ninja.utils import check_csrf

from tidegate.api.pace import REQUESTS, STRANGERS, neighbourhood
from tidegate.api.problem import Trouble
from tidegate.rules.actor import Actor

SAFE = ("GET", "HEAD")
HOW = 'Bearer realm="Tidegate"'


class Bearer:
    """`Authorization: Bearer tg_…`."""

    openapi_security_schema = {  # noqa: RUF012 - ninja's name for it
        "type": "http",
        "scheme": "bearer",
        "description": "A token of yours: `tidegate token add`, or your page *Tokens*.",
    }

    def __call__(self, request: HttpRequest) -> Actor | None:
        given = request.headers.get("Authorization")
        if given is None:
            return None
        scheme, _, token = given.partition(" ")
        from tidegate.actions.token import actor_of_token

        actor = actor_of_token(token.strip(), address_of(request)) if scheme.lower() == "bearer" else None
        if actor is None:
            raise unknown(request, "The token is not known, or it has expired or was revoked.")
        return paced(actor)


class Session:
    """The cookie of a person who logged in; what changes something has to come from our own pages."""

    openapi_security_schema = {  # noqa: RUF012
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "The session of a browser that logged in. Changes take the header X-CSRFToken as well.",
    }

    def __call__(self, request: HttpRequest) -> Actor | None:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return None
        if request.method not in SAFE:
            _demand_own_page(request)
        from tidegate.actions.user import actor_of_session

        actor = actor_of_session(user, address_of(request))
        return None if actor is None else paced(actor)


def _demand_own_page(request: HttpRequest) -> None:
    """Raises Trouble where another site, or none of our pages, may have sent it through a person's browser."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    elsewhere = site not in (None, "same-origin") or (
        origin is not None and urlsplit(origin).netloc != request.get_host()
    )
    if elsewhere or (site is None and origin is None) or check_csrf(request) is not None:
        raise Trouble(
            "forbidden",
            "This did not come from a page of Tidegate.",
            "Scripts use a token: Authorization: Bearer tg_…; a page sends the header X-CSRFToken.",
        )


def nobody(request: HttpRequest) -> Trouble:
    """What is said where nobody says who they are."""
    return unknown(request, "The request does not say who asks.")


def unknown(request: HttpRequest, why: str) -> Trouble:
    """401; and 429 to an address that was told so too often."""
    if seconds := STRANGERS.wait(neighbourhood(address_of(request))):
        return _too_many("Too many requests came from this address that nobody is known for.", seconds)
    return Trouble(
        "not-logged-in", why, "Send a token of yours: Authorization: Bearer tg_…", headers={"WWW-Authenticate": HOW}
    )


def paced(actor: Actor) -> Actor:
    """The Actor, come in through the API. Raises Trouble where they ask too often."""
    who = f"token {actor.token} of {actor.user_id}" if actor.token else f"user {actor.user_id}"
    if seconds := REQUESTS.wait(who):
        raise _too_many(f"{actor} asks too often.", seconds)
    return replace(actor, through="API")


def _too_many(what: str, seconds: int) -> Trouble:
    return Trouble("too-many", what, f"Wait {seconds} s, and ask less often.", headers={"Retry-After": str(seconds)})


def address_of(request: HttpRequest) -> str:
    """Where the request came from: the other end of the connection, whatever its headers say."""
    return str(request.META.get("REMOTE_ADDR") or "")


WAYS_IN: list[Callable[[HttpRequest], Any]] = [Bearer(), Session()]
