"""httpx2's transport with a network of ours below it; httpx2 itself offers no way to give one."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator
from contextlib import aclosing, contextmanager
from typing import cast

import httpcore2
import httpx2

from ..address import AddressPolicy, CheckedBackend
from ..proxy import Proxy
from .tunnel import ProxiedBackend, refused_by

# At DEBUG it writes every header of an answer, cookies and echoed credentials too, past the Session's scrubbing.
logging.getLogger("httpcore2").setLevel(logging.INFO)


class CheckedTransport(httpx2.AsyncBaseTransport):
    """Connects only to addresses that the policy allows, and only to servers that show what is pinned.

    Through a proxy where one was named, never through one that the environment names.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        context: ssl.SSLContext | None,
        *,
        pins: tuple[str, ...] = (),
        proxy: Proxy | None = None,
        proxy_context: ssl.SSLContext | None = None,
    ) -> None:
        self._proxy = proxy
        if proxy is None:
            self._secure = self._plain = _pool(context, CheckedBackend(policy, pins))
        else:
            self._secure = _pool(context, ProxiedBackend(policy, proxy, proxy_context, tunnel=True, pins=pins))
            self._plain = _pool(context, ProxiedBackend(policy, proxy, proxy_context, tunnel=False))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url, headers, target = request.url, request.headers.raw, request.url.raw_path
        handed_on = self._proxy is not None and url.scheme != "https"
        if self._proxy is not None and handed_on:
            target = str(url.copy_with(userinfo=b"", fragment=None)).encode("ascii")
            headers = [*headers, *((name.encode(), value.encode()) for name, value in self._proxy.headers().items())]
        question = httpcore2.Request(
            request.method,
            httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=target),
            headers=headers,
            content=cast("AsyncIterable[bytes]", request.stream),
            extensions=request.extensions,
        )
        with _as_httpx2():
            answer = await (self._plain if handed_on else self._secure).handle_async_request(question)
        if self._proxy is not None and handed_on and answer.status == 407:
            await answer.aclose()
            raise refused_by(self._proxy, answer.status, url.host)
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Stream(answer))

    async def aclose(self) -> None:
        await self._secure.aclose()
        await self._plain.aclose()


def _pool(context: ssl.SSLContext | None, network: httpcore2.AsyncNetworkBackend) -> httpcore2.AsyncConnectionPool:
    return httpcore2.AsyncConnectionPool(
        ssl_context=context, max_connections=20, keepalive_expiry=30, network_backend=network
    )


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        stream = aiter(cast("AsyncIterable[bytes]", self._answer.stream))
        async with aclosing(cast("AsyncGenerator[bytes]", stream)):
            with _as_httpx2():
                async for piece in stream:
                    yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()


@contextmanager
def _as_httpx2() -> Generator[None]:
    """The two libraries name their errors alike; the cause stays, it tells TLS and DNS apart."""
    try:
        yield
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        named = next(kind.__name__ for kind in type(error).__mro__ if hasattr(httpx2, kind.__name__))  # ours has none
        kind: type[httpx2.TransportError] = getattr(httpx2, named)
        raise kind(str(error)) from error
