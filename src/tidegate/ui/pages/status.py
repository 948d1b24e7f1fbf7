"""The status page: everything at one glance, until there are more pages."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib.auth.views import redirect_to_login
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from tidegate.actions.setup import is_set_up
from tidegate.reads.service import answered_within
from tidegate.reads.status import status as read_status
from tidegate.reads.viewer import viewing
from tidegate.ui.account import visitor

SECONDS_TO_ANSWER = 5.0


def status(request: HttpRequest) -> HttpResponse:
    """What flows, what runs, what needs a person; for who is logged in, as far as they may see it."""
    try:
        with answered_within(SECONDS_TO_ANSWER):
            actor = visitor(request)
            if actor is None:
                return redirect_to_login(request.get_full_path()) if is_set_up() else redirect("setup")
            if not actor.access.may_somewhere("reader"):
                return render(request, "status/no_role.html", status=403)
            with viewing(actor.access):
                found = read_status(datetime.now(UTC))
    except DatabaseError:
        return render(request, "status/no_database.html", status=503)
    return render(request, "status/page.html", {"status": found, "now": found.at})
