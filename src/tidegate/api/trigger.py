"""Routes: calls from outside that trigger a Sync, and the secret that signs them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse
from msgspec import Meta
from pydantic import Field

from tidegate.actions import trigger as actions
from tidegate.api.answer import JSON
from tidegate.api.entry import address_of
from tidegate.api.pace import STRANGERS, neighbourhood
from tidegate.api.problem import Trouble
from tidegate.api.route import Route, Routes, name_of
from tidegate.api.words import Id
from tidegate.rules.actor import Actor
from tidegate.rules.call import Unreadable

routes = Routes("trigger")

KeyPath = Annotated[
    str, Field(max_length=200, description="Where in the body the tool's own key stands: `project.key`.")
]


class TriggerSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A trigger's new secret, shown once."""

    connection_id: Annotated[int, Meta(description="The Connection's number.")]
    secret: Annotated[str, Meta(description="Sign with it; it is never shown again.")]


class CallAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a call."""

    operation_id: Annotated[int | None, Meta(description="The Sync that was asked for; null where nothing is synced.")]
    record_id: Annotated[int | None, Meta(description="The Record it is about; null for all of the Connection.")]
    sentence: Annotated[str, Meta(description="What happens now, or why nothing does.")]


@routes.act(
    "PUT",
    "/connections/{connection_id}/trigger",
    actions.new_trigger_secret,
    answers=TriggerSecret,
    secret=True,
    version="connection",
)
def new_trigger_secret(actor: Actor, connection_id: Id, key_path: KeyPath = "") -> TriggerSecret:
    secret = actions.new_trigger_secret(actor, connection_id, key_path=key_path)
    return TriggerSecret(connection_id=connection_id, secret=secret.get_secret_value())


@routes.act("DELETE", "/connections/{connection_id}/trigger", actions.remove_trigger)
def remove_trigger(actor: Actor, connection_id: Id) -> None:
    actions.remove_trigger(actor, connection_id)


TAKE_CALL = Route(
    "POST", "/connections/{connection_id}/trigger", name_of(actions.take_call), "reader", CallAnswer, status=202
)
"""Beside the other routes, since nobody is logged in: who signs with the Connection's secret is answered."""


@routes.router.post(
    TAKE_CALL.path,
    auth=None,
    operation_id=TAKE_CALL.of,
    summary="Asks for the Sync that a signed call is about",
    url_name=TAKE_CALL.of,
)
def take_call(request: HttpRequest, connection_id: Id) -> HttpResponse:
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        called = actions.take_call(connection_id, headers, request.body, address_of(request))
    except actions.NotSigned:
        raise _not_signed(request) from None
    except Unreadable as error:
        raise Trouble("not-readable", str(error), "See docs/guide/webhooks.md for what is understood.") from None
    answer = CallAnswer(operation_id=called.operation_id, record_id=called.record_id, sentence=called.sentence)
    return HttpResponse(msgspec.json.encode(answer), status=202, content_type=JSON)


def _not_signed(request: HttpRequest) -> Trouble:
    """The same whether the Connection is there or not; and 429 to an address that guesses."""
    if seconds := STRANGERS.wait(neighbourhood(address_of(request))):
        wait = {"Retry-After": str(seconds)}
        return Trouble(
            "too-many", "Too many calls came from this address unsigned.", f"Wait {seconds} s.", headers=wait
        )
    return Trouble(
        "not-logged-in",
        "The signature is missing, wrong or too old, or there is no such trigger.",
        "Sign with the secret that PUT /connections/{connection_id}/trigger gave; set the clock.",
    )
