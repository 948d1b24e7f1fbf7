"""The API: every router at its place, and one answer to everything that can go wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property, wraps
from importlib import import_module
from typing import Any, Final

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, InterfaceError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, re_path
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from tidegate.actions.errors import Forbidden, NotThere, Refused
from tidegate.actions.version import Changed
from tidegate.api.answer import JSON, trouble_of_none
from tidegate.api.docs import page
from tidegate.api.entry import WAYS_IN, nobody
from tidegate.api.openapi import document
from tidegate.api.problem import Trouble, answer_of, errors_of_parameters, trouble_of_fields
from tidegate.reads.page import CursorRefused
from tidegate.reads.viewer import NotShown

log = logging.getLogger(__name__)

ROUTERS: Final = (
    "tool",
    "connection",
    "schedule",
    "rule",
    "suggestion",
    "mapping",
    "product_type",
    "product",
    "engagement",
    "test",
    "record",
    "finding",
    "find",
    "operation",
    "notification",
    "destination",
    "delivery",
    "user",
    "token",
    "me",
    "audit",
    "configuration",
    "health",
    "trigger",
)
"""Each is the module of its noun in this package, with `routes`."""

ABOUT: Final = """\
Everything a person can do, a script can do here. A token says who asks: `Authorization: Bearer tg_…`.
Lists come in pages: ask on with `cursor` = `next`, until it is null. Times are UTC, ISO 8601."""


class Api(NinjaAPI):
    """ninja's, with the document and the order of addresses that we want."""

    def get_openapi_schema(self, **_: Any) -> Any:
        return self.document

    @cached_property
    def document(self) -> dict[str, Any]:
        """Made once: anybody may ask for it, and it takes a while."""
        return document(self)


def made() -> Api:
    """The API with all its routers."""
    api = Api(
        title="Tidegate",
        version="1",
        description=ABOUT,
        urls_namespace="api",
        openapi_url=None,
        docs_url=None,
        auth=WAYS_IN,
    )
    for name in ROUTERS:
        api.add_router("", import_module(f"tidegate.api.{name}").routes.router)
    for kind, handler in HANDLERS.items():
        api.add_exception_handler(kind, handler)
    return api


def trouble_of(error: Exception) -> Trouble:
    """Any error as a problem. What is no news for a person is told to the log, and to nobody else."""
    if isinstance(error, Trouble):
        return error
    if isinstance(error, (NotThere, Http404)):
        return _said("not-there", error) if isinstance(error, NotThere) else trouble_of_none()
    if isinstance(error, Forbidden):
        return _said("forbidden", error)
    if isinstance(error, Changed):
        return _said("changed", error)
    if isinstance(error, Refused):
        return _said("refused", error)
    if isinstance(error, NotShown):
        return Trouble("forbidden", error.cause, error.next_step)
    if isinstance(error, CursorRefused):
        return Trouble("cursor", error.what, error.next_step)
    if isinstance(error, ValidationError):
        return trouble_of_fields(errors_of_parameters(error.errors))
    if isinstance(error, (RequestDataTooBig, UnreadablePostError)):
        return Trouble("not-readable", "The body did not arrive as a whole.", "Send it again.")
    if isinstance(error, HttpError):
        return Trouble("not-readable", "The request cannot be read.", "See what it takes: /api/v1/docs")
    if isinstance(error, (DatabaseError, InterfaceError)) and _is_away(error):
        return Trouble("not-now", "The database cannot be reached just now.", "Ask again in a while.")
    if getattr(error, "for_a_person", False):
        return Trouble("refused", str(getattr(error, "cause", error)), str(getattr(error, "next_step", "")))
    log.error("The API met something it was not made for", exc_info=error)
    return Trouble("broken", "Tidegate met something it was not made for.", "Its log says what; report that.")


def _said(kind: str, refused: Refused) -> Trouble:
    return Trouble(kind, refused.sentence, refused.next_step)


def _is_away(error: Exception) -> bool:
    """Whether the database is not there or has no connection free, and not that we asked it wrongly."""
    return isinstance(error, InterfaceError) or type(error).__name__ == "OperationalError"


def _told(request: HttpRequest, error: Any) -> HttpResponse:
    return answer_of(trouble_of(error))


def _told_who(request: HttpRequest, _: Any) -> HttpResponse:
    return answer_of(nobody(request))


HANDLERS: Final[dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]]] = {
    Exception: _told,
    Http404: _told,
    HttpError: _told,
    ValidationError: _told,
    AuthenticationError: _told_who,
}


# Addresses

View = Callable[..., HttpResponseBase]


def as_a_problem(view: View) -> View:
    """HEAD is answered like GET (its body is left away at the door), and other methods say which there are."""

    @wraps(view)
    def asked(request: HttpRequest, *arguments: Any, **values: Any) -> HttpResponseBase:
        if request.method == "HEAD":
            request.method = "GET"
        try:
            answer = view(request, *arguments, **values)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a problem and no internals
            return answer_of(trouble_of(error))
        if answer.status_code == 405:
            return _not_allowed(answer["Allow"])
        return answer

    return asked


def _not_allowed(allowed: str) -> HttpResponse:
    methods = sorted({one.strip() for one in allowed.split(",")} | ({"HEAD"} if "GET" in allowed else set()))
    said = ", ".join(methods)
    return answer_of(Trouble("method", f"This address takes {said}.", "See: /api/v1/docs", headers={"Allow": said}))


def nowhere(_: HttpRequest, **__: Any) -> HttpResponse:
    """No route is at this address."""
    return answer_of(trouble_of_none())


def openapi(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document. It tells nothing of this installation, so anybody may read it."""
    if request.method != "GET":
        return _not_allowed("GET")
    return HttpResponse(msgspec.json.encode(api.get_openapi_schema()), content_type=JSON)


def docs(request: HttpRequest) -> HttpResponse:
    """The same for people."""
    if request.method != "GET":
        return _not_allowed("GET")
    return page(request, api.get_openapi_schema())


def _first_the_literal(one: URLPattern) -> list[tuple[bool, str]]:
    """`records/map` before `records/{record_id}`, in whatever order they were written."""
    return [("<" in part, part) for part in str(one.pattern).split("/")]


api = made()

urlpatterns = [
    path("v1/openapi.json", as_a_problem(openapi), name="api-openapi"),
    path("v1/docs", as_a_problem(docs), name="api-docs"),
    *(
        path(f"v1/{one.pattern}", as_a_problem(one.callback), name=one.name or "")
        for one in sorted(
            (p for router in api._get_bound_routers() for p in router.urls_paths(router.prefix)),
            key=_first_the_literal,
        )
    ),
    re_path(r"^.*$", nowhere),
]
"""Under /api/."""
