"""One request to a DefectDojo and its answer: through the address policy, bounded in time and size, never redirected.

The network is asked in an event loop of its own, in a thread of its own: so that whoever waits may look whether to go
on. What answers mean is said in client.py.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import httpx2

from tidegate_sdk import body as bodies
from tidegate_sdk import refusal, tls
from tidegate_sdk.address import AddressPolicy
from tidegate_sdk.auth import Header
from tidegate_sdk.doors.transport import CheckedTransport
from tidegate_sdk.errors import ConnectorError, VendorChanged
from tidegate_sdk.limits import Limits
from tidegate_sdk.proxy import DIRECT, Proxy
from tidegate_sdk.tool import Http

from .errors import Unreachable

T = TypeVar("T")

LOOK_EVERY_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is below the URL, with its query; `content` the bytes of the body and `kind` their media type."""

    method: str
    path: str
    content: bytes = b""
    kind: str = ""

    @property
    def where(self) -> str:
        """How it is called in sentences: without what was asked for in the query."""
        return f"{self.method} {self.path.partition('?')[0]}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `headers` by their names in lower case; `seconds` from the question to its last byte."""

    status: int
    headers: Mapping[str, str]
    data: bytes
    seconds: float


class NoAnswer(Exception):
    """No whole answer came. `unsent`: the server cannot have seen the request. `odd`: what came is no answer of its."""

    def __init__(self, reason: str, *, unsent: bool = False, odd: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.unsent, self.odd = reason, unsent, odd


class Wire:
    """Open from its making until close(). Used from one thread at a time."""

    def __init__(
        self, door: Http, policy: AddressPolicy, proxy: Proxy | None, limits: Limits, look: Callable[[], None]
    ) -> None:
        self._door, self._policy, self._limits, self._look = door, policy, limits, look
        chosen = door.proxy or proxy
        self._proxy = None if isinstance(chosen, str) or chosen == DIRECT else chosen
        self._transport: CheckedTransport | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="defectdojo", daemon=True)
        self._thread.start()

    def send(self, request: Request, seconds: float) -> Answer:
        """Sends, and waits for the whole answer for so many seconds at most.

        Raises NoAnswer, Unreachable, and what `look` raises.
        """
        return self._result(self._submit(self._send(request, seconds)))

    def close(self) -> None:
        """Ends all connections."""
        if self._loop.is_closed():
            return
        if self._transport is not None:
            self._submit(self._transport.aclose()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _result(self, future: Future[T]) -> T:
        while True:
            try:
                return future.result(LOOK_EVERY_SECONDS)
            except TimeoutError:
                if future.done():
                    raise
            try:
                self._look()
            except BaseException:
                future.cancel()
                self._settle(future)
                raise

    def _settle(self, future: Future[Any]) -> None:
        """Waits until what was cancelled has let go of its connection."""
        try:
            self._submit(asyncio.sleep(0)).result()
            future.result(0)
        except (TimeoutError, CancelledError, NoAnswer, Unreachable):
            return

    async def _send(self, request: Request, seconds: float) -> Answer:
        began = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                status, headers, data = await self._exchange(request)
        except TimeoutError:
            raise NoAnswer(f"no whole answer came within {seconds:,.0f} seconds") from None
        except VendorChanged as error:  # the body: too large, damaged
            raise NoAnswer(error.what.rstrip("."), odd=True) from None
        except ConnectorError as error:
            raise Unreachable(error.what, error.next_step) from None
        except (httpx2.TransportError, ssl.SSLError, OSError) as error:
            raise self._explained(error) from None
        return Answer(status, headers, data, time.monotonic() - began)

    async def _exchange(self, request: Request) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "Tidegate"}
        if request.kind:
            headers["Content-Type"] = request.kind
        headers |= self._credential()
        limits = self._limits
        # A server that works on an import says nothing meanwhile, so silence is bounded by the whole time alone.
        patience = {"connect": limits.connect, "read": None, "write": limits.read, "pool": limits.connect}
        response = await self._open().handle_async_request(
            httpx2.Request(
                request.method,
                f"{self._door.location}{request.path}",
                headers=headers,
                content=request.content or None,
                extensions={"timeout": patience},
            )
        )
        try:
            data = await self._collected(request, response)
        finally:
            await response.aclose()
        return response.status_code, {name.lower(): value for name, value in response.headers.items()}, data

    async def _collected(self, request: Request, response: httpx2.Response) -> bytes:
        inflate = bodies.Decompressor(response.headers.get("content-encoding", ""), request.where)
        data = bytearray()
        async for piece in response.aiter_raw():
            for plain in inflate.feed(piece):
                data += plain
                if len(data) > self._limits.page_bytes:
                    raise VendorChanged(f"it answered with more than {self._limits.page_bytes:,} bytes.")
        inflate.finish()
        return bytes(data)

    def _credential(self) -> Mapping[str, str]:
        headers = self._door.auth.headers() if isinstance(self._door.auth, Header) else {}
        for value in headers.values():
            if not (value.isascii() and value.isprintable()) or value != value.strip():
                raise Unreachable(
                    "The token has characters that cannot be sent: a space, a line break, an accent.", "Enter it anew."
                )
        return headers

    def _open(self) -> CheckedTransport:
        if self._transport is None:
            secure = self._door.location.startswith("https://")
            if not secure and (self._door.pins or self._door.client):
                raise Unreachable(
                    "Without TLS no certificate can be compared with a pin, nor ours be shown.",
                    "Enter the URL with https://, or take pins and client certificate away.",
                )
            self._transport = CheckedTransport(
                self._policy,
                tls.context(self._door),
                pins=self._door.pins,
                proxy=self._proxy,
                proxy_context=tls.context(tls.of_proxy(self._door)) if self._proxy and self._proxy.secure else None,
            )
        return self._transport

    def _explained(self, error: Exception) -> Exception:
        if isinstance(error, httpx2.LocalProtocolError):
            return Unreachable("The request cannot be sent as it is.")
        through = not isinstance(error.__cause__, refusal.ProxyFailed)
        if through and (lasting := tls.explain(error, self._door.location)):
            return Unreachable(lasting.what, lasting.next_step)
        reason, unsent = refusal.by_transport(error, self._limits)
        return NoAnswer(reason, unsent=unsent)
