"""Keys of requests and how these were answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db.models.functions import Now

from tidegate.store.models import AnsweredRequest
from tidegate.store.statement import rows_of

CARRIED_OUT: Final = 0
"""The status of a request that was carried out and is not answered yet, or whose answer was lost."""


def take_key(user_id: int, key_hash: bytes, request_hash: bytes) -> int | None:
    """The number of the request that has the key from now on; None where another has it. Waits for who takes it at
    the same moment."""
    for row in rows_of("take_request_key", user=user_id, key_hash=key_hash, request_hash=request_hash):
        return row["id"]
    return None


def taken_key(user_id: int, key_hash: bytes) -> AnsweredRequest | None:
    """Who has the key."""
    return AnsweredRequest.objects.filter(user_id=user_id, key_hash=key_hash).first()


def take_key_of_the_dead(number: int, older_than: timedelta) -> bool:
    """Lets go of the key of a request that carried nothing out, and whose time is over. A request that is being
    finished at this moment is waited for, and then it keeps the key."""
    dead = AnsweredRequest.objects.filter(pk=number, status=None, at__lt=Now() - older_than)
    return dead.delete()[0] > 0


def mark_carried_out(number: int) -> bool:
    """Says in the transaction of what a request does that it is done. False where its key was let go meanwhile."""
    there = AnsweredRequest.objects.filter(pk=number)
    there.filter(status=None).update(status=CARRIED_OUT)
    return there.exists()


def keep_answer(number: int, status: int, headers: Mapping[str, str], body: bytes | None) -> None:
    """How the request was answered."""
    AnsweredRequest.objects.filter(pk=number).update(status=status, headers=dict(headers), body=body)


def free_key(number: int) -> None:
    """Lets a key go."""
    AnsweredRequest.objects.filter(pk=number).delete()


def free_key_unless_done(number: int) -> None:
    """Lets a key go, where nothing was carried out under it."""
    AnsweredRequest.objects.filter(pk=number, status=None).delete()


def forget_requests(before: datetime) -> int:
    """Forgets what was answered before; returns how many."""
    return AnsweredRequest.objects.filter(at__lt=before).delete()[0]
