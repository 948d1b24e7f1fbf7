"""Second factors at rest: the secret of an authenticator app and the seed of recovery codes, sealed as text.

allauth keeps them in a column of JSON, so what secrets.py seals stands there as base64. It is bound to the user: the
row of one person does not open as another's.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from typing import Final

from pydantic import SecretStr

from tidegate.config import Settings
from tidegate.guard.secrets import seal, unseal

BEGINNING: Final = "dGcx"
"""How all of it begins: `tg1` as base64. No secret of an app (A-Z, 2-7) and no seed (0-9, a-f) begins so."""

_NAME = "secret"


def owner_of_factors(user_id: int) -> str:
    """What a user's second factors are sealed to."""
    return f"user {user_id} second factor"


def seal_factor(text: str, user_id: int, settings: Settings) -> str:
    """The text that is stored instead. Raises KeyProblem. Whoever stores it holds the table: see seal()."""
    return written_factor(seal({_NAME: SecretStr(text)}, owner_of_factors(user_id), settings))


def open_factor(stored: str, user_id: int, settings: Settings) -> str:
    """What was sealed for this user. Raises KeyProblem, also for what nobody sealed."""
    return unseal(sealed_bytes(stored), owner_of_factors(user_id), settings)[_NAME].get_secret_value()


def sealed_bytes(stored: str) -> bytes:
    """What stands there as text; nothing that was sealed where it is no base64."""
    try:
        return b64decode(stored, validate=True)
    except (binascii.Error, ValueError):
        return b""


def written_factor(sealed: bytes) -> str:
    """How it stands in the column."""
    return b64encode(sealed).decode()
