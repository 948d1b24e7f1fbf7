"""Users and what they are granted; sessions that end. The caller has the transaction open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models.functions import Now

from tidegate.rules.access import Grant, ScopeKind
from tidegate.rules.actor import Actor
from tidegate.store.models import RoleGrant, User
from tidegate.store.statement import rows_of


def hold_people() -> None:
    """Nobody else changes users and their roles until the transaction ends."""
    rows_of("people_hold")


def save_new_user(actor: Actor, facts: Mapping[str, Any]) -> int:
    """Makes the row. IntegrityError for a name that is taken."""
    return User.objects.create(created_by=str(actor), **facts).pk


def lock_user(user_id: int) -> User | None:
    """The user until the transaction ends; None where there is none."""
    return User.objects.select_for_update(no_key=True).filter(pk=user_id).first()


def change_user(user_id: int, facts: Mapping[str, Any]) -> None:
    """Sets these facts of the locked user."""
    if facts:
        User.objects.filter(pk=user_id).update(**facts)


def leave(user_id: int) -> None:
    """They come in no more; history keeps their name."""
    User.objects.filter(pk=user_id).update(is_active=False, left_at=Now())


def save_grants(actor: Actor, grants: Iterable[Grant], *, user: int | None = None, token: int | None = None) -> None:
    """Grants these; a role for the same place is replaced by the new one."""
    for grant in grants:
        RoleGrant.objects.update_or_create(
            user_id=user,
            token_id=token,
            **place_columns(grant.scope, grant.id),
            defaults={"role": grant.role, "created_by": str(actor), "created_at": Now()},
        )


def take_grant(user_id: int, scope: ScopeKind, id: int | None) -> int:
    """Takes the role for this place; the number of rows."""
    return RoleGrant.objects.filter(user_id=user_id, **place_columns(scope, id)).delete()[0]


def place_columns(scope: ScopeKind, id: int | None) -> dict[str, Any]:
    """What a grant is for, in its columns."""
    return {
        "scope": scope,
        "product_type_id": id if scope == "product type" else None,
        "product_id": id if scope == "product" else None,
        "connection_id": id if scope == "connection" else None,
    }


def end_sessions(user_id: int) -> int:
    """Ends every session of this user on every machine; how many there were."""
    keys = list(UserSession.objects.filter(user_id=user_id).values_list("session_key", flat=True))
    ended = Session.objects.filter(session_key__in=keys).delete()[0]
    UserSession.objects.filter(user_id=user_id).delete()
    return ended


def forget_second_factors(user_id: int) -> int:
    """Takes authenticator apps, recovery codes and passkeys away; how many there were."""
    return Authenticator.objects.filter(user_id=user_id).delete()[0]


def forget_sessions() -> int:
    """Deletes sessions whose time is over; how many."""
    ended = Session.objects.filter(expire_date__lt=Now()).delete()[0]
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return ended
