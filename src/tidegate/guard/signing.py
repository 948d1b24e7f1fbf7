"""Signatures of messages between programs: by Standard Webhooks 1.0, and the plain HMAC of a body that vendors send.

A secret is shown as `whsec_` and base64, as that specification says. Its key are the bytes behind it; a vendor that
knows nothing of that uses the letters themselves, so one secret serves both.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import SecretStr

PREFIX: Final = "whsec_"
TOLERANCE_SECONDS: Final = 300
"""How far the clock of whoever signs may be from ours."""

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"

_NEW_BYTES = 32
_LEAST, _MOST = 24, 64
_LONGEST_ID = 256
_SIGNATURES = 10
"""So many signatures of one message are looked at: of two keys there are two."""

_PLAIN: Final = (
    ("x-hub-signature-256", "sha256="),  # GitHub
    ("x-hub-signature", "sha256="),  # Snyk; GitHub's older one of this name begins with sha1= and is not believed
    ("x-sonar-webhook-hmac-sha256", ""),  # SonarQube
)
"""Headers that hold the HMAC-SHA256 of the body in hex, and what stands before it."""


class SecretUnusable(ValueError):
    """It is no secret to sign with; the message is a sentence and repeats nothing of it."""


def new_secret() -> SecretStr:
    """A secret that nobody knows yet."""
    return SecretStr(PREFIX + b64encode(secrets.token_bytes(_NEW_BYTES)).decode())


def key_of(secret: SecretStr) -> bytes:
    """The key that a secret stands for. Raises SecretUnusable."""
    text = secret.get_secret_value().strip()
    try:
        key = b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(PREFIX) or not _LEAST <= len(key) <= _MOST:
        raise SecretUnusable(f"A signing secret is {PREFIX} and {_LEAST} to {_MOST} random bytes in base64.")
    return key


def signed(keys: Iterable[SecretStr], id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that sign a message: with each of the keys, so that a receiver may know either."""
    content = _content(id, str(timestamp), body)
    signatures = [f"v1,{b64encode(_hmac(key_of(key), content)).decode()}" for key in keys]
    return {ID: id, TIMESTAMP: str(timestamp), SIGNATURE: " ".join(signatures)}


def is_signed(secret: SecretStr, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether who has this secret signed the message. `headers` have names in lower case.

    By Standard Webhooks where there is anything of it, and then a message of another time is refused; else by one of
    the plain headers, which know no time.
    """
    if SIGNATURE in headers:
        return _is_standard(key_of(secret), headers, body, now)
    for name, before in _PLAIN:
        told = headers.get(name, "").strip()
        if told.startswith(before) and told != before:
            expected = _hmac(secret.get_secret_value().encode(), body).hex()
            return _same(expected, told.removeprefix(before).lower())
    return False


def _is_standard(key: bytes, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    id, timestamp = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not 0 < len(id) <= _LONGEST_ID or "." in id or not re.fullmatch(r"[0-9]{1,12}", timestamp):
        return False
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    expected = f"v1,{b64encode(_hmac(key, _content(id, timestamp, body))).decode()}"
    found = [_same(expected, one) for one in headers[SIGNATURE].split()[:_SIGNATURES]]
    return any(found)


def _content(id: str, timestamp: str, body: bytes) -> bytes:
    return f"{id}.{timestamp}.".encode() + body


def _hmac(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()


def _same(expected: str, told: str) -> bool:
    return hmac.compare_digest(expected.encode(), told.encode("utf-8", "replace"))
