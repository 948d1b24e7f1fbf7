"""Routes: users."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from tidegate.actions import user as actions
from tidegate.api.answer import Answered, there
from tidegate.api.route import Routes
from tidegate.api.words import PAGE, Cursor, Id, Limit, Named, Search
from tidegate.reads import user as reads
from tidegate.rules.access import Grant, Role, ScopeKind
from tidegate.rules.actor import Actor

routes = Routes("user")

Name = Annotated[str, Field(max_length=150, description="The name they log in with.")]
Email = Annotated[str, Field(max_length=254, description="Their mail address; empty for none.")]
Password = Annotated[SecretStr, Field(max_length=1000, description="At least 12 characters.")]


class GrantBody(BaseModel):
    """A role, and what it is for."""

    model_config = ConfigDict(strict=True, extra="forbid")

    role: Role
    scope: ScopeKind = "everything"
    id: Id | None = None


class LoggedOut(msgspec.Struct, frozen=True, kw_only=True):
    """What logging somebody out everywhere did."""

    user: Annotated[reads.UserRow, Meta(description="The user as they are now.")]
    ended: Annotated[int, Meta(description="So many sessions ended, and tokens where these were to end as well.")]


def the_grants(given: list[GrantBody]) -> list[Grant]:
    """The grants as actions take them. Raises Refused."""
    return [actions.the_grant(one.role, one.scope, one.id) for one in given]


def shown(actor: Actor, user_id: int) -> reads.UserRow:
    """The user as this actor sees them. Raises NotThere."""
    return there(reads.user(user_id, me=actor.user_id), "User", user_id)


@routes.read("/users", reads.users, answers=reads.UserPage)
def users(
    actor: Actor, search: Search = "", active: bool | None = None, cursor: Cursor = None, limit: Limit = PAGE
) -> reads.UserPage:
    return reads.users(me=actor.user_id, search=search, active=active, cursor=cursor, limit=limit)


@routes.read("/users/named", reads.named, answers=reads.UserPage)
def named(actor: Actor, text: Named) -> reads.UserPage:
    return reads.UserPage(users=reads.named(text, me=actor.user_id), next=None)


@routes.read("/users/{user_id}", reads.user, answers=reads.UserRow, version="user")
def user(actor: Actor, user_id: Id) -> reads.UserRow:
    return shown(actor, user_id)


@routes.act("POST", "/users", actions.add_user, answers=reads.UserRow, status=201, sends={"name": "bob"})
def add_user(
    actor: Actor,
    name: Name,
    kind: Literal["person", "service"] = "person",
    email: Email = "",
    password: Password | None = None,
    grants: Annotated[list[GrantBody], Field(max_length=100, description="What they may do.")] = [],  # noqa: B006
) -> Answered:
    number = actions.add_user(actor, name, kind=kind, email=email, password=password, grants=the_grants(grants))
    return Answered(shown(actor, number), location=f"/users/{number}")


@routes.act("PATCH", "/users/{user_id}", actions.edit_user, answers=reads.UserRow, version="user")
def edit_user(actor: Actor, user_id: Id, name: Name | None = None, email: Email | None = None) -> reads.UserRow:
    actions.edit_user(actor, user_id, name=name, email=email)
    return shown(actor, user_id)


@routes.act(
    "PUT",
    "/users/{user_id}/grants",
    actions.grant_role,
    answers=reads.UserRow,
    version="user",
    sends={"role": "reader"},
)
def grant_role(
    actor: Actor, user_id: Id, role: Role, scope: ScopeKind = "everything", id: Id | None = None
) -> reads.UserRow:
    actions.grant_role(actor, user_id, role, scope, id)
    return shown(actor, user_id)


@routes.act("DELETE", "/users/{user_id}/grants", actions.take_role, answers=reads.UserRow)
def take_role(actor: Actor, user_id: Id, scope: ScopeKind = "everything", id: Id | None = None) -> reads.UserRow:
    actions.take_role(actor, user_id, scope, id)
    return shown(actor, user_id)


@routes.act("POST", "/users/{user_id}/deactivate", actions.deactivate_user, answers=reads.UserRow)
def deactivate_user(actor: Actor, user_id: Id) -> reads.UserRow:
    actions.deactivate_user(actor, user_id)
    return shown(actor, user_id)


@routes.act("POST", "/users/{user_id}/reactivate", actions.reactivate_user, answers=reads.UserRow)
def reactivate_user(actor: Actor, user_id: Id) -> reads.UserRow:
    actions.reactivate_user(actor, user_id)
    return shown(actor, user_id)


@routes.act("POST", "/users/{user_id}/logout", actions.log_out_everywhere, answers=LoggedOut)
def log_out_everywhere(actor: Actor, user_id: Id, also_tokens: bool = False) -> LoggedOut:
    ended = actions.log_out_everywhere(actor, user_id, also_tokens=also_tokens)
    return LoggedOut(user=shown(actor, user_id), ended=ended)


@routes.act("PUT", "/users/{user_id}/password", actions.set_password, answers=reads.UserRow, version="user")
def set_password(actor: Actor, user_id: Id, password: Password) -> reads.UserRow:
    actions.set_password(actor, user_id, password)
    return shown(actor, user_id)


@routes.act("POST", "/users/{user_id}/reset-second-factor", actions.reset_second_factor, answers=reads.UserRow)
def reset_second_factor(actor: Actor, user_id: Id) -> reads.UserRow:
    actions.reset_second_factor(actor, user_id)
    return shown(actor, user_id)
