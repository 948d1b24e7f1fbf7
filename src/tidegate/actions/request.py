"""Requests that carry a key, so that none is carried out twice. No action of anybody: the API does it for each.

What a request does and that it was done are written in one transaction. So after the death of a process it is known
which: a request that did nothing lets go of its key, and of one that was carried out only the answer is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from django.db import transaction

from tidegate.actions.errors import Refused
from tidegate.store.writers import request as writer

LONGEST: Final = timedelta(minutes=10)
"""So long a request may take; one that has carried out nothing by then has lost its key to whoever asks again."""

_request: ContextVar[int | None] = ContextVar("request that carries a key", default=None)


@dataclass(frozen=True)
class Begun:
    """The request of this number is to be carried out now; or, with a `why`, it is not and has no answer."""

    number: int
    why: Literal["", "another", "running", "not kept", "lost"] = ""


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
        ours = known is not None and bytes(known.request_hash) == request_hash
        if known is None or (ours and writer.take_key_of_the_dead(known.pk, LONGEST)):  # it was let go
            number = writer.take_key(user_id, key_hash, request_hash)
            return Begun(number or 0, "" if number else "running")
        if ours:
            known.refresh_from_db()
    if not ours:
        return Begun(known.pk, "another")
    if known.status is None:
        return Begun(known.pk, "running")
    if known.status == writer.CARRIED_OUT:
        return Begun(known.pk, "lost")
    if known.body is None:
        return Begun(known.pk, "not kept")
    return Answered(known.status, known.headers, bytes(known.body))


@contextmanager
def carrying_out(number: int) -> Iterator[None]:
    """What is done inside, is done for this request. Where that raises and nothing was done, the key is free again."""
    token = _request.set(number)
    went_well = False
    try:
        yield
        went_well = True
    finally:
        _request.reset(token)
        if not went_well:
            writer.free_key_unless_done(number)


def note_carried_out() -> None:
    """Says that the request did something; every action does, in its transaction. Raises Refused where somebody else
    has the key by now: then nothing is done here."""
    number = _request.get()
    if number is not None and not writer.mark_carried_out(number):
        raise Refused("This took so long that somebody else began it anew.", "Look what became of that.")


def finish_request(number: int, status: int, headers: Mapping[str, str], body: bytes | None) -> None:
    """Keeps the answer; None is not kept, because it holds a secret or is too large."""
    with transaction.atomic():
        writer.keep_answer(number, status, headers, body)


def forget_request(number: int) -> None:
    """Nothing was done: the key is free again."""
    with transaction.atomic():
        writer.free_key(number)
