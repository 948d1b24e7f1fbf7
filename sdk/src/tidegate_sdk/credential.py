"""What a credential says of itself. Pure, and believed in nothing but a warning: no signature is verified."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import msgspec

_LONGEST = 2**16


def jwt_end(text: str) -> datetime | None:
    """When a JSON Web Token expires by its own `exp`, in UTC; None for one that does not say, and for any other text.

    Nothing is verified: it is our own credential, and the answer serves to warn its owner.
    """
    parts = text.strip().split(".") if len(text) <= _LONGEST else []
    if len(parts) != 3 or _object(parts[0]) is None or (claims := _object(parts[1])) is None:
        return None
    seconds = claims.get("exp")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):  # later than the year 9999
        return None


def _object(part: str) -> Mapping[str, Any] | None:
    """A part of a token, if it is an object of JSON."""
    try:
        data = b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        value = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return None
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else None
