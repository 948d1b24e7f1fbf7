"""Routes: who is told when something needs a person, and what was told."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from pydantic import Field, SecretStr

from tidegate.actions import route as actions
from tidegate.api.answer import Answered, there
from tidegate.api.route import Routes
from tidegate.api.words import PAGE, Cursor, Id, Limit, Moment, Named
from tidegate.reads import route as reads
from tidegate.rules.actor import Actor

routes = Routes("notification")

Name = Annotated[str, Field(max_length=200, description="What you call it; no two have the same.")]
Address = Annotated[SecretStr, Field(max_length=4_000, description="Where it leads; it is never shown again.")]
Secret = Annotated[SecretStr | None, Field(max_length=200, description="What to sign with; without it one is made.")]
Kinds = Annotated[list[str], Field(max_length=20, description="The kinds of news; none for every kind.")]
OfConnection = Annotated[int | None, Field(ge=0, le=2**63 - 1, description="Only of this Connection; 0 for all again.")]


class NewWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook that was just made, or that signs with another secret; shown once."""

    route: Annotated[reads.RouteRow, Meta(description="The route.")]
    signing_secret: Annotated[str, Meta(description="Its messages are signed with it; it is never shown again.")]


class TestedRoute(msgspec.Struct, frozen=True, kw_only=True):
    """How a test message did."""

    ok: Annotated[bool, Meta(description="It was taken.")]
    why: Annotated[str, Meta(description="Why not; empty where it was.")]


class TriedAddress(msgspec.Struct, frozen=True, kw_only=True):
    """How an address did that is not saved yet."""

    outcome: Annotated[
        TestedRoute, Meta(description="Whether the message was taken; it is ok where none was to be sent.")
    ]
    warning: Annotated[str, Meta(description="What its owner should know all the same; empty where nothing.")]


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent again."""

    news: Annotated[int, Meta(description="So many pieces of news.")]
    messages: Annotated[int, Meta(description="In so many messages.")]


def shown(route_id: int) -> reads.RouteRow:
    """The route as it is now."""
    return there(reads.route(route_id), "route", route_id)


@routes.read("/routes", reads.routes, answers=reads.RouteList)
def all_routes() -> reads.RouteList:
    return reads.routes()


@routes.read("/routes/named", reads.named, answers=reads.RouteList)
def named(text: Named) -> reads.RouteList:
    return reads.RouteList(routes=reads.named(text))


@routes.read("/routes/{route_id}", reads.route, answers=reads.RouteRow, version="route")
def route(route_id: Id) -> reads.RouteRow:
    return shown(route_id)


@routes.act("POST", "/routes", actions.add_route, answers=reads.RouteRow, status=201)
def add_route(
    actor: Actor,
    name: Name,
    address: Address,
    kinds: Kinds = [],  # noqa: B006
    connection_id: Id | None = None,
) -> Answered:
    number = actions.add_route(actor, name, address, kinds=kinds, connection_id=connection_id)
    return Answered(shown(number), location=f"/routes/{number}")


@routes.act("POST", "/routes/try", actions.try_address, answers=TriedAddress)
def try_address(
    actor: Actor,
    name: Name,
    address: Address,
    signing_secret: Secret = None,
    send: Annotated[bool, Field(description="Send a message there; else it is only looked at.")] = True,
) -> TriedAddress:
    tried = actions.try_address(actor, name, address, signing_secret=signing_secret, send=send)
    return TriedAddress(outcome=TestedRoute(ok=tried.outcome.ok, why=tried.outcome.why), warning=tried.warning)


@routes.act("POST", "/routes/webhooks", actions.add_webhook, answers=NewWebhook, status=201, secret=True)
def add_webhook(
    actor: Actor,
    name: Name,
    address: Address,
    kinds: Kinds = [],  # noqa: B006
    connection_id: Id | None = None,
    signing_secret: Secret = None,
) -> Answered:
    made = actions.add_webhook(
        actor, name, address, kinds=kinds, connection_id=connection_id, signing_secret=signing_secret
    )
    answer = NewWebhook(route=shown(made.route_id), signing_secret=made.signing_secret.get_secret_value())
    return Answered(answer, location=f"/routes/{made.route_id}")


@routes.act("PATCH", "/routes/{route_id}", actions.edit_route, answers=reads.RouteRow, version="route")
def edit_route(
    actor: Actor,
    route_id: Id,
    name: Name | None = None,
    address: Address | None = None,
    kinds: Kinds | None = None,
    connection_id: OfConnection = None,
    on: bool | None = None,
) -> reads.RouteRow:
    wanted: dict[str, Any] = {
        "name": name, "address": address, "kinds": kinds, "connection_id": connection_id, "on": on,
    }  # fmt: skip
    actions.edit_route(actor, route_id, **wanted)
    return shown(route_id)


@routes.act("POST", "/routes/{route_id}/signing-secret", actions.new_signing_secret, answers=NewWebhook, secret=True)
def new_signing_secret(
    actor: Actor, route_id: Id, signing_secret: Secret = None, keep_former: bool = True
) -> NewWebhook:
    secret = actions.new_signing_secret(actor, route_id, signing_secret=signing_secret, keep_former=keep_former)
    return NewWebhook(route=shown(route_id), signing_secret=secret.get_secret_value())


@routes.act("DELETE", "/routes/{route_id}", actions.remove_route)
def remove_route(actor: Actor, route_id: Id) -> None:
    actions.remove_route(actor, route_id)


@routes.act("POST", "/routes/{route_id}/test", actions.test_route, answers=TestedRoute)
def test_route(actor: Actor, route_id: Id) -> TestedRoute:
    outcome = actions.test_route(actor, route_id)
    return TestedRoute(ok=outcome.ok, why=outcome.why)


@routes.read("/news", reads.news, answers=reads.NewsPage)
def news(
    kind: Annotated[str | None, Field(max_length=50, description="Only this kind of news.")] = None,
    connection_id: Id | None = None,
    route_id: Id | None = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> reads.NewsPage:
    return reads.news(kind=kind, connection_id=connection_id, route_id=route_id, cursor=cursor, limit=limit)


@routes.act("POST", "/news/replay", actions.replay_news, answers=Replayed, status=202)
def replay_news(
    actor: Actor, news_id: Id | None = None, since: Moment | None = None, route_id: Id | None = None
) -> Replayed:
    done = actions.replay_news(actor, news_id, since=since, route_id=route_id)
    return Replayed(news=done.news, messages=done.messages)
