"""Users: who may come in, what they may do, how they are secured. Everybody sees themself, administrators see all."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal, cast

import msgspec
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import is_password_usable
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.sessions.models import Session
from django.db.models import Count, OuterRef, Q
from django.db.models.functions import JSONObject, Now
from msgspec import Meta

from tidegate.reads.grant import GrantRow, grants_of, grants_of_users
from tidegate.reads.managed import file_of
from tidegate.reads.page import LIMIT, cut, number, storable
from tidegate.reads.viewer import needs_everywhere
from tidegate.rules.access import NO_ACCESS, Access, Grant, granted
from tidegate.store import models

_GRANT: Final = ("role", "scope", "product_type_id", "product_id", "connection_id")

SECOND_FACTORS = {Authenticator.Type.TOTP: "app", Authenticator.Type.WEBAUTHN: "passkey"}


class UserRow(msgspec.Struct, frozen=True, kw_only=True):
    """One user."""

    id: Annotated[int, Meta(description="Their number.")]
    name: Annotated[str, Meta(description="The name they log in with; unique, ignoring case.")]
    kind: Annotated[Literal["person", "service"], Meta(description="`person`, or `service`: it has tokens only.")]
    email: Annotated[str, Meta(description="Their mail address; empty where nobody said one.")]
    active: Annotated[bool, Meta(description="They may come in.")]
    grants: Annotated[list[GrantRow], Meta(description="What they may do; empty for nothing.")]
    password: Annotated[bool, Meta(description="They have a password; without one they come by single sign-on.")]
    second_factors: Annotated[list[str], Meta(description="What they log in with besides: `app`, `passkey`.")]
    single_sign_on: Annotated[bool, Meta(description="They came by single sign-on at least once.")]
    sessions: Annotated[int, Meta(description="In how many browsers they are logged in.")]
    tokens: Annotated[int, Meta(description="How many tokens of theirs can be used.")]
    created_at: Annotated[datetime, Meta(description="When they were added.")]
    created_by: Annotated[str, Meta(description="Who added them.")]
    last_login_at: Annotated[datetime | None, Meta(description="When they last logged in, or null.")]
    left_at: Annotated[datetime | None, Meta(description="Since when they may not come in, or null.")]
    managed_by: Annotated[str | None, Meta(description="The configuration file that manages them, or null.")]


class UserPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of users, by name."""

    users: Annotated[list[UserRow], Meta(description="The users of this page.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]


def users(
    *,
    me: int | None = None,
    search: str = "",
    active: bool | None = None,
    cursor: str | None = None,
    limit: int = LIMIT,
) -> UserPage:
    """Users by name: all for an administrator of everything, else `me`, the viewer's own number, alone."""
    query = _visible(me)
    if search := storable(search):
        query = query.filter(Q(username__icontains=search) | Q(email__icontains=search))
    if active is not None:
        query = query.filter(is_active=active)
    found, following = cut(query, ("username", "id"), (str, int), cursor, limit)
    return UserPage(users=_rows(found), next=following)


def user(user_id: int, *, me: int | None = None) -> UserRow | None:
    """One user; None if there is none of this number, or not for this viewer."""
    return next(iter(_rows(list(_visible(me).filter(pk=user_id)))), None)


def named(text: str, *, me: int | None = None) -> list[UserRow]:
    """The user a person may mean: the one of this number, else of this name, ignoring case."""
    text = storable(text)
    by_number = [] if number(text) is None else [Q(pk=number(text))]
    for wanted in (*by_number, Q(username__iexact=text)):
        if found := list(_visible(me).filter(wanted)[:20]):
            return _rows(found)
    return []


def access_of(user_id: int) -> Access:
    """What a user may do now: nothing where they are not there or may not come in."""
    active = models.User.objects.filter(pk=user_id, is_active=True).exists()
    return granted(grants_of(user=user_id)) if active else NO_ACCESS


def user_of_session(user_id: int) -> models.User | None:
    """Whoever a session is of, with what they are granted: one question, since every page begins with it."""
    held = models.RoleGrant.objects.filter(user_id=OuterRef("pk")).order_by("pk")
    grant = JSONObject(**{name: name for name in _GRANT})
    return models.User.objects.annotate(held=ArraySubquery(held.values(json=grant))).filter(pk=user_id).first()


def person_coming_in(user: models.User | None) -> tuple[str, Access] | None:
    """The name of a person of `user_of_session` who may come in, and what they may do; None where they may not."""
    if user is None or not user.is_active or user.kind != models.User.PERSON:
        return None
    held: list[dict[str, Any]] = cast("Any", user).held
    return user.username, granted(
        Grant(one["role"], one["scope"], one["product_type_id"] or one["product_id"] or one["connection_id"])
        for one in held
    )


def has_administrator(besides: int | None = None) -> bool:
    """Whether there is a person who may come in and is administrator for everything, besides this one."""
    grants = models.RoleGrant.objects.filter(
        role="administrator", scope="everything", user__is_active=True, user__kind=models.User.PERSON
    )
    return grants.exclude(user_id=besides).exists() if besides is not None else grants.exists()


def _visible(me: int | None) -> Any:
    query = models.User.objects.annotate(file=file_of("user"))
    return query if needs_everywhere("administrator") else query.filter(pk=me)


def _rows(found: list[Any]) -> list[UserRow]:
    ids = [one.pk for one in found]
    grants, factors = grants_of_users(ids), _second_factors(ids)
    sessions, tokens = _sessions(ids), _tokens(ids)
    linked = set(SocialAccount.objects.filter(user_id__in=ids).values_list("user_id", flat=True))
    return [
        UserRow(
            id=one.pk,
            name=one.username,
            kind=one.kind,
            email=one.email,
            active=one.is_active,
            grants=grants.get(one.pk, []),
            password=is_password_usable(one.password) and one.password != "",
            second_factors=factors.get(one.pk, []),
            single_sign_on=one.pk in linked,
            sessions=sessions.get(one.pk, 0),
            tokens=tokens.get(one.pk, 0),
            created_at=one.created_at,
            created_by=one.created_by,
            last_login_at=one.last_login,
            left_at=one.left_at,
            managed_by=one.file,
        )
        for one in found
    ]


def _second_factors(ids: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    query = Authenticator.objects.filter(user_id__in=ids, type__in=list(SECOND_FACTORS))
    for user_id, type in query.order_by("user_id", "type").values_list("user_id", "type").distinct():
        found.setdefault(user_id, []).append(SECOND_FACTORS[type])
    return found


def _sessions(ids: list[int]) -> dict[int, int]:
    alive = Session.objects.filter(expire_date__gt=Now()).values("session_key")
    counted = UserSession.objects.filter(user_id__in=ids, session_key__in=alive)
    return {row["user_id"]: row["n"] for row in counted.values("user_id").annotate(n=Count("id"))}


def _tokens(ids: list[int]) -> dict[int, int]:
    alive = models.Token.objects.filter(user_id__in=ids, user__is_active=True, revoked_at=None, expires_at__gt=Now())
    return {row["user_id"]: row["n"] for row in alive.values("user_id").annotate(n=Count("id"))}
