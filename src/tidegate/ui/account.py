"""What we say to django-allauth, and who it is that looks at a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest, HttpResponse

from tidegate.actions.session import forget_ended_sessions
from tidegate.actions.user import actor_of_user
from tidegate.rules.actor import Actor

log = structlog.get_logger("tidegate.people")


class Account(DefaultAccountAdapter):
    """Local accounts: an administrator adds them, so nobody signs up; what happens is told to the log."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: an administrator adds people."""
        return False

    def login(self, request: HttpRequest, user: Any) -> None:
        """Logs them in under a session of a new name, and lets go of sessions that have ended."""
        super().login(request, user)
        forget_ended_sessions()
        log.info("logged in", user=user.username, address=address_of(request))

    def logout(self, request: HttpRequest) -> None:
        """Ends the session."""
        log.info("logged out", user=str(request.user), address=address_of(request))
        super().logout(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Tells the log where somebody tries; the name may be a password that was typed into the wrong field."""
        log.warning("log-in refused", address=address_of(request))

    def is_safe_url(self, url: str) -> bool:
        """Only our own pages: a log-in leads nowhere else."""
        return url.startswith("/") and super().is_safe_url(url)


class SecondFactor(DefaultMFAAdapter):
    """Authenticator apps and recovery codes. They show the name that people log in with."""

    def get_totp_label(self, user: Any) -> str:
        """The name beside the code in the app."""
        return user.username


def address_of(request: HttpRequest) -> str:
    """Where the request came from: the other end of the connection, whatever its headers say."""
    return str(request.META.get("REMOTE_ADDR") or "")


def visitor(request: HttpRequest) -> Actor | None:
    """Who is logged in; None where nobody is, or where they may not come in any more."""
    number = request.user.pk
    return None if number is None else actor_of_user(number, address_of(request))


def securing_cookies(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A page that was asked for through https gives cookies that never travel without it."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response

    return answer
