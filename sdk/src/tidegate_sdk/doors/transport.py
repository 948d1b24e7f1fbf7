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

# At DEBUG it writes every header of an answer, cookies and echoed credentials too, past the Session's scrubbing.
logging.getLogger("httpcore2").setLevel(logging.INFO)


class CheckedTransport(httpx2.AsyncBaseTransport):
    """Connects only to addresses that the policy allows. No proxy: behind one the address could not be checked."""

    def __init__(self, policy: AddressPolicy, context: ssl.SSLContext | None) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context, max_connections=20, keepalive_expiry=30, network_backend=CheckedBackend(policy)
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        question = httpcore2.Request(
            request.method,
            target,
            headers=request.headers.raw,
            content=cast("AsyncIterable[bytes]", request.stream),
            extensions=request.extensions,
        )
        with _as_httpx2():
            answer = await self._pool.handle_async_request(question)
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Stream(answer))

    async def aclose(self) -> None:
        await self._pool.aclose()


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
        kind: type[httpx2.TransportError] = getattr(httpx2, type(error).__name__)
        raise kind(str(error)) from error
