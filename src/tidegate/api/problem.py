"""What the API says when something did not work: RFC 9457, with the next step and every field that is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from django.http import HttpResponse
from msgspec import Meta
from pydantic import ValidationError as BodyRefused

KIND: Final = "application/problem+json"
DOCS: Final = "/api/v1/docs"


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with what was sent."""

    place: Annotated[str, Meta(description="`body`, `query`, `path` or `header`.")]
    pointer: Annotated[str, Meta(description="Which field: a JSON pointer in the body, else the parameter's name.")]
    sentence: Annotated[str, Meta(description="What is wrong with it.")]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not answered as it was meant."""

    type: Annotated[str, Meta(description="Which kind of problem; the address explains it.")]
    title: Annotated[str, Meta(description="The kind of problem in words; always the same for one type.")]
    status: Annotated[int, Meta(description="The HTTP status.")]
    detail: Annotated[str, Meta(description="What happened, to which thing.")]
    next_step: Annotated[str, Meta(description="What to do next.")]
    errors: Annotated[list[FieldError], Meta(description="Field by field what is wrong; empty where it is no field.")]


TITLES: Final[Mapping[str, tuple[int, str]]] = {
    "not-readable": (400, "The request cannot be read"),
    "host": (400, "Tidegate is not called that"),
    "cursor": (400, "The cursor does not belong here"),
    "not-logged-in": (401, "Nobody is logged in"),
    "forbidden": (403, "Your role does not reach that far"),
    "not-there": (404, "There is no such thing"),
    "method": (405, "That cannot be done with this address"),
    "refused": (409, "That cannot be done as things are"),
    "changed": (412, "It was changed in between"),
    "too-large": (413, "The request is too large"),
    "too-long": (414, "The address is too long"),
    "content-type": (415, "The body is of a kind that is not read here"),
    "fields": (422, "Some of what was sent cannot be used"),
    "too-many": (429, "Too many requests"),
    "headers": (431, "The headers are too long"),
    "broken": (500, "Tidegate met something it was not made for"),
    "not-now": (503, "Tidegate cannot answer just now"),
}


class Trouble(Exception):
    """A problem as an exception, for what the API itself refuses. Actions raise their own."""

    def __init__(
        self,
        kind: str,
        detail: str,
        next_step: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.next_step = kind, detail, next_step
        self.errors, self.headers = list(errors), dict(headers or {})


def body_of(kind: str, detail: str, next_step: str, errors: Sequence[FieldError] = ()) -> tuple[int, bytes]:
    """The status and the bytes of a problem."""
    status, title = TITLES[kind]
    problem = Problem(
        type=f"{DOCS}#problem-{kind}",
        title=title,
        status=status,
        detail=detail,
        next_step=next_step,
        errors=list(errors),
    )
    return status, msgspec.json.encode(problem)


def answer_of(trouble: Trouble) -> HttpResponse:
    """The answer that says it."""
    status, body = body_of(trouble.kind, trouble.detail, trouble.next_step, trouble.errors)
    return HttpResponse(body, status=status, content_type=KIND, headers=trouble.headers)


def trouble_of_fields(errors: Sequence[FieldError]) -> Trouble:
    """What is wrong with what was sent, field by field."""
    first = errors[0]
    where = first.pointer.removeprefix("#").removeprefix("/") or first.place
    more = f" And {len(errors) - 1} more." if len(errors) > 1 else ""
    return Trouble("fields", f"{where}: {first.sentence}{more}", f"See what it takes: {DOCS}", errors)


def errors_of_body(refused: BodyRefused, sent: Any, sayable: Collection[str] | None = None) -> list[FieldError]:
    """What pydantic found wrong with a body; what was sent is not repeated, since secrets are among it. Where they may
    stand in the place of a name too, only the names that are `sayable` are said."""
    return [
        FieldError(place="body", pointer=pointer(_within(sent, one["loc"], sayable)), sentence=sentence(one["msg"]))
        for one in refused.errors(include_url=False, include_input=False, include_context=False)
    ]


def _within(sent: Any, place: Sequence[int | str], sayable: Collection[str] | None) -> Sequence[int | str]:
    """As far as the place is one in the body: pydantic names the kinds of a choice, too, and keys as `[key]`."""
    for depth, part in enumerate(place):
        if sayable is not None and isinstance(part, str) and part not in sayable:
            return place[:depth]
        if isinstance(sent, dict):
            sent = sent.get(part)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        elif isinstance(sent, list) and isinstance(part, int) and part < len(sent):  # pyright: ignore[reportUnknownArgumentType]
            sent = sent[part]  # pyright: ignore[reportUnknownVariableType]
        else:
            return place[:depth]
    return place


def errors_of_parameters(found: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    """What ninja found wrong with the parameters of a path or query."""
    return [
        FieldError(
            place=str(one["loc"][0]),
            pointer=str(one["loc"][1]) if one["loc"][1:] else "",
            sentence=sentence(one["msg"]),
        )
        for one in found
    ]


def pointer(place: Sequence[int | str]) -> str:
    """A JSON pointer (RFC 6901), as a fragment."""
    return "#" + "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in place)


def sentence(text: str) -> str:
    """pydantic's words as a sentence."""
    text = text.removeprefix("Value error, ").strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."


def phrase(status: int) -> str:
    """HTTP's own words for a status."""
    return HTTPStatus(status).phrase
