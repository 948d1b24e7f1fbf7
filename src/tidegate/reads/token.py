"""Tokens: whose they are, what they may do, until when. Never the token itself, nor its hash."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from django.db.models import Q
from msgspec import Meta

from tidegate.reads.grant import GrantRow, grants_of_tokens
from tidegate.reads.page import LIMIT, cut
from tidegate.reads.viewer import needs_everywhere
from tidegate.store import models

TokenState = Literal["active", "expired", "revoked", "owner inactive"]


class TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """One token."""

    id: Annotated[int, Meta(description="Its number.")]
    name: Annotated[str, Meta(description="What it is for, in its owner's words.")]
    beginning: Annotated[str, Meta(description="How it begins, by which its owner recognises it.")]
    user: Annotated[str, Meta(description="The name of its owner.")]
    user_id: Annotated[int, Meta(description="Its owner's number.")]
    state: Annotated[TokenState, Meta(description="`active`, `expired`, `revoked` or `owner inactive`.")]
    grants: Annotated[
        list[GrantRow], Meta(description="What it may do at most; never more than its owner may at that moment.")
    ]
    created_at: Annotated[datetime, Meta(description="When it was made.")]
    created_by: Annotated[str, Meta(description="Who made it.")]
    expires_at: Annotated[datetime, Meta(description="When it ends by itself.")]
    last_used_at: Annotated[datetime | None, Meta(description="When it was last used, to the minute, or null.")]
    last_used_from: Annotated[str, Meta(description="From which address it was then used; empty where never.")]
    revoked_at: Annotated[datetime | None, Meta(description="When somebody ended it, or null.")]
    revoked_by: Annotated[str, Meta(description="Who ended it; empty where nobody did.")]


class TokenPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of tokens, the newest first."""

    tokens: Annotated[list[TokenRow], Meta(description="The tokens of this page.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]


def tokens(
    *,
    me: int | None = None,
    user_id: int | None = None,
    alive: bool | None = None,
    cursor: str | None = None,
    limit: int = LIMIT,
) -> TokenPage:
    """Tokens, the newest first: everybody's for an administrator of everything, else those of `me`. With `alive` only
    those that can be used, or only the others."""
    query = _visible(me)
    if user_id is not None:
        query = query.filter(user_id=user_id)
    if alive is not None:
        usable = Q(revoked_at=None, expires_at__gt=datetime.now(UTC), user__is_active=True)
        query = query.filter(usable if alive else ~usable)
    found, following = cut(query, ("-id",), (int,), cursor, limit)
    return TokenPage(tokens=_rows(found), next=following)


def token(token_id: int, *, me: int | None = None) -> TokenRow | None:
    """One token; None if there is none of this number, or not for this viewer."""
    return next(iter(_rows(list(_visible(me).filter(pk=token_id)))), None)


def _visible(me: int | None) -> Any:
    query = models.Token.objects.select_related("user")
    return query if needs_everywhere("administrator") else query.filter(user_id=me)


def _rows(found: list[Any]) -> list[TokenRow]:
    grants, now = grants_of_tokens([one.pk for one in found]), datetime.now(UTC)
    return [
        TokenRow(
            id=one.pk,
            name=one.name,
            beginning=one.beginning,
            user=one.user.username,
            user_id=one.user_id,
            state=_state(one, now),
            grants=grants.get(one.pk, []),
            created_at=one.created_at,
            created_by=one.created_by,
            expires_at=one.expires_at,
            last_used_at=one.last_used_at,
            last_used_from=one.last_used_from,
            revoked_at=one.revoked_at,
            revoked_by=one.revoked_by,
        )
        for one in found
    ]


def _state(one: Any, now: datetime) -> TokenState:
    if one.revoked_at is not None:
        return "revoked"
    if one.expires_at <= now:
        return "expired"
    return "active" if one.user.is_active else "owner inactive"
