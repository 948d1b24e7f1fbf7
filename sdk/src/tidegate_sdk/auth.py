"""The wire: the one place where a secret is opened, on its way into a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr


class Auth(Protocol):
    """What is added to each request that goes to the door's own origin."""

    def headers(self) -> Mapping[str, str]:
        """The headers that carry the credential."""
        ...


@dataclass(frozen=True, slots=True)
class Header:
    """A fixed header: `Header("Authorization", token, "Bearer {}")`."""

    name: str
    value: SecretStr
    form: str = "{}"

    def headers(self) -> Mapping[str, str]:
        return {self.name: self.form.format(self.value.get_secret_value())}


def reveal(secret: SecretStr) -> str:
    """The secret in the clear, for scrubbing it from what leaves the Session."""
    return secret.get_secret_value()
