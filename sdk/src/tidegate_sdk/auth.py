"""The wire: the one place where a secret is opened, on its way into a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode

from pydantic import SecretStr

if TYPE_CHECKING:
    from .ask import Talk
    from .tool import Http


class Auth(Protocol):
    """What is added to each request that goes to the door's own origin."""

    def headers(self) -> Mapping[str, str]:
        """The headers that carry the credential."""
        ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request on its way, without credential: `url` is what is sent, `content` the bytes of the body."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes = b""


class Signature(Protocol):
    """An Auth that has to see the request: it is signed as it is sent, each repetition anew."""

    def sign(self, request: Outgoing) -> Mapping[str, str]:
        """The headers that carry the signature."""
        ...


@dataclass(frozen=True, slots=True)
class Grant:
    """What a Login gives: how requests are authenticated from now on, until when, and what of it is secret.

    `ends` is an aware time, None where the vendor does not say. `secrets` are scrubbed like those of the settings.
    """

    auth: Auth | Signature
    ends: datetime | None = None
    secrets: tuple[str, ...] = ()


class Login(Protocol):
    """An Auth that must be asked for: a token for an API key, a role for an access key.

    The Session asks before its first question, again shortly before the grant ends, and once more where the vendor
    refuses a grant that was good before. What is asked goes through a door of its own, to the one origin it names.
    """

    def door(self) -> Http:
        """Where it is asked for, and with which credential."""
        ...

    def talk(self) -> Talk[Grant]:
        """The questions, and the grant they end in."""
        ...


Credential = Auth | Signature | Login


@dataclass(frozen=True, slots=True)
class Header:
    """A fixed header: `Header("Authorization", token, "Bearer {}")`.

    Of a credential in two parts: `Header("X-ApiKeys", (access_key, secret_key), "accessKey={};secretKey={}")`.
    """

    name: str
    value: SecretStr | tuple[SecretStr, ...]
    form: str = "{}"

    def headers(self) -> Mapping[str, str]:
        parts = self.value if isinstance(self.value, tuple) else (self.value,)
        return {self.name: self.form.format(*map(reveal, parts))}


def form(fields: Mapping[str, str | SecretStr]) -> bytes:
    """The fields as the body of a form, secrets opened."""
    opened = {name: reveal(value) if isinstance(value, SecretStr) else value for name, value in fields.items()}
    return urlencode(opened).encode()


def reveal(secret: SecretStr) -> str:
    """The secret in the clear, for scrubbing it from what leaves the Session, and for signing with it."""
    return secret.get_secret_value()
