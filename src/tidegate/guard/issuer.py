"""The issuer whom people log in by with OpenID Connect: what it says of itself, and a code turned into who it proves.

Only the ID token counts, and nothing of it before signature, issuer, audience, time and nonce are what they must be:
django-allauth leaves signature and nonce to the way the token came, so this is ours. Every question passes the address
policy on the address that is called, and has an end.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import ssl
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx2
import jwt
from pydantic import SecretStr

from tidegate.config import Settings
from tidegate_sdk import tls
from tidegate_sdk.address import AddressPolicy
from tidegate_sdk.doors.transport import CheckedTransport
from tidegate_sdk.errors import ConnectorError
from tidegate_sdk.proxy import operators_proxy
from tidegate_sdk.tool import Http

SECONDS: Final = 10.0
"""How long an issuer may take for one answer, with everything."""

LONGEST_ANSWER: Final = 512 * 1024
LONGEST_SUBJECT: Final = 255
CLOCKS_DIFFER_SECONDS: Final = 60
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Of these a public key only proves; one that both sides know ("HS256"), and "none", prove nothing."""

_SECURE = re.compile(r"https://[^\s/?#@\\]+(?:[/?][^\s#\\]*)?")
_ON_THIS_MACHINE = re.compile(r"http://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?(?:[/?][^\s#\\]*)?")


class NotProven(Exception):
    """Nobody comes in by this. The message is a sentence of ours, without a word of the issuer or a secret in it."""


@dataclass(frozen=True)
class Identity:
    """Who somebody is to the issuer: the subject stays theirs for ever, name and groups may change."""

    issuer: str
    subject: str
    name: str
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Endpoints:
    """What the issuer says of itself."""

    authorization: str
    token: str
    keys: str
    secret_in_header: bool


