"""Whom a Connection trusts, and what it says of a bad certificate."""

from __future__ import annotations

import asyncio
import gc
import ssl
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme

from sdk.tests.conftest import Open
from sdk.tests.plain import Log, Plain, body_of
from sdk.tests.vendor import Vendor, answer
from tidegate_sdk import Http, VendorDown, tls
from tidegate_sdk.address import CheckedBackend

YEAR = timedelta(days=365)
Serve = Callable[..., Awaitable[Vendor]]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def serve(authority: trustme.CA) -> AsyncIterator[Serve]:
    """Starts vendors with a certificate of the authority."""
    running: list[Vendor] = []

    async def start(*names: str, **validity: Any) -> Vendor:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names, **validity).configure_cert(context)
        vendor = Vendor(host="localhost")
        await vendor.start(context)
        vendor.on("/api/me", answer(200, {"id": 1}))
        running.append(vendor)
        return vendor

    yield start
    for vendor in running:
        await vendor.stop()


def trusting(vendor: Vendor, authority: trustme.CA, **door: Any) -> Plain:
    return Plain(Http(vendor.location, certificates=authority.cert_pem.bytes().decode(), **door))


async def test_an_authority_of_the_connection_is_trusted(serve: Serve, authority: trustme.CA, opened: Open):
    vendor = await serve("localhost")

    async with opened(trusting(vendor, authority)) as session:
        assert await session.talk(body_of()) == {"id": 1}


async def test_what_a_closed_session_trusted_is_let_go_of_at_once(
    serve: Serve, authority: trustme.CA, opened: Open, monkeypatch: pytest.MonkeyPatch
):
    """promises.md, Speed and size: a worker's memory stays flat. Found by the soak: megabytes waited for the collector,
    Session after Session."""
    vendor = await serve("localhost")
    made: list[weakref.ref[ssl.SSLContext]] = []

    def noted(door: Http) -> ssl.SSLContext:
        context = trusted(door)
        made.append(weakref.ref(context))
        return context

    trusted = tls.context
    monkeypatch.setattr(tls, "context", noted)
    gc.disable()
    try:
        async with opened(trusting(vendor, authority)) as session:
            await session.talk(body_of())
        assert [context() for context in made] == [None]
    finally:
        gc.enable()


async def test_the_servers_own_certificate_may_be_pasted(serve: Serve, opened: Open):
    vendor = await serve("localhost")
    own = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", vendor.port))

    async with opened(Plain(Http(vendor.location, certificates=own))) as session:
        assert await session.talk(body_of()) == {"id": 1}


async def test_an_unknown_authority_is_told(serve: Serve, opened: Open):
    vendor = await serve("localhost")

    async with opened(vendor) as session:
        with pytest.raises(VendorDown, match=r"signed by an unknown authority.*Add the certificate"):
            await session.talk(body_of())

    assert vendor.asked == []
    assert session.requests == 1


async def test_an_expired_certificate_is_told(serve: Serve, authority: trustme.CA, opened: Open):
    now = datetime.now(UTC)
    vendor = await serve("localhost", not_before=now - YEAR, not_after=now - timedelta(days=1))

    async with opened(trusting(vendor, authority)) as session:
        with pytest.raises(VendorDown, match="has expired"):
            await session.talk(body_of())


async def test_a_certificate_of_tomorrow_is_told(serve: Serve, authority: trustme.CA, opened: Open):
    now = datetime.now(UTC)
    vendor = await serve("localhost", not_before=now + timedelta(days=1), not_after=now + YEAR)

    async with opened(trusting(vendor, authority)) as session:
        with pytest.raises(VendorDown, match="not valid yet"):
            await session.talk(body_of())


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_certificate_of_another_host_is_told(serve: Serve, authority: trustme.CA, opened: Open, host: str):
    vendor = await serve("elsewhere.test")
    vendor.host = host

    async with opened(trusting(vendor, authority)) as session:
        with pytest.raises(VendorDown, match="belongs to another host"):
            await session.talk(body_of())


async def test_a_person_may_switch_verification_off(serve: Serve, opened: Open):
    vendor = await serve("elsewhere.test")

    async with opened(Plain(Http(vendor.location, verify=False))) as session:
        assert await session.talk(body_of()) == {"id": 1}


async def test_verification_that_is_off_is_a_warning_in_the_log(serve: Serve, opened: Open, log: Log):
    vendor = await serve("elsewhere.test")

    async with opened(Plain(Http(vendor.location, verify=False))) as session:
        await session.talk(body_of())
        await session.talk(body_of())

    warnings = [line for line in log if line.get("level") == "warning"]
    assert [line["event"] for line in warnings] == ["vendor.unverified"]
    assert "not verified" in warnings[0]["note"]


async def test_a_redirect_to_https_trusts_whom_the_connection_trusts(
    serve: Serve, authority: trustme.CA, vendor: Vendor, opened: Open, monkeypatch: pytest.MonkeyPatch
):
    """Only the usual ports may be changed for each other, and these are not ours: the network below maps them."""
    secure, first = await serve("localhost"), CheckedBackend._connect_first
    ports = {80: vendor.port, 443: secure.port}

    async def connect(self: CheckedBackend, addresses: list[str], port: int, *how: Any) -> Any:
        return await first(self, addresses, ports[port], *how)

    monkeypatch.setattr(CheckedBackend, "_connect_first", connect)
    vendor.on("/api/me", answer(301, None, Location="https://localhost/api/me"))
    trusted = authority.cert_pem.bytes().decode()

    async with opened(Plain(Http("http://localhost/api/", certificates=trusted))) as session:
        assert await session.talk(body_of()) == {"id": 1}

    assert len(secure.asked) == 1


@pytest.mark.parametrize("pem", ["hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
async def test_certificates_that_cannot_be_read_are_told(opened: Open, pem: str):
    async with opened(Plain(Http("https://localhost:1/", certificates=pem))) as session:
        with pytest.raises(VendorDown, match="Paste them as PEM"):
            await session.talk(body_of())


async def test_a_vendor_without_tls_is_told(opened: Open):
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(answer(400))
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with opened(f"https://127.0.0.1:{port}/") as session:
            with pytest.raises(VendorDown, match=r"does not speak TLS.*http://"):
                await session.talk(body_of())

    assert session.requests == 1


async def test_an_old_protocol_is_not_spoken(authority: trustme.CA, opened: Open):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    vendor = Vendor(host="localhost")
    await vendor.start(context)

    async with opened(trusting(vendor, authority)) as session:
        with pytest.raises(VendorDown):
            await session.talk(body_of())
    await vendor.stop()
    assert vendor.asked == []
