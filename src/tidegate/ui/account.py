"""What we say to django-allauth, and who it is that looks at a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.signals import authentication_failed
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tidegate.actions.account import changing_oneself, in_words
from tidegate.actions.second_factor import opened_factor, sealed_factor
from tidegate.actions.session import (
    forget_ended_sessions,
    log_in_refused,
    logged_out,
    logging_in,
    second_factor_refused,
)
from tidegate.actions.user import actor_of_session
from tidegate.config import load_settings
from tidegate.guard.keys import KeyProblem
from tidegate.reads.user import user_of_session
from tidegate.rules.actor import Actor

log = structlog.get_logger("tidegate.people")

LOST = (
    "Your second factor cannot be checked: the key that sealed it is not here. An administrator puts the key back, or"
    " takes the second factor away: tidegate user reset-second-factor NAME"
)

METHODS = {"password": "password", "socialaccount": "single sign-on"}
UNSEALED = "Nothing was changed: there is no key to seal a second factor with. An administrator finds why in the log."


class Account(DefaultAccountAdapter):
    """Local accounts: an administrator adds them, so nobody signs up; what happens is told to the log."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: an administrator adds people."""
        return False

    def login(self, request: HttpRequest, user: Any) -> None:
        """Logs them in under a session of a new name, and lets go of sessions that have ended."""
        with logging_in(user.pk, proven_by(request, user), address_of(request)):
            super().login(request, user)
        forget_ended_sessions()
        log.info("logged in", user=user.username, address=address_of(request))

    def logout(self, request: HttpRequest) -> None:
        """Ends the session."""
        log.info("logged out", user=str(request.user), address=address_of(request))
        if actor := visitor(request):
            logged_out(actor)
        super().logout(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Tells the log where somebody tries; the name may be a password that was typed into the wrong field."""
        log.warning("log-in refused", address=address_of(request))
        log_in_refused(str(credentials.get("username", "")), "Name or password is wrong.", address_of(request))

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        """Tells it of who may not come in any more, and knows the password."""
        log.warning("log-in refused", address=address_of(request))
        log_in_refused(user.username, f"{user.username} may not come in.", address_of(request))
        return super().respond_user_inactive(request, user)

    def is_safe_url(self, url: str) -> bool:
        """Only our own pages: a log-in leads nowhere else."""
        return url.startswith("/") and super().is_safe_url(url)


class SecondFactorLost(ValidationError):
    """What a second factor has to say is sealed, and no key opens it. A form shows it beside its field."""


class SecondFactor(DefaultMFAAdapter):
    """Authenticator apps, recovery codes and passkeys. They show the name that people log in with."""

    def get_totp_label(self, user: Any) -> str:
        """The name beside the code in the app."""
        return user.username

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """What a device calls us; the passkey is for the name in the address, which the gate knows."""
        return super().get_public_key_credential_rp_entity() | {"name": "Tidegate"}

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        """What a device calls them."""
        return super().get_public_key_credential_user_entity(user) | {
            "name": user.username,
            "display_name": user.username,
        }

    def encrypt(self, text: str) -> str:
        """Seals it, for who is logged in: nobody sets up another's."""
        request: Any = context.request
        user = request.user
        return sealed_factor(text, user.pk, load_settings())

    def decrypt(self, encrypted_text: str) -> str:
        """Opens it. Raises SecondFactorLost."""
        try:
            return opened_factor(encrypted_text, load_settings())
        except KeyProblem:
            raise SecondFactorLost(LOST) from None


def changing(view: Callable[..., Any]) -> Callable[..., Any]:
    """A page of allauth's on which somebody changes how they come in: wholly or not at all, with its lines in the audit
    log; and where the key of their second factor is lost, it says so."""

    @wraps(view)
    def answer(request: HttpRequest, **named: Any) -> Any:
        actor = visitor(request)
        if actor is None:
            return redirect_to_login(request.get_full_path())
        try:
            if request.method in ("GET", "HEAD"):  # what is only looked at changes nothing
                return view(request, **named)
            with changing_oneself(actor, request.session.session_key):
                return view(request, **named)
        except SecondFactorLost as lost:
            return render(request, "mfa/lost.html", {"why": lost.messages[0]}, status=503)
        except KeyProblem as problem:
            log.error("second factor cannot be sealed", why=problem.cause, step=problem.next_step)
            return render(request, "mfa/lost.html", {"why": UNSEALED}, status=503)

    return answer


@receiver(authentication_failed)
def tell_failure(request: HttpRequest, user: Any, **_: Any) -> None:
    """A second factor that is wrong, at the log-in or where it is asked for once more."""
    log.warning("second factor refused", address=address_of(request))
    second_factor_refused(user.pk, address_of(request))


def proven_by(request: HttpRequest, user: Any) -> list[str]:
    """What somebody has proven who they are by: "password", "single sign-on", "app", "passkey", "recovery codes"."""
    return [
        in_words(record["type"]) if record["method"] == "mfa" else METHODS.get(record["method"], "")
        for record in get_authentication_records(request, user)
    ]


def address_of(request: HttpRequest) -> str:
    """Where the request came from: the other end of the connection, whatever its headers say."""
    return str(request.META.get("REMOTE_ADDR") or "")


def visitor(request: HttpRequest) -> Actor | None:
    """Who is logged in; None where nobody is, or where they may not come in any more."""
    return actor_of_session(request.user, address_of(request))


class Sessions(AuthenticationBackend):
    """allauth's; whom a session brings comes with what they are granted."""

    def get_user(self, user_id: int) -> Any:
        user = user_of_session(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None


def securing_cookies(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A page that was asked for through https gives cookies that never travel without it."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response

    return answer
