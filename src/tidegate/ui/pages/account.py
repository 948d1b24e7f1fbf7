"""The page about oneself: what one may do, and how one comes in."""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tidegate.reads.user import user as read_user
from tidegate.reads.viewer import viewing
from tidegate.ui.account import visitor


def account(request: HttpRequest) -> HttpResponse:
    """Roles, password, second factor, sessions and tokens of who is logged in."""
    actor = visitor(request)
    if actor is None or actor.user_id is None:
        return redirect_to_login(request.get_full_path())
    with viewing(actor.access):
        me = read_user(actor.user_id, me=actor.user_id)
    return render(request, "account/page.html", {"me": me})
