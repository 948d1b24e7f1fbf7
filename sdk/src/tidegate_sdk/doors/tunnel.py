"""The way to a vendor through a proxy: a tunnel (CONNECT) for https, a question handed on for http."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterable
from typing import Final

import httpcore2

from ..address import AddressPolicy, CheckedBackend, Guarded, resolve
from ..errors import AddressRefused, ProxyRefused
from ..proxy import Proxy
from ..refusal import ProxyFailed, why_unreachable

LOOK_UP_SECONDS: Final = 2.0
"""How long our own resolver is waited for: behind a proxy it often knows no names of the world outside."""

_LONGEST_HEAD = 16 * 2**10
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?\r?\n")


class ProxiedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to the proxy at a checked address, and has it connect to the vendor where `tunnel` says so.

    The proxy resolves the vendor's name itself. What can be known of the target before is checked: addresses in any
    spelling, names of metadata services, and whatever our own resolver says. Another answer given to the proxy is the
    proxy's to refuse.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        proxy: Proxy,
        trusted: ssl.SSLContext | None,
        *,
        tunnel: bool,
        pins: tuple[str, ...] = (),
    ) -> None:
        self._policy, self._proxy, self._trusted = policy, proxy, trusted
        self._tunnel, self._pins = tunnel, pins
        self._network = CheckedBackend(AddressPolicy() if proxy.chosen_by_operator else policy)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A connection to the vendor through the proxy; `timeout` bounds all of it."""
        try:
            async with asyncio.timeout(timeout):
                await self._check(host, port)
                stream = await self._to_proxy(local_address, socket_options)
                try:
                    if self._tunnel:
                        await self._connect(stream, f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
                except BaseException:
                    await stream.aclose()
                    raise
        except TimeoutError:
            raise ProxyFailed(f"the proxy {self._proxy} brings no connection within {timeout:g} seconds") from None
        return Guarded(stream, self._pins)

    async def _check(self, host: str, port: int) -> None:
        try:
            async with asyncio.timeout(LOOK_UP_SECONDS):
                addresses = await resolve(host, port)
        except (httpcore2.ConnectError, TimeoutError):
            addresses = []  # a name that only the proxy knows
        self._policy.check(host, addresses)

    async def _to_proxy(
        self, local_address: str | None, socket_options: Iterable[httpcore2.SOCKET_OPTION] | None
    ) -> httpcore2.AsyncNetworkStream:
        proxy = self._proxy
        try:
            stream = await self._network.connect_tcp(proxy.host, proxy.port, None, local_address, socket_options)
            return await stream.start_tls(self._trusted, proxy.host) if proxy.secure and self._trusted else stream
        except AddressRefused as refused:
            raise AddressRefused(f"The proxy cannot be used: {refused.what}", refused.next_step) from None
        except (httpcore2.NetworkError, httpcore2.TimeoutException, OSError) as error:
            raise ProxyFailed(f"the proxy {proxy} cannot be reached: {why_unreachable(error)}") from None

    async def _connect(self, stream: httpcore2.AsyncNetworkStream, target: str) -> None:
        lines = {"Host": target, "User-Agent": "Tidegate", **self._proxy.headers()}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        try:
            await stream.write(f"CONNECT {target} HTTP/1.1\r\n{head}\r\n".encode("ascii"))
            answered = await self._head(stream)
        except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
            raise ProxyFailed(f"the proxy {self._proxy} breaks off: {why_unreachable(error)}") from None
        found = _STATUS.match(answered)
        if found is None:
            raise self._is_none("does not answer as a proxy does")
        status = int(found[1])
        if status == 200 and not answered.endswith((b"\r\n\r\n", b"\n\n")):
            raise self._is_none("says something of its own where the vendor should")
        if status != 200:
            raise refused_by(self._proxy, status, target)

    async def _head(self, stream: httpcore2.AsyncNetworkStream) -> bytes:
        """The answer up to its empty line, and what was sent along with it."""
        answered = b""
        while b"\r\n\r\n" not in answered and b"\n\n" not in answered:
            piece = await stream.read(4096)
            answered += piece
            if not piece or len(answered) > _LONGEST_HEAD:
                raise self._is_none("does not answer as a proxy does")
        return answered

    def _is_none(self, why: str) -> ProxyRefused:
        return ProxyRefused(f"The proxy {self._proxy} {why}.", _NO_PROXY_STEP)


_NO_PROXY_STEP = "Check its address and port: what answers there may be a web server, or a proxy of another kind."
_STEPS = {
    407: "Enter the proxy's user (in its address) and password for this Connection, or have TIDEGATE_PROXY mended.",
    403: "Have the proxy's administrator allow it, or say `direct` as proxy of this Connection.",
}


def refused_by(proxy: Proxy, status: int, target: str) -> Exception:
    """What a proxy's refusal means: it may pass (5xx, 429), or a person must mend it."""
    if status == 407:
        return ProxyRefused(f"The proxy {proxy} asks for a user and a password, or refuses these (407).", _STEPS[407])
    if status == 403:
        return ProxyRefused(f"The proxy {proxy} does not allow connections to {target} (403).", _STEPS[403])
    if (status >= 500 and status != 501) or status == 429:
        return ProxyFailed(f"the proxy {proxy} answers {status} and does not reach {target}")
    return ProxyRefused(f"The proxy {proxy} answers {status} where it should connect to {target}.", _NO_PROXY_STEP)
