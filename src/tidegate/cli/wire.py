"""The wire to a Tidegate elsewhere: one request, its answer or why there is none. Here alone the token is revealed.

Nothing is asked anywhere but at TIDEGATE_URL: a redirect is refused, so the token goes nowhere else. Only what may be
asked twice is asked again after an answer was lost: a GET, and a POST, which has a key that makes it happen once.
"""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import httpx2
import msgspec
from pydantic import SecretStr

from tidegate.cli.failure import Failure, usage

if TYPE_CHECKING:
    from tidegate.config import RemoteSettings

BASE: Final = "/api/v1"
CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 120.0
"""A far Tidegate may have to ask a tool before it answers."""
LARGEST_ANSWER: Final = 64 * 1024 * 1024
LARGEST_PROBLEM: Final = 64 * 1024
WAITS: Final = (0.5, 2.0)
"""Before it is asked again, after an answer was lost."""
PATIENCE: Final = 60
"""The seconds that whoever asked too often waits at most."""

PROBLEM: Final = "application/problem+json"
NOWHERE: Final = "There is nothing at this address."
NOT_MEANT: Final = ("There is no such parameter.", "Extra inputs are not permitted", "Field required")
"""How a Tidegate of another version says that it does not know what it is asked."""
MAKE_ONE: Final = "Set TIDEGATE_TOKEN to a token of yours there; it is made with: tidegate token add"
LOOK: Final = "It may have been done all the same: look before you try again."


class Refusal(Exception):
    """The far Tidegate said no, with its own sentence and next step."""

    def __init__(self, sentence: str, next_step: str, status: int) -> None:
        super().__init__(sentence)
        self.sentence, self.next_step, self.status = sentence, next_step, status


class Lost(Failure):
    """There is no answer, and nobody knows whether it was done."""


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    location: str
    content: bytes


class Wire:
    """Requests to one Tidegate."""

    def __init__(self, settings: RemoteSettings) -> None:
        self.shown = settings.url.get_secret_value().rstrip("/")
        address = httpx2.URL(self.shown)
        if address.scheme == "http" and not _is_here(address.host) and settings.plain_http != "allow":
            raise usage(
                f"TIDEGATE_URL is {self.shown}, and over http:// anybody on the way could read the token.",
                "Use https://, or say TIDEGATE_PLAIN_HTTP=allow where the way is safe.",
            )
        self._client = httpx2.Client(
            headers={
                "Authorization": f"Bearer {_token(settings.token, self.shown)}",
                "Accept-Encoding": "identity",
                "User-Agent": f"tidegate/{our_version()}",
            },
            verify=_trust(settings) if address.scheme == "https" else False,
            timeout=httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,  # neither ~/.netrc nor HTTPS_PROXY may lead the token elsewhere
            follow_redirects=False,
        )

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, method: str, path: str, query: Mapping[str, Any] | None = None, body: Any = None) -> Answer:
        """One request with its whole answer. Raises Refusal, Lost, or another Failure."""
        content = None if body is None else encoded(body)
        with self._asked(method, path, query, content) as response:
            return Answer(response.headers.get("Location", ""), self._whole(response, LARGEST_ANSWER))

    def stream(self, path: str, query: Mapping[str, Any]) -> Iterator[bytes]:
        """The pieces of an answer, as they come. Raises Lost in the middle where it is cut off."""
        with self._asked("GET", path, query, None) as response:
            yield from self._pieces(response)

    @contextmanager
    def _asked(
        self, method: str, path: str, query: Mapping[str, Any] | None, body: bytes | None
    ) -> Iterator[httpx2.Response]:
        headers = {} if body is None else {"Content-Type": "application/json"}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        request = self._client.build_request(
            method, f"{self.shown}{BASE}{path}", params=query or None, content=body, headers=headers
        )
        response = self._sent(request)
        try:
            if not _is_good(response):
                raise self._refused(response)
            yield response
        finally:
            response.close()

    def _sent(self, request: httpx2.Request) -> httpx2.Response:
        """The beginning of the answer: asked again where it was lost, or where it was asked too often."""
        waits = list(WAITS) if request.method in ("GET", "POST") else []
        waited = 0
        while True:
            try:
                response = self._client.send(request, stream=True)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                raise self._not_there(error) from None
            except httpx2.TimeoutException:
                raise Lost(f"{self.shown} did not answer within {ANSWER_SECONDS:,.0f} seconds.", LOOK) from None
            except httpx2.TransportError:
                if not waits:
                    raise self._lost() from None
                time.sleep(waits.pop(0))
                continue
            pause = _pause(response)
            if not pause or waited + pause > PATIENCE:
                return response
            response.close()
            waited += pause
            time.sleep(pause)

    def _pieces(self, response: httpx2.Response) -> Iterator[bytes]:
        try:
            yield from response.iter_bytes()
        except httpx2.TransportError:
            raise self._lost() from None

    def _whole(self, response: httpx2.Response, most: int) -> bytes:
        gathered = bytearray()
        for piece in self._pieces(response):
            gathered += piece
            if len(gathered) > most:
                raise Failure(f"{self.shown} answered more than {most:,} bytes.", "Ask for less: --limit")
        return bytes(gathered)

    def _refused(self, response: httpx2.Response) -> Exception:
        """Why it is no answer."""
        if response.is_redirect:
            return Failure(
                f"{self.shown} sends on to another address, and the token is not sent there.",
                "Set TIDEGATE_URL to the address where Tidegate answers itself.",
            )
        if _kind(response) != PROBLEM:
            return self._no_tidegate(response)
        try:
            problem = msgspec.json.decode(self._whole(response, LARGEST_PROBLEM), type=_Problem)
        except msgspec.MsgspecError:
            return Failure(f"{self.shown} answered {response.status_code} without a reason.", self._check())
        if problem.detail == NOWHERE or any(words in problem.detail for words in NOT_MEANT):
            return self.not_understood(problem.detail)
        next_step = MAKE_ONE if response.status_code == 401 else problem.next_step
        return Refusal(problem.detail, next_step, response.status_code)

    def _no_tidegate(self, response: httpx2.Response) -> Failure:
        said = self._whole(response, LARGEST_PROBLEM).decode("utf-8", "replace")
        told = f" It says: {said.strip()}" if _kind(response) == "text/plain" and len(said) <= 300 else ""
        return Failure(f"{self.shown} answered {response.status_code}, and not as an API does.{told}", self._check())

    def not_understood(self, what: str) -> Failure:
        """What is said where the two do not understand each other: mostly they are of different versions."""
        theirs = self._their_version()
        if theirs == our_version():
            return Failure(f"{self.shown} and this command do not understand each other: {what}", self._check())
        is_of = f"is Tidegate {theirs}" if theirs else "is probably another version"
        return Failure(
            f"{self.shown} {is_of}, this command is of Tidegate {our_version()}, and they do not understand each"
            f" other: {what}",
            "Use the command of the version that runs there.",
        )

    def _their_version(self) -> str:
        """Which version answers there; empty where that is not said."""
        try:
            with self._client.stream("GET", f"{self.shown}{BASE}/service") as response:
                said = self._whole(response, LARGEST_PROBLEM) if response.status_code == 200 else b"{}"
            return msgspec.json.decode(said, type=_Service).version
        except (httpx2.HTTPError, Failure, msgspec.MsgspecError):
            return ""

    def _check(self) -> str:
        return "Check TIDEGATE_URL, and what stands between here and there."

    def _not_there(self, error: Exception) -> Failure:
        if reason := _certificate(error):
            return Failure(
                f"{self.shown} cannot be trusted: {reason}.",
                "Where its authority is one of your own, name its certificates with TIDEGATE_CA.",
            )
        return Failure(
            f"{self.shown} cannot be reached.", "Check TIDEGATE_URL, and whether Tidegate runs there: tidegate up"
        )

    def _lost(self) -> Lost:
        return Lost(f"The answer of {self.shown} was cut off.", LOOK)


