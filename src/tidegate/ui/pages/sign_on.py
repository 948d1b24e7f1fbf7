"""Logging in by single sign-on: on to the issuer, and back from it."""

from __future__ import annotations

import hmac
import secrets
from typing import Any

import structlog
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import get_next_redirect_url, perform_login
from allauth.core import ratelimit
from allauth.socialaccount.internal import statekit
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from tidegate.actions.errors import Refused
from tidegate.actions.sign_on import PROVIDER, come_in, sign_on_refused
from tidegate.config import load_settings
from tidegate.guard.issuer import Issuer, NotProven, issuer_of
from tidegate.ui.account import address_of

log = structlog.get_logger("tidegate.people")


def button() -> str:
    """What the button of the log-in says; empty where there is no issuer, and then there is no button."""
    issuer = _issuer()
    return issuer.name if issuer else ""


@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """On to the issuer. A form of ours, so that no other site begins it; and a page that leads on, since a form of ours
    leads to nobody else."""
    issuer = _there()
    if slow_down := ratelimit.consume_or_429(request, action="login"):
        return slow_down
    kept = {"nonce": secrets.token_urlsafe(32), "verifier": secrets.token_urlsafe(64)}
    state = secrets.token_urlsafe(32)
    try:
        address = async_to_sync(issuer.way_in)(_back(request), state, kept["nonce"], kept["verifier"])
    except NotProven as why:
        return _refused(request, str(why), status=502)
    kept["next"] = get_next_redirect_url(request) or ""
    statekit.stash_state(request, provider_id=PROVIDER, state=kept, state_id=state)
    return render(request, "socialaccount/onward.html", {"address": address, "name": issuer.name})


@require_GET
def come_back(request: HttpRequest) -> HttpResponse:
    """Back from the issuer, with a code that is worth something once, and only to the browser that began."""
    issuer = _there()
    kept = statekit.unstash_state(request, state_id=request.GET.get("state", ""), provider_id=PROVIDER)
    if kept is None:  # anybody can ask for this address: nothing for the audit log
        why = "This log-in was not begun in this browser, or was used already, or took longer than ten minutes."
        return _page(request, f"{why} Begin once more.", 400)
    if request.GET.get("error") == "access_denied":
        return redirect("socialaccount_login_cancelled")
    code, said = request.GET.get("code", ""), request.GET.get("iss", issuer.url)
    if not code or not hmac.compare_digest(said.encode(), issuer.url.encode()):
        return _refused(request, "The issuer did not let you in.")
    try:
        identity = async_to_sync(issuer.identity)(code, _back(request), kept["nonce"], kept["verifier"])
    except NotProven as why:
        return _refused(request, str(why))
    try:
        user_id = come_in(load_settings(), identity, address_of(request))
    except Refused as refused:
        log.warning("log-in refused", why=refused.sentence, address=address_of(request))
        return _page(request, str(refused), 403)
    return _logged_in(request, user_id, kept["next"])


def _logged_in(request: HttpRequest, user_id: int, following: str) -> HttpResponse:
    """As django-allauth logs in whom it knows: a second factor is asked for by whoever has one."""
    user: Any = get_user_model().objects.get(pk=user_id)
    if request.user.is_authenticated:
        get_adapter(request).logout(request)
    record_authentication(request, user, "socialaccount", provider=PROVIDER)
    return perform_login(request, user, email_verification="none", redirect_url=following or None)


def _issuer() -> Issuer | None:
    return issuer_of(load_settings())


def _there() -> Issuer:
    """The issuer. Raises Http404 where there is none."""
    issuer = _issuer()
    if issuer is None:
        raise Http404
    return issuer


def _back(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("sign_on_back"))


def _refused(request: HttpRequest, why: str, status: int = 403) -> HttpResponse:
    """Nobody came in: that is told, logged and written down."""
    log.warning("log-in refused", why=why, address=address_of(request))
    sign_on_refused(why, address_of(request))
    return _page(request, why, status)


def _page(request: HttpRequest, why: str, status: int) -> HttpResponse:
    return render(request, "socialaccount/authentication_error.html", {"why": why}, status=status)
