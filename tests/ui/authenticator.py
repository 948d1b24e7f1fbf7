"""A device that keeps passkeys, what a browser would hand on of it, made with real keys; and what an app shows."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import struct
import time
from base64 import b32decode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256

PRESENT, VERIFIED, HAS_KEY = 1, 4, 64


def text_of(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def bytes_of(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Device:
    """Holds one passkey, and says yes to whatever it is asked."""

    origin: str = "http://localhost"
    verifies: bool = True
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user: str = ""
    rp: str = ""

    def made(self, options: dict[str, Any], *, alone: bool = False) -> str:
        """What `navigator.credentials.create` gives, as the page sends it."""
        asked = options["publicKey"]
        self.user, self.rp = asked["user"]["id"], asked["rp"]["id"]
        public: Any = ES256.from_cryptography_key(self.key.public_key())
        kept = bytes(16) + len(self.id).to_bytes(2) + self.id + cbor.encode(dict(public))
        attested = {"fmt": "none", "attStmt": {}, "authData": self._says(HAS_KEY) + kept}
        return self._sent(
            {
                "clientDataJSON": text_of(self._client("webauthn.create", asked["challenge"])),
                "attestationObject": text_of(cbor.encode(attested)),
            },
            {"credProps": {"rk": alone}},
        )

    def answer(self, options: dict[str, Any]) -> str:
        """What `navigator.credentials.get` gives, as the page sends it."""
        client, says = self._client("webauthn.get", options["publicKey"]["challenge"]), self._says(0)
        signature = self.key.sign(says + sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._sent(
            {
                "clientDataJSON": text_of(client),
                "authenticatorData": text_of(says),
                "signature": text_of(signature),
                "userHandle": self.user,
            }
        )

    def _says(self, more: int) -> bytes:
        flags = PRESENT | more | (VERIFIED if self.verifies else 0)
        return sha256(self.rp.encode()).digest() + bytes([flags]) + bytes(4)

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _sent(self, response: dict[str, str], extensions: dict[str, Any] | None = None) -> str:
        return json.dumps(
            {
                "id": text_of(self.id),
                "rawId": text_of(self.id),
                "type": "public-key",
                "response": response,
                "clientExtensionResults": extensions or {},
            }
        )


def code_of(secret: str, *, at: float | None = None) -> str:
    """What an authenticator app shows: RFC 6238, six digits, SHA-1, every 30 seconds."""
    counter = struct.pack(">Q", int((at or time.time()) // 30))
    digest = hmac.new(b32decode(secret), counter, hashlib.sha1).digest()
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4]) & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
