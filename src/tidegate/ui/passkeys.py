"""Passkeys: allauth's forms, told what a browser may say, and telling the audit log what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import structlog
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn import forms as allauth
from django import forms
from django.core.exceptions import ValidationError
from django.db import DatabaseError

from tidegate.actions.session import log_in_refused, second_factor_refused
from tidegate.ui.account import address_of

LONGEST_NAME: Final = 60

log = structlog.get_logger("tidegate.people")


@contextmanager
def whatever_is_sent() -> Iterator[None]:
    """What is sent instead of a passkey's answer is wrong, and breaks nothing: what reads it was made for browsers."""
    try:
        yield
    except (ValidationError, DatabaseError):
        raise
    except Exception:  # noqa: BLE001 - anything: CBOR, keys and points of curves are read from what a stranger sent
        raise get_adapter().validation_error("incorrect_code") from None


class Answer(forms.JSONField):
    """What a browser hands on of a device."""

    def to_python(self, value: Any) -> Any:
        """Reads it, however deep it is nested and however long its numbers are."""
        try:
            return super().to_python(value)
        except (RecursionError, ValueError):
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Nothing: it was for once, and is not shown again."""
        return None

    def prepare_value(self, value: Any) -> str:
        """An empty field, which the page fills."""
        return ""


class Add(allauth.AddWebAuthnForm):
    """A new one, under a name of one's own."""

    credential = Answer(widget=forms.HiddenInput)
    name = forms.CharField(label="Name", required=False, max_length=LONGEST_NAME)

    def clean(self) -> Any:
        """Reads what the browser made."""
        with whatever_is_sent():
            return super().clean()


class _Telling(allauth.AuthenticateWebAuthnForm):
    """One that says who could not come in."""

    credential = Answer(widget=forms.HiddenInput)

    def clean_credential(self) -> Any:
        """The passkey that answered."""
        try:
            with whatever_is_sent():
                return super().clean_credential()
        except ValidationError as error:
            if error.code != "too_many_login_attempts":
                request: Any = context.request
                self.tell(address_of(request))
            raise

    def tell(self, address: str) -> None:
        log.warning("second factor refused", address=address)
        second_factor_refused(self.user.pk, address)


class Authenticate(_Telling):
    """After the password."""


class Reauthenticate(_Telling, allauth.ReauthenticateWebAuthnForm):
    """Once more, before something that matters."""


class Login(_Telling, allauth.LoginWebAuthnForm):
    """Instead of name and password."""

    def tell(self, address: str) -> None:
        log.warning("log-in refused", address=address)
        log_in_refused("", "The passkey is wrong.", address)
