"""Who asks, and what they may do at this moment."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from tidegate.reads.grant import GrantRow, told
from tidegate.rules.access import Access


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Oneself. Who comes with a token may do what both the owner and the token may."""

    id: Annotated[int | None, Meta(description="Your number; null for who has no user here.")]
    name: Annotated[str, Meta(description="Your name.")]
    grants: Annotated[list[GrantRow], Meta(description="What you may do; empty for nothing.")]
    token: Annotated[str, Meta(description="The name of the token you came with; empty where you logged in.")]
    token_grants: Annotated[
        list[GrantRow] | None, Meta(description="What that token may do at most; null where you logged in.")
    ]


def me(user_id: int | None, name: str, token: str, access: Access) -> Me:
    """Who asks, and what they may do. What is said of oneself nobody else is shown."""
    own, *more = [told(grants) for grants in access.sets] or [[]]
    return Me(id=user_id, name=name, grants=own, token=token, token_grants=more[0] if token and more else None)
