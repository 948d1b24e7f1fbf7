"""A proxy between Tidegate and a vendor: where it is, and how one logs in there. A person names it, or none is used.

HTTPS_PROXY and its kin are not read: what a shell, a unit or an image happens to carry would lead every credential
past a machine that nobody chose for it, and past the check of addresses.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from .auth import reveal

DIRECT: Final = "direct"
"""Said instead of a proxy: none, though the service has one."""

_FORM = "Write it as http://proxy.example.org:3128, or direct for none."
_USUAL = {"http": 3128, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that speaks HTTP, itself over TLS where `secure`."""

    host: str
    port: int
    secure: bool = False
    user: str = ""
    password: SecretStr = field(default=SecretStr(""))
    chosen_by_operator: bool = False
    """Named by whoever runs Tidegate, so it may live in a private network where Tools may not."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def headers(self) -> Mapping[str, str]:
        """What is sent to the proxy alone."""
        if not self.user and not reveal(self.password):
            return {}
        return {"Proxy-Authorization": f"Basic {b64encode(self._login().encode()).decode()}"}

    def secrets(self) -> tuple[str, ...]:
        """In the clear, for the Session to scrub."""
        password = reveal(self.password)
        return (password, b64encode(self._login().encode()).decode()) if password else ()

    def _login(self) -> str:
        return f"{self.user}:{reveal(self.password)}"


def parse_proxy(url: str, password: SecretStr | None = None, *, chosen_by_operator: bool = False) -> Proxy | None:
    """The proxy of a URL; None where it says `direct`. Raises ValueError with a sentence that quotes nothing of it."""
    text = url.strip()
    if text.lower() == DIRECT:
        return None
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port
    except ValueError:
        raise ValueError(f"The proxy is no address. {_FORM}") from None
    readable = text.isprintable() and " " not in text
    if parts.scheme not in _USUAL or not parts.hostname or not readable:
        raise ValueError(f"The proxy is no http or https address with a host. {_FORM}")
    if parts.path not in ("", "/") or parts.query or parts.fragment or port == 0:
        raise ValueError(f"The proxy's address ends with its port. {_FORM}")
    return Proxy(
        host=parts.hostname,
        port=port or _USUAL[parts.scheme],
        secure=parts.scheme == "https",
        user=unquote(parts.username or ""),
        password=password or SecretStr(unquote(parts.password or "")),
        chosen_by_operator=chosen_by_operator,
    )


def operators_proxy(url: SecretStr) -> Proxy | None:
    """The proxy that whoever runs Tidegate named, with user and password in it. Raises ValueError."""
    return parse_proxy(reveal(url), chosen_by_operator=True)
