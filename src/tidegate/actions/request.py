"""Requests that carry a key, so that none is carried out twice. No action of anybody: the API does it for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from django.db import transaction

from tidegate.store.writers import request as writer


@dataclass(frozen=True)
class Begun:
    """The request of this number is to be carried out now; or, with a `why`, it is not and has no answer."""

    number: int
    why: Literal["", "another", "running", "not kept"] = ""


@dataclass(frozen=True)
class Answered:
    """How it was answered the first time."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def begin_request(user_id: int, key_hash: bytes, request_hash: bytes) -> Begun | Answered:
    """Takes the key for this request, or says what became of the one that has it. Of two at once one takes it."""
    with transaction.atomic():
        if (number := writer.take_key(user_id, key_hash, request_hash)) is not None:
            return Begun(number)
        known = writer.taken_key(user_id, key_hash)
        if known is None:  # it was let go at this moment
            number = writer.take_key(user_id, key_hash, request_hash)
            return Begun(number or 0, "" if number else "running")
    if bytes(known.request_hash) != request_hash:
        return Begun(known.pk, "another")
    if known.status is None:
        return Begun(known.pk, "running")
    if known.body is None:
        return Begun(known.pk, "not kept")
    return Answered(known.status, known.headers, bytes(known.body))


def finish_request(number: int, status: int, headers: Mapping[str, str], body: bytes | None) -> None:
    """Keeps the answer; None is not kept, because it holds a secret or is too large."""
    with transaction.atomic():
        writer.keep_answer(number, status, headers, body)


def forget_request(number: int) -> None:
    """Nothing was done: the key is free again."""
    with transaction.atomic():
        writer.free_key(number)