@dataclass(frozen=True)
class Issuer:
    """One issuer, and what it knows us by."""

    url: str
    client_id: str
    secret: SecretStr | None = field(repr=False)
    name: str
    username_claim: str
    settings: Settings = field(repr=False)

    async def way_in(self, back: str, state: str, nonce: str, verifier: str) -> str:
        """The address where people log in, from which they come back to `back`. Raises NotProven."""
        endpoints = await self._endpoints()
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        question = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": back,
            "scope": "openid profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        sign = "&" if urlsplit(endpoints.authorization).query else "?"
        return f"{endpoints.authorization}{sign}{urlencode(question)}"

    async def identity(self, code: str, back: str, nonce: str, verifier: str) -> Identity:
        """Who came back with this code. Raises NotProven."""
        endpoints = await self._endpoints()
        given = await self._exchanged(endpoints, code, back, verifier)
        token = given.get("id_token")
        if not isinstance(token, str):
            raise NotProven("The issuer gave no ID token.")
        claims = proven(token, await self._ask("GET", endpoints.keys), self.url, self.client_id, nonce)
        subject, name = claims["sub"], claims.get(self.username_claim)
        if not isinstance(subject, str) or not (
            0 < len(subject) <= LONGEST_SUBJECT and subject.isascii() and subject.isprintable()
        ):
            raise NotProven("The issuer's ID token names nobody.")
        if not isinstance(name, str) or not name.strip():
            raise NotProven(f"The issuer's ID token has no {self.username_claim}, the name of the user.")
        return Identity(self.url, subject, name, named_groups(claims.get(self.settings.oidc_roles_claim)))

    async def _endpoints(self) -> Endpoints:
        said = await self._ask("GET", f"{self.url.rstrip('/')}/.well-known/openid-configuration")
        if said.get("issuer") != self.url:
            raise NotProven("The issuer calls itself otherwise than TIDEGATE_OIDC_ISSUER does.")
        ways = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return Endpoints(
            self._address(said, "authorization_endpoint"),
            self._address(said, "token_endpoint"),
            self._address(said, "jwks_uri"),
            "client_secret_post" not in ways,
        )

    def _address(self, said: Mapping[str, Any], what: str) -> str:
        """Over TLS, unless the issuer itself lives on this machine without."""
        address = said.get(what)
        here = self.url.startswith("http://")
        if not isinstance(address, str) or not (
            _SECURE.fullmatch(address) or (here and _ON_THIS_MACHINE.fullmatch(address))
        ):
            raise NotProven(f"The issuer says no {what} that could be used.")
        return address

    async def _exchanged(self, endpoints: Endpoints, code: str, back: str, verifier: str) -> Mapping[str, Any]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        secret = self.secret.get_secret_value() if self.secret else ""
        login: tuple[str, str] | None = None
        if secret and endpoints.secret_in_header:
            login = (quote_plus(self.client_id), quote_plus(secret))  # RFC 6749, 2.3.1
        else:
            form |= {"client_id": self.client_id} | ({"client_secret": secret} if secret else {})
        return await self._ask("POST", endpoints.token, form, login)

    async def _ask(
        self, method: str, url: str, form: Mapping[str, str] | None = None, login: tuple[str, str] | None = None
    ) -> Mapping[str, Any]:
        """What is answered, a JSON object; redirects are not followed, since nobody redirects these."""
        try:
            async with asyncio.timeout(SECONDS):
                status, body = await self._answered(method, url, form, login)
        except ConnectorError as error:
            raise NotProven(f"The issuer may not be asked: {error.what}") from None
        except (TimeoutError, httpx2.TimeoutException):
            raise NotProven(f"The issuer did not answer within {SECONDS:.0f} seconds.") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, OSError):
            raise NotProven("The issuer cannot be reached.") from None
        if status != httpx2.codes.OK:
            raise NotProven(f"The issuer refused: it answered {status}.")
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise NotProven("The issuer's answer cannot be read.")
        return said

    async def _answered(
        self, method: str, url: str, form: Mapping[str, str] | None, login: tuple[str, str] | None
    ) -> tuple[int, bytes]:
        context = tls.context(Http(url))
        proxy = operators_proxy(self.settings.proxy) if self.settings.proxy else None
        policy = AddressPolicy(self.settings.private_networks)
        transport = CheckedTransport(
            policy, context, proxy=proxy, proxy_context=context if proxy and proxy.secure else None
        )
        body = bytearray()
        async with (
            httpx2.AsyncClient(transport=transport, timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
            client.stream(method, url, data=form, auth=login, headers={"Accept": "application/json"}) as answer,
        ):
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > LONGEST_ANSWER:
                    raise NotProven("The issuer's answer is too long.")
        return answer.status_code, bytes(body)


def named_groups(claim: object) -> frozenset[str]:
    """The groups of a claim, which is a list of names or one name; none where it is anything else."""
    named = [claim] if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return frozenset(one for one in named if isinstance(one, str))


def proven(token: str, keys: Mapping[str, Any], issuer: str, client_id: str, nonce: str) -> dict[str, Any]:
    """The claims of an ID token that was made by this issuer, for us, for this very log-in, and still holds."""
    try:
        key, algorithm = _key(token, keys)
        claims = jwt.decode(
            token,
            key=key,
            algorithms=[algorithm],
            audience=client_id,
            issuer=issuer,
            leeway=CLOCKS_DIFFER_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except jwt.ExpiredSignatureError:
        raise NotProven("The issuer's ID token has expired.") from None
    except jwt.InvalidAudienceError:
        raise NotProven("The issuer's ID token is for somebody else than this Tidegate.") from None
    except jwt.InvalidIssuerError:
        raise NotProven("The ID token is of another issuer.") from None
    except jwt.InvalidSignatureError:
        raise NotProven("The signature of the ID token is not the issuer's.") from None
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, RecursionError):
        raise NotProven("The ID token cannot be used.") from None
    audiences = claims["aud"]
    party = claims.get("azp")
    if (isinstance(audiences, list) and len(audiences) > 1 and party is None) or party not in (None, client_id):
        raise NotProven("The issuer's ID token is for somebody else than this Tidegate.")
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise NotProven("The ID token belongs to another log-in.")
    return claims


def _key(token: str, keys: Mapping[str, Any]) -> tuple[Any, str]:
    """The issuer's public key that the token says it was signed with, and how."""
    head = jwt.get_unverified_header(token)
    algorithm, name = head.get("alg"), head.get("kid")
    if algorithm not in ALGORITHMS:
        raise NotProven("The ID token is signed in a way that proves nothing here.")
    known = keys.get("keys")
    found = [
        one
        for one in (known if isinstance(known, list) else [])
        if isinstance(one, dict)
        and (one.get("kid") == name if name is not None else True)
        and one.get("use", "sig") == "sig"
        and one.get("alg", algorithm) == algorithm
    ]
    if len(found) != 1:
        raise NotProven("The ID token is signed with a key that the issuer does not show.")
    return jwt.PyJWK.from_dict(found[0], algorithm=algorithm).key, algorithm


def issuer_of(settings: Settings) -> Issuer | None:
    """The issuer that this service was told of; None where there is none."""
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    return Issuer(
        settings.oidc_issuer,
        settings.oidc_client_id,
        settings.oidc_client_secret,
        settings.oidc_name,
        settings.oidc_username_claim,
        settings,
    )
