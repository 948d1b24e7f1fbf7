"""Secrets at rest: sealed with a key that is never in the database, and bound to the thing they belong to.

A sealed text is `tg1`, the key's id (8 bytes), a nonce (12) and AES-256-GCM of the secrets' JSON; the name of their
owner ("connection 12", "route 3") is authenticated with it, so a row copied to another does not open. The key id tells
which of the keys opens it (keys.py). The guard, the SDK's wire and the courier of news are the only places that look
into a SecretStr.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from tidegate.config import Settings
from tidegate.guard.keys import (
    ID_BYTES,
    VARIABLE,
    Key,
    KeyProblem,
    file_is_ours,
    key_with,
    known_keys,
    made_key,
    the_key,
    where,
)

_FORM = b"tg1"
_NONCE = 12


def seal(values: Mapping[str, SecretStr], owner: int | str, settings: Settings) -> bytes:
    """The secrets of their owner, encrypted: "route 3", or the number of a Connection. Makes the key where there is
    none yet. Raises KeyProblem.

    Whoever stores what this gives holds a lock on the owner's table before calling: the key is taken from the file
    only while nobody does (writers/secret.py).
    """
    text = json.dumps({name: value.get_secret_value() for name, value in values.items()}).encode()
    return sealed_with(the_key(settings) or made_key(settings.home), text, owner)


def unseal(sealed: bytes, owner: int | str, settings: Settings) -> dict[str, SecretStr]:
    """The secrets of their owner, as it was said to seal(). Raises KeyProblem where the key is lost, another one, or
    the text is damaged."""
    opened = json.loads(opened_text(sealed, owner, settings))
    return {name: SecretStr(value) for name, value in opened.items()}


def resealed(sealed: bytes, owner: int | str, key: Key, settings: Settings) -> bytes:
    """The same secrets, sealed with this key. Raises KeyProblem where they cannot be opened."""
    return sealed_with(key, opened_text(sealed, owner, settings), owner)


def sealed_with(key: Key, text: bytes, owner: int | str) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return beginning_of(key) + nonce + AESGCM(key.value).encrypt(nonce, text, bound_to(key, owner))


def beginning_of(key: Key) -> bytes:
    """How all begins that this key sealed."""
    return _FORM + key.id


def key_id_of(sealed: bytes) -> bytes | None:
    """The id of the key that sealed it; None where it is nothing that was sealed."""
    start = len(_FORM) + ID_BYTES
    return sealed[len(_FORM) : start] if sealed.startswith(_FORM) and len(sealed) > start + _NONCE else None


def opened_text(sealed: bytes, owner: int | str, settings: Settings) -> bytes:
    sealed = bytes(sealed)
    if not known_keys(settings):
        raise KeyProblem(
            f"The key that sealed the secrets, {where(settings)}, is missing.",
            f"Put it back from a backup (or set {VARIABLE}), or enter the secrets again.",
        )
    id = key_id_of(sealed)
    if id is None:
        raise damaged(owner)
    key = key_with(id, settings)
    if key is None:
        place = (
            f"as {where(settings)} or {VARIABLE}" if file_is_ours(settings) else f"behind those of {where(settings)}"
        )
        ids = ", ".join(known.id.hex() for known in known_keys(settings))
        raise KeyProblem(
            f"The secrets were sealed with another key ({id.hex()}; this is {ids}).",
            f"Put that key back {place}, or enter the secrets again.",
        )
    start = len(beginning_of(key))
    nonce, text = sealed[start : start + _NONCE], sealed[start + _NONCE :]
    try:
        return AESGCM(key.value).decrypt(nonce, text, bound_to(key, owner))
    except InvalidTag:
        raise damaged(owner) from None


def damaged(owner: int | str) -> KeyProblem:
    kind = name_of(owner).partition(" ")[0].capitalize()
    return KeyProblem(f"The stored secrets are damaged or belong to another {kind}.", "Enter the secrets again.")


def bound_to(key: Key, owner: int | str) -> bytes:
    return beginning_of(key) + name_of(owner).encode()


def name_of(owner: int | str) -> str:
    return f"connection {owner}" if isinstance(owner, int) else owner
