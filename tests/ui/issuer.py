"""A small issuer of OpenID Connect on loopback: real keys, real codes, and every lie that a test asks for."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

CLIENT = "tidegate-here"
SECRET = "issuer-seeded-canary"


@cache
def key(number: int) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


class Issuer:
    """`claims` go over those of an honest token; `signed_by` is another key; `after` seconds it answers."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.subject, self.name = "subject-1", "bob"
        self.signed_by, self.algorithm = 0, "RS256"
        self.says: dict[str, Any] = {}
        self.after = 0.0
        self.redirects_to = ""
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/realm"

    def log_in(self, address: str) -> str:
        """A person logs in there; where their browser is sent back to."""
        asked = dict(parse_qsl(urlsplit(address).query))
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe()
        self.codes[code] = asked
        back = urlsplit(asked["redirect_uri"])
        return f"{back.path}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.url})}"

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        } | self.says

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """A code is worth something once, to who has the verifier and the secret."""
        asked = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or challenge != asked["code_challenge"] or form.get("client_secret") != SECRET:
            return 400, {"error": "invalid_grant", "error_description": f"no: {form}"}
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": CLIENT, "sub": self.subject, "preferred_username": self.name,
            "iat": now, "exp": now + 300, "nonce": asked["nonce"],
        } | self.claims  # fmt: skip
        signing = "x" * 64 if self.algorithm == "HS256" else None if self.algorithm == "none" else key(self.signed_by)
        token = jwt.encode(claims, signing, algorithm=self.algorithm, headers={"kid": "one"})  # pyright: ignore[reportArgumentType]
        return 200, {"access_token": "access-seeded-canary", "token_type": "Bearer", "id_token": token}

    def keys(self) -> dict[str, Any]:
        shown = RSAAlgorithm.to_jwk(key(0).public_key(), as_dict=True)
        return {"keys": [shown | {"kid": "one", "use": "sig", "alg": "RS256"}]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                time.sleep(issuer.after)
                if issuer.redirects_to:
                    self.send_response(302)
                    self.send_header("Location", issuer.redirects_to)
                    self.end_headers()
                elif self.path == "/realm/keys":
                    self._answer(200, issuer.keys())
                elif self.path == "/realm/.well-known/openid-configuration":
                    self._answer(200, issuer.configuration())
                else:
                    self._answer(404, {})

            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["content-length"])).decode()
                form = {name: values[0] for name, values in parse_qs(text).items()}
                self._answer(*issuer.token(form))

            def _answer(self, status: int, said: dict[str, Any]) -> None:
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Silence."""

        return Handler


@contextmanager
def open_issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    thread = threading.Thread(target=issuer.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield issuer
    finally:
        issuer.server.shutdown()
        thread.join()
        issuer.server.server_close()
