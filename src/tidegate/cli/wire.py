"""The wire to a Tidegate elsewhere: one request, its answer or why there is none. Here alone the token is revealed.

Nothing is asked anywhere but at TIDEGATE_URL: a redirect is refused, so the token goes nowhere else. Only what may be
asked twice is asked again after an answer was lost: a GET, and a POST, which has a key that makes it happen once.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import msgspec

from tidegate.cli.failure import Failure, usage

if TYPE_CHECKING:
    import httpx2

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
LOCAL: Final = ("localhost", "127.0.0.1", "::1")


class Refusal(Failure):
    """The far Tidegate said no, with a status: its sentence and next step are what is told."""

    def __init__(self, what: str, next_step: str, status: int) -> None:
        super().__init__(what, next_step)
        self.status = status


class Lost(Failure):
    """There is no answer, and nobody knows whether it was done."""


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    location: str
    content: bytes


class Wire:
    """Requests to one Tidegate."""

    def __init__(self, settings: RemoteSettings) -> None:
        import httpx2

        assert settings.url is not None  # noqa: S101 - there would be no wire
        self.shown = settings.url.get_secret_value().rstrip("/")
        address = httpx2.URL(self.shown)
        if address.scheme == "http" and address.host not in LOCAL and settings.plain_http != "allow":
            raise usage(
                f"TIDEGATE_URL is {self.shown}, and over http:// anybody on the way could read the token.",
                "Use https://, or say TIDEGATE_PLAIN_HTTP=allow where the way is safe.",
            )
        if settings.token is None:
            raise usage(
                f"TIDEGATE_URL names {self.shown}, and there is no token for it.",
                "Set TIDEGATE_TOKEN to a token of yours there; it is made with: tidegate token add",
            )
        token = settings.token.get_secret_value().strip()
        if not token.isascii() or not token.isprintable():
            raise usage("TIDEGATE_TOKEN is not a token.", "Copy it as a whole: it begins with tg_")
        self._client = httpx2.Client(
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/json, application/problem+json, text/csv, */*;q=0.5",
                "Accept-Encoding": "identity",
                "User-Agent": f"tidegate/{_version()}",
            },
            verify=_trust(settings) if address.scheme == "https" else False,
            timeout=httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,  # neither ~/.netrc nor HTTPS_PROXY: what is asked where stands in TIDEGATE_ settings
            follow_redirects=False,
        )

    def ask(
        self, method: str, path: str, query: dict[str, Any] | None = None, body: bytes | None = None, kind: str = ""
    ) -> Answer:
        """One request with its whole answer. Raises Refusal, Lost, or another Failure."""
        with self._asked(method, path, query, body, kind) as response:
            content = self._whole(response, LARGEST_ANSWER)
            return Answer(response.status_code, response.headers.get("Location", ""), content)

    @contextmanager
    def stream(self, method: str, path: str, query: dict[str, Any], accept: str) -> Iterator[Iterator[str]]:
        """The lines of an answer, as they come. Raises Lost in the middle where it is cut off."""
        import httpx2

        with self._asked(method, path, query, None, "", accept) as response:

            def lines() -> Iterator[str]:
                try:
                    for line in _lines(response.iter_bytes()):
                        yield line.decode()
                except (httpx2.TransportError, OSError) as error:
                    raise self._lost(error) from None

            yield lines()

    @contextmanager
    def _asked(
        self, method: str, path: str, query: dict[str, Any] | None, body: Any, kind: str, accept: str = ""
    ) -> Iterator[httpx2.Response]:
        import httpx2

        headers = {"Content-Type": kind or "application/json"} if body is not None else {}
        if accept:
            headers["Accept"] = accept
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        url = f"{self.shown}{BASE}{path}"
        request = self._client.build_request(method, url, params=query or None, content=body, headers=headers)
        waits = list(WAITS) if method in ("GET", "POST") else []
        waited = 0
        while True:
            try:
                response = self._client.send(request, stream=True)
                if response.status_code >= 300:
                    response.read() if _length(response) <= LARGEST_PROBLEM else None
            except (httpx2.ConnectError, httpx2.ConnectTimeout, ssl.SSLError) as error:
                raise self._not_there(error) from None
            except httpx2.TimeoutException:
                raise Lost(
                    f"{self.shown} did not answer within {ANSWER_SECONDS:,.0f} seconds.",
                    "It may have been done all the same: look before you try again.",
                ) from None
            except (httpx2.TransportError, OSError) as error:
                if not waits:
                    raise self._lost(error) from None
                time.sleep(waits.pop(0))
                continue
            pause = _pause(response)
            if pause and waited + pause <= PATIENCE:
                response.close()
                waited += pause
                time.sleep(pause)
                continue
            break
        try:
            self._refuse(response)
            yield response
        finally:
            response.close()

    def _whole(self, response: httpx2.Response, most: int) -> bytes:
        import httpx2

        if response.is_stream_consumed:
            return response.content
        gathered = bytearray()
        try:
            for piece in response.iter_bytes():
                gathered += piece
                if len(gathered) > most:
                    raise Failure(f"{self.shown} answered more than {most:,} bytes.", "Ask for less: --limit")
        except (httpx2.TransportError, OSError) as error:
            raise self._lost(error) from None
        return bytes(gathered)

    def _refuse(self, response: httpx2.Response) -> None:
        """Raises Refusal for what is no answer."""
        status, kind = response.status_code, response.headers.get("Content-Type", "").partition(";")[0].strip()
        if status < 300 or (status == 409 and kind == "application/json"):
            return
        if status < 400:
            raise Failure(
                f"{self.shown} sends on to another address, and the token is not sent there.",
                "Set TIDEGATE_URL to the address where Tidegate answers itself.",
            )
        if kind != "application/problem+json":
            raise Failure(
                f"{self.shown} answered {status}, and not as a Tidegate does.",
                "Check TIDEGATE_URL, and what stands between here and there.",
            )
        try:
            problem = msgspec.json.decode(self._whole(response, LARGEST_PROBLEM), type=_Problem)
        except msgspec.MsgspecError:
            raise Failure(
                f"{self.shown} answered {status}, and its reason cannot be read.", self.other_version()
            ) from None
        if problem.type.endswith(NOT_KNOWN) or (status == 404 and problem.detail == NOWHERE):
            raise Refusal(f"{self.shown} does not understand: {problem.detail}", self.other_version(), 400)
        next_step = problem.next_step
        if status == 401:
            next_step = "Set TIDEGATE_TOKEN to a token of yours there; it is made with: tidegate token add"
        raise Refusal(problem.detail, next_step, status)

    def _not_there(self, error: Exception) -> Failure:
        reason = _certificate(error)
        if reason:
            return Failure(
                f"{self.shown} cannot be trusted: {reason}.",
                "Where its authority is one of your own, name its certificates with TIDEGATE_CA.",
            )
        return Failure(
            f"{self.shown} cannot be reached.", "Check TIDEGATE_URL, and whether that Tidegate runs: tidegate up"
        )

    def _lost(self, error: Exception) -> Lost:
        return Lost(
            f"The answer of {self.shown} was cut off.", "It may have been done all the same: look, then try again."
        )

    def other_version(self) -> str:
        """What to do where the two do not understand each other."""
        return f"It is probably another version: this command is of Tidegate {_version()}. Use the one of the server."


class _Problem(msgspec.Struct):
    detail: str
    next_step: str = ""
    type: str = ""


NOT_KNOWN: Final = "#problem-method"
NOWHERE: Final = "There is nothing at this address."


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Line by line, each with its end, whatever ends stand within."""
    left = b""
    for piece in pieces:
        *whole, left = (left + piece).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if left:
        yield left


def _length(response: httpx2.Response) -> int:
    told = response.headers.get("Content-Length", "0")
    return int(told) if told.isdigit() else 0


def _pause(response: httpx2.Response) -> int:
    """The seconds to wait where it was asked too often; nothing was done then."""
    told = response.headers.get("Retry-After", "")
    return max(1, int(told)) if response.status_code == 429 and told.isdigit() and len(told) < 6 else 0


def _trust(settings: RemoteSettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
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
def _version() -> str:
    from importlib.metadata import version

    return version("tidegate")