class _Problem(msgspec.Struct):
    detail: str
    next_step: str = ""


class _Service(msgspec.Struct):
    version: str = ""


def encoded(body: Any) -> bytes:
    """The body of a request; secrets are revealed on the way into it."""
    return msgspec.json.encode(body, enc_hook=_on_the_wire)


def _on_the_wire(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    raise TypeError(f"There is no JSON for {type(value).__name__}.")


def _token(token: SecretStr | None, shown: str) -> str:
    if token is None:
        raise usage(f"TIDEGATE_URL names {shown}, and there is no token for it.", MAKE_ONE)
    text = token.get_secret_value().strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise usage("What TIDEGATE_TOKEN holds is not a token.", "Copy it as a whole: it begins with tg_")
    return text


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_good(response: httpx2.Response) -> bool:
    """Whether it is an answer, and no page; where nothing of a decision was done, 409 says so as an answer does."""
    if response.status_code >= 300:
        return response.status_code == 409 and _kind(response) == "application/json"
    return not _kind(response).startswith("text/") or _kind(response) == "text/csv"


def _kind(response: httpx2.Response) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _pause(response: httpx2.Response) -> int:
    """The seconds to wait where it was asked too often; nothing was done then."""
    told = response.headers.get("Retry-After", "")
    return max(1, int(told)) if response.status_code == 429 and told.isdigit() and len(told) < 6 else 0


def _trust(settings: RemoteSettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.ca is not None:
        try:
            context.load_verify_locations(cafile=settings.ca)
        except (OSError, ssl.SSLError):
            raise usage(
                f"TIDEGATE_CA is {settings.ca}, and no certificates can be read from there.",
                "Name a file with certificates as PEM: -----BEGIN CERTIFICATE-----",
            ) from None
    return context


def _certificate(error: BaseException | None) -> str:
    """What is wrong with the certificate, where that is why."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        if isinstance(error, ssl.SSLError):
            return "it does not speak TLS as it should"
        error = error.__cause__ or error.__context__
    return ""


@cache
def our_version() -> str:
    """Which version this command is of."""
    from importlib.metadata import version

    return version("tidegate")
