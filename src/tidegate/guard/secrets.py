"""Secrets at rest: sealed with a key that is never in the database, and bound to the thing they belong to.

A sealed text is `tg1`, the key's id (8 bytes), a nonce (12) and AES-256-GCM of the secrets' JSON; the name of their
owner ("connection 12", "route 3") is authenticated with it, so a row copied to another does not open. The key id tells
keys apart when they rotate. This, the SDK's wire and the courier of news are the only places that look into a
SecretStr.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from tidegate.config import Settings

KEY_FILE = "secret.key"
VARIABLE = "TIDEGATE_SECRET_KEY"

_FORM = b"tg1"
_ID = 8
_NONCE = 12
_KEY = 32


class KeyProblem(Exception):
    """Secrets cannot be sealed or opened. `cause` and `next_step` are sentences; neither repeats a secret."""

    def __init__(self, cause: str, next_step: str) -> None:
        super().__init__(f"{cause} {next_step}")
        self.cause = cause
        self.next_step = next_step


@dataclass(frozen=True)
class Key:
    """32 random bytes, and the id under which what they seal can be told."""

    value: bytes = field(repr=False)

    @property
    def id(self) -> bytes:
        return hashlib.sha256(b"tidegate key id" + self.value).digest()[:_ID]


def seal(values: Mapping[str, SecretStr], owner: int | str, settings: Settings) -> bytes:
    """The secrets of their owner, encrypted: "route 3", or the number of a Connection. Makes the key where there is
    none yet. Raises KeyProblem."""
    key = the_key(settings) or made_key(settings.home)
    text = json.dumps({name: value.get_secret_value() for name, value in values.items()}).encode()
    nonce = secrets.token_bytes(_NONCE)
    return _FORM + key.id + nonce + AESGCM(key.value).encrypt(nonce, text, bound_to(key, owner))


def unseal(sealed: bytes, owner: int | str, settings: Settings) -> dict[str, SecretStr]:
    """The secrets of their owner, as it was said to seal(). Raises KeyProblem where the key is lost, another one, or
    the text is damaged."""
    sealed = bytes(sealed)
    key = the_key(settings)
    if key is None:
        raise KeyProblem(
            f"The key that sealed the secrets, {settings.home / KEY_FILE}, is missing.",
            f"Put it back from a backup (or set {VARIABLE}), or enter the secrets again.",
        )
    start = len(_FORM) + _ID
    if not sealed.startswith(_FORM) or len(sealed) <= start + _NONCE:
        raise damaged(owner)
    if sealed[len(_FORM) : start] != key.id:
        raise KeyProblem(
            f"The secrets were sealed with another key ({sealed[len(_FORM) : start].hex()}; this is {key.id.hex()}).",
            f"Put that key back as {settings.home / KEY_FILE} or {VARIABLE}, or enter the secrets again.",
        )
    nonce, text = sealed[start : start + _NONCE], sealed[start + _NONCE :]
    try:
        opened = AESGCM(key.value).decrypt(nonce, text, bound_to(key, owner))
    except InvalidTag:
        raise damaged(owner) from None
    return {name: SecretStr(value) for name, value in json.loads(opened).items()}


def damaged(owner: int | str) -> KeyProblem:
    kind = name_of(owner).partition(" ")[0].capitalize()
    return KeyProblem(f"The stored secrets are damaged or belong to another {kind}.", "Enter the secrets again.")


def bound_to(key: Key, owner: int | str) -> bytes:
    return _FORM + key.id + name_of(owner).encode()


def name_of(owner: int | str) -> str:
    return f"connection {owner}" if isinstance(owner, int) else owner


# The key


def the_key(settings: Settings) -> Key | None:
    """The key of the environment, else the one of the home; None where there is none yet. Raises KeyProblem."""
    if settings.secret_key is not None:
        return Key(decoded(settings.secret_key.get_secret_value(), VARIABLE))
    return key_of_file(settings.home / KEY_FILE)


def key_of_file(path: Path) -> Key | None:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyProblem(f"The key {path} cannot be read: {error.strerror}.", "Give Tidegate's user access.") from error
    with file:
        mode = os.fstat(file.fileno()).st_mode & 0o777
        if mode & 0o077:
            raise KeyProblem(
                f"The key {path} has mode {mode:04o}, so others may read or change it.",
                f"Run: chmod 600 '{path}' (and renew the secrets if others use this machine).",
            )
        return Key(decoded(file.read().decode("ascii", "replace"), str(path)))


def decoded(text: str, where: str) -> bytes:
    """The 32 bytes written as URL-safe base64, with or without padding."""
    text = text.strip()
    try:
        value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if len(value) != _KEY:
        raise KeyProblem(
            f"{where} is not a key: it must be 32 bytes written as URL-safe base64, 43 characters.",
            "Put the right one back; a new one is made by:"
            ' python3 -c "import secrets; print(secrets.token_urlsafe(32))"',
        ) from None
    return value


def made_key(home: Path) -> Key:
    """A new key in the home, mode 0600. Where two processes make one at once, both get the first."""
    path = home / KEY_FILE
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = home / f".{KEY_FILE}.{secrets.token_hex(8)}"
        try:
            write_draft(draft, home)
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)  # whole, or not at all; never over another
        finally:
            draft.unlink(missing_ok=True)
        keep_through_a_power_cut(home)
    except OSError as error:
        raise KeyProblem(
            f"The key {path} cannot be made: {error.strerror}.",
            f"Give Tidegate's user write access to {home}, or set {VARIABLE}.",
        ) from error
    key = key_of_file(path)
    if key is None:
        raise KeyProblem(f"The key {path} was made and is gone again.", "Find out who removes it, then try again.")
    return key


def keep_through_a_power_cut(folder: Path) -> None:
    """Until the folder itself is written, the key's name is not: PostgreSQL would keep what no key opens any more."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_draft(draft: Path, home: Path) -> None:
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        owner = home.stat()
        if os.geteuid() == 0 and owner.st_uid != 0:  # root at work in somebody's home: it stays theirs
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        file.write(secrets.token_urlsafe(_KEY) + "\n")
        file.flush()
        os.fsync(file.fileno())
