"""Keys of requests and how these were answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tidegate.store.models import AnsweredRequest
from tidegate.store.statement import rows_of


def take_key(user_id: int, key_hash: bytes, request_hash: bytes) -> int | None:
    """The number of the request that has the key from now on; None where another has it. Waits for who takes it at
    the same moment."""
    for row in rows_of("take_request_key", user=user_id, key_hash=key_hash, request_hash=request_hash):
        return row["id"]
    return None


def taken_key(user_id: int, key_hash: bytes) -> AnsweredRequest | None:
    """Who has the key."""
    return AnsweredRequest.objects.filter(user_id=user_id, key_hash=key_hash).first()


def keep_answer(number: int, status: int, headers: Mapping[str, str], body: bytes | None) -> None:
    """How the request was answered."""
    AnsweredRequest.objects.filter(pk=number).update(status=status, headers=dict(headers), body=body)


def free_key(number: int) -> None:
    """Lets a key go."""
    AnsweredRequest.objects.filter(pk=number).delete()


def forget_requests(before: datetime) -> int:
    """Forgets what was answered before; returns how many."""
    return AnsweredRequest.objects.filter(at__lt=before).delete()[0]
