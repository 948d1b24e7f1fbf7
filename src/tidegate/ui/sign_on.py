"""What we say to django-allauth of single sign-on: it keeps the links; who comes in, actions/sign_on.py says."""

from __future__ import annotations

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest


class SignOn(DefaultSocialAccountAdapter):
    """Nobody is made a user by a form of allauth's."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: object) -> bool:
        """Never."""
        return False
