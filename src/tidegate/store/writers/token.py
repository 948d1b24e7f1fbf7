"""Tokens made, used and revoked. The caller has the transaction open, but for the note of a use, which stands alone."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from tidegate.rules.actor import Actor
from tidegate.store.models import Token

BETWEEN_TWO_NOTES = timedelta(minutes=1)


def save_new_token(actor: Actor, user_id: int, name: str, hash: bytes, beginning: str, lives: timedelta) -> int:
    """Makes the row."""
    row = Token.objects.create(
        user_id=user_id, name=name, hash=hash, beginning=beginning, expires_at=Now() + lives, created_by=str(actor)
    )
    return row.pk


def lock_token(token_id: int) -> Token | None:
    """The token until the transaction ends; None where there is none."""
    return Token.objects.select_for_update(no_key=True).filter(pk=token_id).first()


def revoke(actor: Actor, *, token: int | None = None, user: int | None = None) -> int:
    """Ends this token, or all of this user; how many still lived."""
    which = Token.objects.filter(revoked_at=None)
    which = which.filter(user_id=user) if token is None else which.filter(pk=token)
    return which.update(revoked_at=Now(), revoked_by=str(actor))


def note_use(token_id: int, address: str) -> None:
    """Keeps when and from where it was used last; at most once a minute, so that reading stays reading."""
    due = Q(last_used_at=None) | Q(last_used_at__lt=Now() - BETWEEN_TWO_NOTES)
    Token.objects.filter(due, pk=token_id).update(last_used_at=Now(), last_used_from=address)
