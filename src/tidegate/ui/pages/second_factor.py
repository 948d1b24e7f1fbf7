"""Setting up a second factor: allauth's pages, where they need something that other pages may not have."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

from allauth.mfa.totp import views as app
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from django.http import HttpRequest, HttpResponse

from tidegate.config import load_settings
from tidegate.guard.keys import KeyProblem
from tidegate.guard.second_factor import open_factor, seal_factor

WITH_PICTURES = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""What server/gate.py says of every answer, and pictures that stand in the page itself."""


def activate_app(request: HttpRequest) -> HttpResponse:
    """Shows the secret of an authenticator app as a picture that stands in the page itself. Until the first code is
    entered the secret waits in the session, and there it is sealed as well."""
    settings, session, user = load_settings(), request.session, cast("Any", request.user)
    if waiting := session.pop(SECRET_SESSION_KEY, None):
        with suppress(KeyProblem):  # else another one is shown
            session[SECRET_SESSION_KEY] = open_factor(waiting, user.pk, settings)
    try:
        answer = app.activate_totp(request)
    finally:
        if waiting := session.get(SECRET_SESSION_KEY):
            session[SECRET_SESSION_KEY] = seal_factor(waiting, user.pk, settings)
    answer["Content-Security-Policy"] = WITH_PICTURES
    return answer
