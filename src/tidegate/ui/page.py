"""What every page has in common: who looks, as far as they may see, and what is said where something is in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Final, Literal
from urllib.parse import urlsplit, urlunsplit

import structlog
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from tidegate.actions.errors import Forbidden, NotThere, Refused
from tidegate.actions.setup import is_set_up
from tidegate.reads.page import CursorRefused
from tidegate.reads.service import answered_within
from tidegate.reads.viewer import NotShown, one_look, viewing
from tidegate.rules.actor import Actor
from tidegate.ui.account import visitor

log = structlog.get_logger("tidegate.pages")

SECONDS_TO_ANSWER: Final = 5.0
QUIET: Final = "X-Quiet"
"""The header of parts that are asked for by themselves: once the page is there, or every few seconds."""
LOGGED_OUT: Final = "You were logged out meanwhile. Log in and send it again; what you typed is still there."

Tone = Literal["success", "warning", "error"]


Shows = Callable[..., HttpResponse]
"""A page: called with the request, who looks, and what its address names."""


def page(view: Shows) -> Callable[..., HttpResponse]:
    """A page that is looked at: one look at the database, inside what the viewer may see. `view(request, actor, **of_url)`."""  # noqa: E501 - one line

    @require_GET
    @wraps(view)
    def answer(request: HttpRequest, **given: Any) -> HttpResponse:
        def shown(actor: Actor) -> HttpResponse:
            with viewing(actor.access), one_look():
                return view(request, actor, **given)

        try:
            with answered_within(SECONDS_TO_ANSWER):
                return _for_visitor(request, shown)
        except DatabaseError as error:
            log.error("A page got no answer from the database", page=request.path, error=error)
            return render(request, "status/no_database.html", status=503)

    return answer


def act(view: Shows) -> Callable[..., HttpResponse]:
    """What a button or a form sends: it calls one action, then leads to a page (`back`) or shows the form again."""

    @require_POST
    @wraps(view)
    def answer(request: HttpRequest, **given: Any) -> HttpResponse:
        def done(actor: Actor) -> HttpResponse:
            with viewing(actor.access):
                return view(request, actor, **given)

        return _for_visitor(request, done)

    return answer


def form_page(view: Shows) -> Callable[..., HttpResponse]:
    """A page with a form of its own: looked at with GET, sent to the same address with POST."""
    looked_at, sent = page(view), act(view)

    @wraps(view)
    def answer(request: HttpRequest, **given: Any) -> HttpResponse:
        return sent(request, **given) if request.method == "POST" else looked_at(request, **given)

    return answer


def _for_visitor(request: HttpRequest, then: Callable[[Actor], HttpResponse]) -> HttpResponse:
    actor = visitor(request)
    if actor is None:
        return _log_in(request)
    if not actor.access.may_somewhere("reader"):
        return render(request, "status/no_role.html", status=403)
    try:
        return then(actor)
    except NotThere as gone:
        return render(request, "not_found.html", {"refused": gone}, status=404)
    except (Forbidden, NotShown) as refused:
        return render(request, "refused.html", {"refused": refused}, status=403)
    except CursorRefused:
        return redirect(request.path)


def _log_in(request: HttpRequest) -> HttpResponse:
    if not is_set_up():
        return redirect("setup")
    if request.method == "POST":
        messages.warning(request, LOGGED_OUT)
    came_from = request.get_full_path() if request.method == "GET" else local(request, request.headers.get("Referer"))
    if getattr(request, "htmx", False):  # a part of a page cannot become the log-in: the whole page does
        came_from = local(request, request.headers.get("HX-Current-URL"))
        return HttpResponse(headers={"HX-Redirect": redirect_to_login(came_from).url})
    return redirect_to_login(came_from)


def show(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, parts: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    """The page; or, where HTMX asks for one of its `parts` (id of the element: template), that part alone, which is the
    same that the page includes."""
    part = (parts or {}).get(request.headers.get("HX-Target", ""))
    given = {"now": datetime.now(UTC), **context}
    answer = render(request, part or template, given, status=status)
    # What was just done is told on the page that is there. A part that looks again by itself tells nothing: it may come
    # between an action and the page that the action leads to.
    if part is not None and QUIET not in request.headers:
        answer.write(render_to_string("parts/notes.html", {**given, "beside": True}, request))
    answer["Vary"] = "HX-Request, HX-Target"
    return answer


def tell(request: HttpRequest, sentence: str, tone: Tone = "success", *, step: str | None = None) -> None:
    """Says it at the top of the next page; with a `step`, an Undo stands beside it."""
    messages.add_message(request, getattr(messages, tone.upper()), sentence, extra_tags=step or "")


@contextmanager
def saying(request: HttpRequest) -> Iterator[None]:
    """Around one action of a button: what was refused is said on the next page, with what to do."""
    try:
        yield
    except (NotThere, Forbidden):
        raise
    except Refused as refused:
        tell(request, f"{refused.sentence} {refused.next_step}", "error")


def back(request: HttpRequest, otherwise: str) -> HttpResponseRedirect:
    """To where the button stood (its form's hidden `next`), or to `otherwise`."""
    return HttpResponseRedirect(local(request, request.POST.get("next"), otherwise), status=303)


def local(request: HttpRequest, url: str | None, otherwise: str = "/") -> str:
    """The address if it is one of ours, without its host; else `otherwise`."""
    if not url or not url_has_allowed_host_and_scheme(url, {request.get_host()}):
        return otherwise
    parts = urlsplit(url)
    return urlunsplit(("", "", "/" + parts.path.lstrip("/"), parts.query, ""))


def fields_of(given: QueryDict) -> list[tuple[str, str]]:
    """Every field of a form but its token, for the form that confirms it."""
    return [(name, value) for name, values in given.lists() if name != "csrfmiddlewaretoken" for value in values]
