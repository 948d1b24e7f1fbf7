"""Which addresses Tidegate calls, checked on the very address a connection is made to."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Literal, cast

import httpcore2

from .errors import AddressRefused
from .tls import check_pins

Address = IPv4Address | IPv6Address

# Where clouds tell a machine its own credentials.
_METADATA = {
    ip_address(address)
    for address in (
        "169.254.169.254",  # nearly all of them
        "169.254.170.2",  # AWS, a container
        "100.100.100.200",  # Alibaba
        "fd00:100::100:200",  # Alibaba
        "168.63.129.16",  # Azure
        "192.0.0.192",  # Oracle
        "fd00:c1::a9fe:a9fe",  # Oracle
        "fd20:ce::254",  # Google
        "fd00:42::42",  # Scaleway
        "fd00:a9fe:a9fe::1",  # Akamai
    )
}
_METADATA_OF_AWS = IPv6Network("fd00:ec2::/32")  # credentials of a machine, of a pod; names, time
_METADATA_NAMES = {"metadata.google.internal", "metadata.goog"}
_THIS_NETWORK = IPv4Network("0.0.0.0/8")
_RESERVED = IPv4Network("240.0.0.0/4")
_NAT64 = IPv6Network("64:ff9b::/96")
_TUNNELS = {
    "an IPv4 address written as IPv6": (IPv6Network("::ffff:0:0/96"), IPv6Network("::ffff:0:0:0/96")),
    "a 6to4 address": (IPv6Network("2002::/16"),),
    "a Teredo address": (IPv6Network("2001::/32"),),
    "a local NAT64 address": (IPv6Network("64:ff9b:1::/48"),),
}
_COMPATIBLE = IPv6Network("::/96")


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What may be called. Link-local, metadata, unspecified and multicast addresses are refused always.

    A self-hosted tool usually lives in a private network, so these (and loopback) are allowed unless the operator of
    Tidegate refuses them.
    """

    private: Literal["allow", "refuse"] = "allow"

    def check(self, host: str, addresses: Iterable[str]) -> None:
        """Raises AddressRefused if the host, or one of the addresses it resolves to, is not to be called."""
        if host.rstrip(".").lower() in _METADATA_NAMES:
            raise AddressRefused(f"{host} is a cloud's metadata service.")
        for address in addresses:
            if why := self.refusal(ip_address(address.partition("%")[0])):
                where = address if address == host else f"{host} ({address})"
                raise AddressRefused(f"{where} is {why}.", _PRIVATE_STEP if why == _PRIVATE else None)

    def refusal(self, address: Address) -> str:
        """What kind of address it is, if it is one that is not called; otherwise ""."""
        if address in _METADATA or address in _METADATA_OF_AWS:
            return "a cloud's metadata service"
        if address.is_unspecified or address in _THIS_NETWORK:
            return "an unspecified address"
        if address.is_link_local:
            return "a link-local address"
        if address.is_multicast or address in _RESERVED:
            return "a multicast or reserved address"
        if isinstance(address, IPv6Address) and (why := _disguise(address)):
            return why
        if self.private == "refuse" and not address.is_global:
            return _PRIVATE
        return ""


_PRIVATE = "a private address"
_PRIVATE_STEP = "This installation refuses private networks; its operator can allow them."


def _disguise(address: IPv6Address) -> str:
    """Why an IPv6 address that carries an IPv4 one is not called.

    No vendor's name resolves to such an address, but for NAT64: in networks without IPv4 every IPv4 vendor does. RFC
    6052 forbids to put any but public addresses into it.
    """
    for why, networks in _TUNNELS.items():
        if any(address in network for network in networks):
            return why
    if address in _COMPATIBLE and int(address) > 1:
        return "an IPv4 address written as IPv6"
    if address in _NAT64:
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if not inner.is_global or AddressPolicy("refuse").refusal(inner):
            return "a NAT64 address of a private network"
    return ""


class CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Resolves a name once, checks every answer, and connects to a checked address, never again to the name.

    So a name cannot change its answer between check and connect. Host header and TLS name stay those of the URL. A
    server that does not show what is pinned gets nothing to read.
    """

    def __init__(self, policy: AddressPolicy, pins: tuple[str, ...] = ()) -> None:
        self._policy, self._pins = policy, pins
        self._network = cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A connection to the first checked address that takes one; `timeout` bounds all of it."""
        try:
            async with asyncio.timeout(timeout):
                self._policy.check(host, [])  # a metadata service by name, also where that does not resolve
                addresses = await resolve(host, port)
                self._policy.check(host, addresses)
                stream = await self._connect_first(addresses, port, local_address, socket_options)
                return Guarded(stream, self._pins)
        except TimeoutError:
            raise httpcore2.ConnectTimeout(host) from None

    async def _connect_first(
        self,
        addresses: list[str],
        port: int,
        local_address: str | None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None,
    ) -> httpcore2.AsyncNetworkStream:
        for address in addresses[:-1]:
            try:
                async with asyncio.timeout(_TRY_NEXT_AFTER):
                    return await self._network.connect_tcp(address, port, None, local_address, socket_options)
            except (httpcore2.ConnectError, TimeoutError):
                continue
        return await self._network.connect_tcp(addresses[-1], port, None, local_address, socket_options)


class Guarded(httpcore2.AsyncNetworkStream):
    """A connection whose TLS handshake ends with a look at the pins; it is closed where that or the handshake fails.

    Also where the handshake is cancelled: httpcore2 forgets it then, still open.
    """

    def __init__(self, stream: httpcore2.AsyncNetworkStream, pins: tuple[str, ...] = ()) -> None:
        self._stream, self._pins = stream, pins

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        secured = self._stream
        try:
            secured = await self._stream.start_tls(ssl_context, server_hostname, timeout)
            if self._pins:
                shown = secured.get_extra_info("ssl_object")
                check_pins(shown and shown.getpeercert(binary_form=True), self._pins, server_hostname or "the server")
        except BaseException:
            await secured.aclose()
            raise
        return secured

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


_TRY_NEXT_AFTER = 2.0  # seconds for an address when the name has more of them: a dead IPv6 must not hide a living IPv4


async def resolve(host: str, port: int) -> list[str]:
    """Every address of the host, in the system's order of preference; integer and hex spellings are addresses too."""
    try:
        found = await _look_up(host, port)
    except (socket.gaierror, UnicodeError) as error:
        raise httpcore2.ConnectError(f"{host} does not resolve") from error
    return list(dict.fromkeys(str(answer[4][0]) for answer in found))


async def _look_up(host: str, port: int) -> list[Any]:
    """The system's answer, from a thread that nobody waits for: a resolver that hangs cannot be cancelled.

    A thread of the loop's own pool would keep the loop, and in the end the process, until the resolver gives up.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Any]] = loop.create_future()

    def settle(found: list[Any] | Exception) -> None:
        if answer.done():
            return
        if isinstance(found, Exception):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def ask() -> None:
        try:
            found: list[Any] | Exception = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except Exception as error:  # noqa: BLE001 - raised where the answer is awaited
            found = error
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(settle, found)

    threading.Thread(target=ask, name=f"resolve-{host}", daemon=True).start()
    return await answer
