"""What users and tokens are granted, as rules ask for it and as people read it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tidegate.rules.access import ROLES, SCOPES, Grant, Place
from tidegate.rules.actor import SINGLE_SIGN_ON
from tidegate.store import models

EVERYTHING = "everything"
_A_GROUP = str(SINGLE_SIGN_ON)


class GrantRow(msgspec.Struct, frozen=True, kw_only=True):
    """A role, and what it is for."""

    role: Annotated[str, Meta(description="`reader`, `mapper`, `operator` or `administrator`.")]
    scope: Annotated[str, Meta(description="`everything`, `product type`, `product` or `connection`.")]
    id: Annotated[int | None, Meta(description="The number of that thing; null for everything.")]
    name: Annotated[str, Meta(description="Its name or label; empty for everything.")]
    by_group: Annotated[
        bool, Meta(description="A group at the issuer gives it, looked at anew at each log-in by single sign-on.")
    ] = False


def grants_of_users(ids: Iterable[int]) -> dict[int, list[GrantRow]]:
    """By user, the widest first."""
    return _told(models.RoleGrant.objects.filter(user_id__in=list(ids)), "user_id")


def grants_of_tokens(ids: Iterable[int]) -> dict[int, list[GrantRow]]:
    """By token, the widest first."""
    return _told(models.RoleGrant.objects.filter(token_id__in=list(ids)), "token_id")


def grants_of(*, user: int | None = None, token: int | None = None) -> list[Grant]:
    """The grants of one, as they are asked."""
    query = models.RoleGrant.objects.filter(**({"token_id": token} if user is None else {"user_id": user}))
    return [_grant(one) for one in query]


def grants_by_people(user_id: int) -> list[Grant]:
    """What people gave this user: without what a group at the issuer gives from log-in to log-in."""
    return [_grant(one) for one in models.RoleGrant.objects.filter(user_id=user_id).exclude(created_by=_A_GROUP)]


def given_for_everything(user_id: int) -> tuple[str, bool] | None:
    """The role for everything, and whether a group at the issuer gave it; None where there is none."""
    found = models.RoleGrant.objects.filter(user_id=user_id, scope=EVERYTHING).first()
    return None if found is None else (found.role, found.created_by == _A_GROUP)


def place_of_grant(grant: Grant) -> Place | None:
    """Where a thing would lie that lies just there; None where what the grant is for is not there."""
    if grant.id is None:
        return Place()
    if grant.scope == "product type":
        return Place(product_type_id=grant.id) if models.ProductType.objects.filter(pk=grant.id).exists() else None
    if grant.scope == "connection":
        found = models.Connection.objects.filter(pk=grant.id, deleted_at=None).exists()
        return Place(connection_id=grant.id) if found else None
    product = models.Product.objects.filter(pk=grant.id).first()
    return None if product is None else Place(product_id=grant.id, product_type_id=product.product_type_id)


def _grant(one: Any) -> Grant:
    return Grant(one.role, one.scope, one.product_type_id or one.product_id or one.connection_id)


def _told(query: Any, owner: str) -> dict[int, list[GrantRow]]:
    found: dict[int, list[GrantRow]] = {}
    rows = query.select_related("product_type", "product", "connection")
    for one in sorted(rows, key=lambda row: (SCOPES.index(row.scope), -ROLES.index(row.role), row.pk)):
        grant, thing = _grant(one), one.product_type or one.product or one.connection
        name = "" if thing is None else getattr(thing, "label", None) or thing.name
        by_group = one.created_by == _A_GROUP
        row = GrantRow(role=grant.role, scope=grant.scope, id=grant.id, name=name, by_group=by_group)
        found.setdefault(getattr(one, owner), []).append(row)
    return found


def told(grants: Iterable[Grant]) -> list[GrantRow]:
    """These grants with the names of what they are for, the widest first."""
    found = sorted(grants, key=lambda one: (SCOPES.index(one.scope), -ROLES.index(one.role), one.id or 0))

    def ids(scope: str) -> list[int]:
        return [one.id for one in found if one.scope == scope and one.id is not None]

    names: dict[str, dict[int, str]] = {
        "product type": dict(models.ProductType.objects.filter(pk__in=ids("product type")).values_list("pk", "name")),
        "product": dict(models.Product.objects.filter(pk__in=ids("product")).values_list("pk", "name")),
        "connection": dict(models.Connection.objects.filter(pk__in=ids("connection")).values_list("pk", "label")),
    }
    return [
        GrantRow(role=one.role, scope=one.scope, id=one.id, name=names.get(one.scope, {}).get(one.id or 0, ""))
        for one in found
    ]
