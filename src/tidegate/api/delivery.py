"""Routes: deliveries to Destinations, which are Operations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tidegate.actions import delivery as actions
from tidegate.api.answer import Answered, Done
from tidegate.api.operation import asked
from tidegate.api.route import Routes
from tidegate.api.words import Id
from tidegate.reads import operation as reads
from tidegate.rules.actor import Actor

routes = Routes("delivery")

Mode = Annotated[
    Literal["deliver", "reconcile"], Field(description="Write what changed, or read all and say what differs.")
]


@routes.act(
    "POST",
    "/connections/{connection_id}/deliveries",
    actions.request_delivery,
    answers=reads.OperationDetail,
    status=202,
)
def request_delivery(actor: Actor, connection_id: Id, destination_id: Id, mode: Mode = "deliver") -> Answered:
    return asked(actions.request_delivery(actor, connection_id, destination_id, mode=mode))


@routes.act(
    "POST",
    "/connections/{connection_id}/deliveries/preview",
    actions.request_delivery_preview,
    answers=reads.OperationDetail,
    status=202,
)
def request_delivery_preview(actor: Actor, connection_id: Id, destination_id: Id) -> Answered:
    return asked(actions.request_delivery_preview(actor, connection_id, destination_id))


@routes.act(
    "POST",
    "/connections/{connection_id}/deliveries/repair",
    actions.request_repair,
    answers=reads.OperationDetail,
    status=202,
)
def request_repair(actor: Actor, connection_id: Id, destination_id: Id) -> Answered:
    return asked(actions.request_repair(actor, connection_id, destination_id))


@routes.act("POST", "/destinations/{destination_id}/products", actions.join_product, answers=Done)
def join_product(actor: Actor, destination_id: Id, product_id: Id, their_id: Id) -> Done:
    actions.join_product(actor, destination_id, product_id, their_id)
    return Done(done=f"Product {product_id} is the Product {their_id} there.")
