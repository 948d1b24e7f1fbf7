"""The Location URL: what people paste from their browser, made into the address where the vendor's paths begin."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

_USUAL = {"https": 443, "http": 80}
"""Left out, so that one server is one account however its address was typed."""


@dataclass(frozen=True)
class Location:
    """Reads what was pasted; a Tool's settings validate with it.

        LOCATION = Location("https://burp.example.org:8443", secret="API key", screens=frozenset({"scans", "api"}))
        url: Annotated[str, AfterValidator(LOCATION)] = Field(title="Location URL", ...)

    `burp:8443/scans/12#issues` becomes `https://burp:8443/`. `example`, and `secret` as the name of the credential's
    field, stand in the sentences for people. `screens`: first words of the paths of the vendor's own screens and APIs;
    what stands before them is where a proxy put the tool. `hosts`: what is called instead, where people paste the host
    of the screens and the API has another: `{"app.acme.io": "api.acme.io"}`.
    """

    example: str
    secret: str = "credential"  # noqa: S105 - what it is called
    screens: frozenset[str] = frozenset()
    hosts: Mapping[str, str] = field(default_factory=dict[str, str])

    def __call__(self, pasted: str) -> str:
        """The address, which ends in "/". Raises ValueError with a sentence for a person."""
        text = pasted.strip()
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
            text = f"https://{text}"
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise ValueError(f"The location is no address: {error}.") from None
        if parts.scheme not in _USUAL:
            raise ValueError(f"The location must begin with https:// or http://, not {parts.scheme}://.")
        if "@" in parts.netloc:
            raise ValueError(
                f"The location must not hold a user name or password; the {self.secret} has a field of its own."
            )
        if not parts.hostname or re.search(r"\s", parts.netloc):
            raise ValueError(f"The location needs a host, such as {self.example}.")
        if odd := re.search(r"""[<>"'`\\|^{}*,;]""", parts.netloc):
            raise ValueError(f"The location's host holds {odd[0]}, which no host's name does.")
        name = self.hosts.get(parts.hostname, parts.hostname)
        host = f"[{name}]" if ":" in name else name
        origin = host if port in (None, _USUAL[parts.scheme]) else f"{host}:{port}"
        return urlunsplit((parts.scheme, origin, self._before_screens(parts.path), "", ""))

    def _before_screens(self, path: str) -> str:
        kept: list[str] = []
        for word in filter(None, path.split("/")):
            if word in self.screens:
                break
            kept.append(word)
        return "".join(f"/{word}" for word in kept) + "/"
