"""Routes: Destinations: where findings are delivered to, and which of them go where."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from pydantic import Field, SecretStr

from tidegate.actions import destination as actions
from tidegate.api.answer import Answered, Done, there
from tidegate.api.route import Routes
from tidegate.api.words import Id, Named
from tidegate.delivery.defectdojo.preflight import Preflight
from tidegate.reads import destination as reads
from tidegate.rules.actor import Actor

routes = Routes("destination")

Name = Annotated[str, Field(max_length=1000, description="What you call it; no two have the same.")]
Settings = Annotated[
    dict[Annotated[str, Field(max_length=100)], Any],
    Field(max_length=100, description="`url`, and what every way over HTTP may have: docs/guide/defectdojo.md."),
]
Secrets = Annotated[
    dict[Annotated[str, Field(max_length=100)], Annotated[SecretStr, Field(max_length=100_000)]],
    Field(max_length=100, description="`token`, the API v2 key, and others. They are sealed, and never shown again."),
]
ProductType = Annotated[
    str, Field(max_length=1000, description="The product type there in which Products are made; empty: none are.")
]
EngagementName = Annotated[
    str, Field(max_length=1000, description="What the Engagement is called that is made in a Product there.")
]
Join = Annotated[
    Literal["ask", "same name"],
    Field(description="Existing Products are joined when a person says so, or by their name."),
]
Writes = Annotated[int, Field(ge=1, le=actions.MOST_WRITES, description="So many writes a minute at most.")]


class RemarkRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    about: Annotated[str, Meta(description="What was looked at.")]
    level: Annotated[Literal["good", "warning", "problem"], Meta(description="Whether deliveries can work with it.")]
    what: Annotated[str, Meta(description="What is so.")]
    follows: Annotated[str, Meta(description="What follows for deliveries; may be empty.")]
    do: Annotated[str, Meta(description="What a person can do; may be empty.")]


class PreflightAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a pre-flight found."""

    ok: Annotated[bool, Meta(description="Deliveries can work.")]
    version: Annotated[str, Meta(description="The server's version; empty where it did not get so far.")]
    user: Annotated[str, Meta(description="Whose the token is; empty where it did not get so far.")]
    remarks: Annotated[list[RemarkRow], Meta(description="Thing by thing.")]


def answer_of(found: Preflight) -> PreflightAnswer:
    """A pre-flight as it is answered."""
    remarks = [
        RemarkRow(about=one.about, level=one.level, what=one.what, follows=one.follows, do=one.do)
        for one in found.remarks
    ]
    return PreflightAnswer(ok=found.ok, version=found.version, user=found.user, remarks=remarks)


def shown(destination_id: int) -> reads.DestinationRow:
    """The Destination as it is now."""
    return there(reads.destination(destination_id), "Destination", destination_id)


@routes.read("/destinations", reads.destinations, answers=reads.DestinationList)
def all_destinations() -> reads.DestinationList:
    return reads.destinations()


@routes.read("/destinations/named", reads.named, answers=reads.DestinationList)
def named(text: Named) -> reads.DestinationList:
    return reads.DestinationList(destinations=reads.named(text))


@routes.read("/destinations/{destination_id}", reads.destination, answers=reads.DestinationRow, version="destination")
def destination(destination_id: Id) -> reads.DestinationRow:
    return shown(destination_id)


@routes.act("POST", "/destinations", actions.add_destination, answers=reads.DestinationRow, status=201)
def add_destination(
    actor: Actor,
    name: Name,
    settings: Settings,
    secrets: Secrets,
    product_type: ProductType = "",
    engagement_name: EngagementName = "Global Connectors",
    join_products: Join = "ask",
    writes_per_minute: Writes = 120,
) -> Answered:
    number = actions.add_destination(
        actor, name, settings, secrets, product_type=product_type, engagement_name=engagement_name,
        join_products=join_products, writes_per_minute=writes_per_minute,
    )  # fmt: skip
    return Answered(shown(number), location=f"/destinations/{number}")


@routes.act("POST", "/destinations/try", actions.try_destination, answers=PreflightAnswer)
def try_destination(
    actor: Actor,
    settings: Settings,
    secrets: Secrets,
    product_type: ProductType = "",
    destination_id: Id | None = None,
) -> PreflightAnswer:
    return answer_of(
        actions.try_destination(actor, settings, secrets, product_type=product_type, destination_id=destination_id)
    )


@routes.act(
    "PATCH",
    "/destinations/{destination_id}",
    actions.edit_destination,
    answers=reads.DestinationRow,
    version="destination",
)
def edit_destination(
    actor: Actor,
    destination_id: Id,
    name: Name | None = None,
    settings: Settings | None = None,
    secrets: Secrets | None = None,
    product_type: ProductType | None = None,
    engagement_name: EngagementName | None = None,
    join_products: Join | None = None,
    writes_per_minute: Writes | None = None,
    on: bool | None = None,
) -> reads.DestinationRow:
    wanted: dict[str, Any] = {
        "name": name, "settings": settings, "secrets": secrets, "product_type": product_type,
        "engagement_name": engagement_name, "join_products": join_products, "writes_per_minute": writes_per_minute,
        "on": on,
    }  # fmt: skip
    actions.edit_destination(actor, destination_id, **wanted)
    return shown(destination_id)


@routes.act("DELETE", "/destinations/{destination_id}", actions.delete_destination, answers=Done, version="destination")
def delete_destination(actor: Actor, destination_id: Id, typed_name: Name) -> Done:
    actions.delete_destination(actor, destination_id, typed_name)
    return Done(done=f"«{typed_name}» is deleted; what was delivered there stays there.")


@routes.act("POST", "/destinations/{destination_id}/test", actions.test_destination, answers=PreflightAnswer)
def test_destination(actor: Actor, destination_id: Id) -> PreflightAnswer:
    return answer_of(actions.test_destination(actor, destination_id))


@routes.act(
    "POST",
    "/destinations/{destination_id}/routes",
    actions.add_destination_route,
    answers=reads.DestinationRow,
    status=201,
    version="destination",
)
def add_destination_route(
    actor: Actor, destination_id: Id, connection_id: Id | None = None, product_type_id: Id | None = None
) -> reads.DestinationRow:
    actions.add_destination_route(actor, destination_id, connection_id=connection_id, product_type_id=product_type_id)
    return shown(destination_id)


@routes.act("DELETE", "/destination-routes/{route_id}", actions.remove_destination_route)
def remove_destination_route(actor: Actor, route_id: Id) -> None:
    actions.remove_destination_route(actor, route_id)
