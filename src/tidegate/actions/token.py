"""What a person does with tokens: make one for a script, revoke it; and who it is that comes with one."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import SecretStr

from tidegate.actions.action import action
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.step import LARGEST_ID, not_there
from tidegate.actions.user import locked, own_or_administrator, the_grants
from tidegate.reads.grant import grants_of, place_of_grant
from tidegate.reads.user import access_of
from tidegate.rules.access import Access, Grant, Place
from tidegate.rules.actor import Actor
from tidegate.rules.names import clean_name
from tidegate.store.models import Token
from tidegate.store.writers import token as writer
from tidegate.store.writers.user import save_grants

DAYS: Final = 90
MOST_DAYS: Final = 365
MOST_TOKENS: Final = 100
"""So many of one user can be used at a time."""

PREFIX: Final = "tg_"
RANDOM_BYTES: Final = 32
SHOWN: Final = 8
"""So much of its beginning is kept, by which its owner recognises it: 5 of its 43 random characters."""
_FORM: Final = re.compile(r"tg_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class NewToken:
    """A token that was just made: the only moment when it can be seen."""

    id: int
    token: SecretStr


@action("reader", anywhere=True, user="user_id")
def add_token(
    actor: Actor, name: str, *, user_id: int | None = None, grants: Sequence[Grant], days: int = DAYS
) -> NewToken:
    """Makes a token for oneself, or an administrator for anybody. It may do no more than these grants, nor more than
    its owner at the moment it is used, and ends after so many days."""
    name, owner_id = clean_name(name), actor.user_id if user_id is None else user_id
    if owner_id is None:
        raise Refused("A token belongs to a user, and nobody is logged in.", "Say whose: --user NAME")
    own_or_administrator(actor, owner_id, "User", owner_id, "make tokens for others")
    if actor.token and not actor.access.may("administrator"):
        raise Refused(
            "A token makes no other tokens: one that was stolen would outlive its end.", "Make it on the page, by hand."
        )
    owner = locked(owner_id)
    if not 1 <= days <= MOST_DAYS:
        raise Refused(f"A token cannot live for {days} days.", f"Choose 1 to {MOST_DAYS} days.")
    if not owner.is_active:
        raise Refused(f"«{owner.username}» may not come in.", "Reactivate them first: tidegate user reactivate NAME")
    if not grants:
        raise Refused("A token without a role can do nothing.", "Say at least one role it has.")
    alive = Token.objects.filter(user_id=owner_id, revoked_at=None, expires_at__gt=datetime.now(UTC))
    if alive.count() >= MOST_TOKENS:
        raise Refused(f"«{owner.username}» has {MOST_TOKENS} tokens already.", "Revoke those that nobody uses.")
    mine = actor.access if actor.user_id == owner_id else None
    _within(grants, owner.username, [access_of(owner_id), *([mine] if mine else [])])
    text = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    token_id = writer.save_new_token(actor, owner_id, name, hash_of(text), text[:SHOWN], timedelta(days=days))
    save_grants(actor, grants, token=token_id)
    return NewToken(token_id, SecretStr(text))


@action("reader", anywhere=True, token="token_id")  # noqa: S106 - the name of a parameter
def revoke_token(actor: Actor, token_id: int) -> str:
    """Ends a token at once: one's own, or an administrator anybody's. Returns its name."""
    token = writer.lock_token(token_id) if 0 < token_id <= LARGEST_ID else None
    if token is None:
        raise not_there("Token", [token_id])
    own_or_administrator(actor, token.user_id, "Token", token_id, "revoke tokens of others")
    if not writer.revoke(actor, token=token_id):
        raise Refused(f"The token «{token.name}» was revoked already.", "There is nothing to do.")
    return token.name


def actor_of_token(text: str, address: str = "") -> Actor | None:
    """Who comes with this token; None where it is none, has ended, or its owner may not come in.

    It is found by its hash, so how long that takes tells nothing of how much of a guess was right.
    """
    if not _FORM.fullmatch(text):
        return None
    token = Token.objects.select_related("user").filter(hash=hash_of(text)).first()
    if token is None or token.revoked_at is not None or token.expires_at <= datetime.now(UTC):
        return None
    if not token.user.is_active:
        return None
    writer.note_use(token.pk, address)
    access = Access((frozenset(grants_of(user=token.user_id)), frozenset(grants_of(token=token.pk))))
    return Actor(
        "person",
        token.user.username,
        access,
        through="API",
        token=token.name,
        address=address,
        user_id=token.user_id,
    )


def hash_of(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _within(grants: Sequence[Grant], owner: str, bounds: Sequence[Access]) -> None:
    """Raises NotThere for what is not there or that they may not see, Refused where the owner has less."""
    for grant in the_grants(grants):
        place = place_of_grant(grant) or Place()
        held = [access.role_at(place) for access in bounds]
        if grant.id is not None and None in held:
            raise NotThere(
                f"There is no {grant.scope.title()} {grant.id}.", "Nothing was changed; name what its owner sees."
            )
        if not all(access.may(grant.role, place) for access in bounds):
            of = "everything" if grant.id is None else f"{grant.scope} {grant.id}"
            raise Refused(
                f"«{owner}» is not {grant.role} for {of}, so no token of theirs can be.",
                "Choose a role that they have.",
            )
