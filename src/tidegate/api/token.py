"""Routes: tokens."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from pydantic import Field

from tidegate.actions import token as actions
from tidegate.api.answer import Answered, there
from tidegate.api.route import Routes
from tidegate.api.user import GrantBody, the_grants
from tidegate.api.words import PAGE, Cursor, Id, Limit
from tidegate.reads import token as reads
from tidegate.rules.actor import Actor

routes = Routes("token")


class NewTokenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was just made: the only time that it is shown."""

    id: Annotated[int, Meta(description="Its number.")]
    token: Annotated[str, Meta(description="The token. Only its hash is stored.")]


@routes.read("/tokens", reads.tokens, answers=reads.TokenPage)
def tokens(
    actor: Actor, user_id: Id | None = None, alive: bool | None = None, cursor: Cursor = None, limit: Limit = PAGE
) -> reads.TokenPage:
    return reads.tokens(me=actor.user_id, user_id=user_id, alive=alive, cursor=cursor, limit=limit)


@routes.read("/tokens/{token_id}", reads.token, answers=reads.TokenRow)
def token(actor: Actor, token_id: Id) -> reads.TokenRow:
    return there(reads.token(token_id, me=actor.user_id), "Token", token_id)


@routes.act(
    "POST", "/tokens", actions.add_token, answers=NewTokenAnswer, status=201, secret=True,
    sends={"name": "nightly", "grants": [{"role": "reader"}]},
)  # fmt: skip
def add_token(
    actor: Actor,
    name: Annotated[str, Field(max_length=255, description="What it is for.")],
    grants: Annotated[list[GrantBody], Field(min_length=1, max_length=100, description="What it may do, at most.")],
    user_id: Id | None = None,
    days: Annotated[int, Field(ge=1, le=actions.MOST_DAYS, description="Days until it ends.")] = actions.DAYS,
) -> Answered:
    made = actions.add_token(actor, name, user_id=user_id, grants=the_grants(grants), days=days)
    shown = NewTokenAnswer(id=made.id, token=made.token.get_secret_value())
    return Answered(shown, location=f"/tokens/{made.id}")


@routes.act("DELETE", "/tokens/{token_id}", actions.revoke_token, answers=reads.TokenRow)
def revoke_token(actor: Actor, token_id: Id) -> reads.TokenRow:
    actions.revoke_token(actor, token_id)
    return there(reads.token(token_id, me=actor.user_id), "Token", token_id)
