"""When secrets end, as far as they say so themselves: a JSON Web Token carries its own end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import SecretStr

from tidegate_sdk import jwt_end


def end_in(secrets: Iterable[SecretStr]) -> datetime | None:
    """The first end that one of these secrets tells; None where none does."""
    return min(filter(None, (jwt_end(secret.get_secret_value()) for secret in secrets)), default=None)
