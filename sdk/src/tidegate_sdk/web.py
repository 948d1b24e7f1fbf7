"""What a person may say of the way to a tool that is reached by HTTP(S): whom to trust, who we are, which proxy."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr

from .auth import Credential
from .proxy import DIRECT, Proxy, parse_proxy
from .tool import ClientCertificate, Http, Settings

_PIN_BYTES = 32
_KIND_OF_PIN = {16: "an MD5", 20: "a SHA-1", 48: "a SHA-384", 64: "a SHA-512"}


def _public(pem: str | None) -> str | None:
    """A text that is stored and shown in the clear."""
    if pem is not None and "PRIVATE KEY-----" in pem:
        raise ValueError("it holds a private key, which would be stored and shown in the clear; give it as client_key")
    return pem


def _pins(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(pin_of(text) for text in given)


def pin_of(text: str) -> str:
    """A pin as 64 hex digits: from hex with or without colons, or from base64 as browsers' tools and curl show it."""
    bare = re.sub(r"(?i)^sha-?256(?:/{1,2}|[:=])|[\s:]", "", text.strip())
    if re.fullmatch(r"[0-9A-Fa-f]+", bare) and len(bare) % 2 == 0 and len(bare) != 44:
        data = bytes.fromhex(bare)
    else:
        try:
            data = b64decode(bare, validate=True)
        except ValueError:
            raise ValueError(
                "a pin is the SHA-256 of a certificate or of its key, as 64 hex digits or in base64"
            ) from None
    if len(data) != _PIN_BYTES:
        kind = _KIND_OF_PIN.get(len(data), "no SHA-256")
        raise ValueError(f"a pin is a SHA-256 of 32 bytes, and this one has {len(data)}, as {kind} has")
    return data.hex()


def _proxy(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    proxy = parse_proxy(text)
    if proxy is not None and proxy.secrets():
        raise ValueError(
            "the proxy's password is a secret; give it as proxy_password, and the user alone in the address"
        )
    return text.strip()


class HttpSettings(Settings):
    """The settings of a Tool that is reached by HTTP(S); `self.settings.door(location, auth)` makes its door of them.

    A Tool's own fields come before these, in forms and in the documentation.
    """

    certificate: Annotated[str | None, AfterValidator(_public)] = Field(
        None, title="Certificate authority", description="PEM text, if the server's certificate is from your own one."
    )
    verify_tls: bool = Field(True, title="Verify TLS", description="Only switch off to try something out.")
    certificate_pins: Annotated[tuple[str, ...], AfterValidator(_pins)] = Field(
        (),
        title="Certificate pins",
        description="SHA-256 of the server's certificate or of its key; any other is refused before anything is sent.",
        json_schema_extra={"seldom": True},
    )
    client_certificate: Annotated[str | None, AfterValidator(_public)] = Field(
        None,
        title="Client certificate",
        description="PEM text, if the server lets in only who shows one; its own first, then what signed it.",
        json_schema_extra={"seldom": True},
    )
    client_key: SecretStr | None = Field(
        None,
        title="Client key",
        description="The private key of the client certificate, as PEM.",
        json_schema_extra={"seldom": True},
    )
    client_key_password: SecretStr | None = Field(
        None,
        title="Client key's password",
        description="If the client key is encrypted.",
        json_schema_extra={"seldom": True},
    )
    proxy: Annotated[str | None, AfterValidator(_proxy)] = Field(
        None,
        title="Proxy",
        description="Instead of the service's own (TIDEGATE_PROXY); direct for none.",
        examples=["http://user@proxy.example.org:3128"],
        json_schema_extra={"seldom": True},
    )
    proxy_password: SecretStr | None = Field(
        None,
        title="Proxy's password",
        description="Of the user in the proxy's address.",
        json_schema_extra={"seldom": True},
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **how: Any) -> None:
        """Puts a Tool's own fields first: where is it, and how do we log in there."""
        super().__pydantic_init_subclass__(**how)
        ours = [name for name in HttpSettings.model_fields if name in cls.model_fields]
        fields = cls.__pydantic_fields__
        for name in ours:
            fields[name] = fields.pop(name)

    def door(self, location: str, auth: Credential | None = None, *, per_second: float = 10) -> Http:
        """The door to the vendor, with all that was said of the way there."""
        client = None
        if self.client_certificate and self.client_certificate.strip():
            client = ClientCertificate(self.client_certificate, self.client_key, self.client_key_password)
        return Http(
            location,
            auth,
            self.certificate,
            self.verify_tls,
            per_second,
            pins=self.certificate_pins,
            client=client,
            proxy=self._chosen_proxy(),
        )

    def login_door(self, location: str, auth: Credential | None = None) -> Http:
        """The door to where a Login asks. Another server: pins and client certificate are not meant for it."""
        return Http(location, auth, self.certificate, self.verify_tls, proxy=self._chosen_proxy())

    def _chosen_proxy(self) -> Proxy | str:
        if self.proxy is None:
            return ""
        return parse_proxy(self.proxy, self.proxy_password) or DIRECT
