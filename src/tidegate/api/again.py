"""`Idempotency-Key`: a request that was carried out is not carried out again under the same key; its answer is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from tidegate.actions.request import Begun, begin_request, carrying_out, finish_request, forget_request
from tidegate.api.answer import hashed
from tidegate.api.problem import FieldError, Trouble, trouble_of_fields
from tidegate.rules.actor import Actor

HEADER: Final = "Idempotency-Key"
LONGEST_KEY: Final = 255
LARGEST_KEPT: Final = 256 * 1024
KEPT_HEADERS: Final = ("Content-Type", "Location", "ETag")


def once(
    request: HttpRequest, actor: Actor, answer: Callable[[], HttpResponseBase], *, secret: bool
) -> HttpResponseBase:
    """Answers; under a key that was used within a day, as it was answered then."""
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return answer()
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise trouble_of_fields(
            [FieldError(place="header", pointer=HEADER, sentence=f"Give 1 to {LONGEST_KEY} printable characters.")]
        )
    if actor.user_id is None:
        return answer()
    asked = hashed(request.get_full_path().encode(), request.body)
    known = begin_request(actor.user_id, hashed(key.encode()), asked)
    if not isinstance(known, Begun):
        return HttpResponse(known.body, status=known.status, headers={**known.headers, "Idempotent-Replayed": "true"})
    _refuse(known)
    with carrying_out(known.number):
        given = answer()
    _keep(known, given, secret=secret)
    return given


def _refuse(known: Begun) -> None:
    """Raises Trouble where the key was used and there is no answer to give again."""
    if known.why == "another":
        raise trouble_of_fields(
            [
                FieldError(
                    place="header", pointer=HEADER, sentence="This key was used for another request; choose a new one."
                )
            ]
        )
    if known.why == "running":
        raise Trouble(
            "refused",
            "The first request of this key is still being carried out.",
            "Ask again in a while: it is answered then, or, where it came to nothing, done within ten minutes.",
        )
    if known.why == "lost":
        raise Trouble(
            "refused",
            "The request of this key was carried out, and its answer is not there: it is being written, or was lost.",
            "Ask again in a moment; if that says the same, look at what it made. Do not do it again with a new key.",
        )
    if known.why == "not kept":
        raise Trouble(
            "refused",
            "The request of this key was carried out, and its answer is not kept: it holds a secret, or is large.",
            "Look at what it made; where the secret is lost, make another with a new key.",
        )


def _keep(begun: Begun, given: HttpResponseBase, *, secret: bool) -> None:
    if given.status_code >= 300:
        forget_request(begun.number)  # nothing was done: it may be tried again
        return
    content = given.content if isinstance(given, HttpResponse) else None
    kept = None if secret or content is None or len(content) > LARGEST_KEPT else content
    headers = {name: given[name] for name in KEPT_HEADERS if given.has_header(name)}
    finish_request(begun.number, given.status_code, headers, kept)
