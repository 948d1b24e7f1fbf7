"""Through a proxy that a person named: what is asked of it, what is checked before, and what is said of a refusal."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trustme
from pydantic import SecretStr, ValidationError

from sdk.tests.authority import secure_vendor, serving
from sdk.tests.conftest import PATIENT, Open
from sdk.tests.gateway import Gateway
from sdk.tests.plain import Log, Plain, body_of
from sdk.tests.vendor import Vendor, answer
from tidegate_sdk import (
    AddressPolicy,
    AddressRefused,
    Header,
    Http,
    HttpSettings,
    Limits,
    PinMismatch,
    Proxy,
    ProxyRefused,
    VendorDown,
)
from tidegate_sdk.proxy import DIRECT, operators_proxy, parse_proxy

TOKEN, PASSWORD = "token-of-the-vendor", "pass:word/of@proxy"
HASTY = Limits(connect=0.3, read=10, page_seconds=30, tries=1)


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    gateway = Gateway()
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def secure(authority: trustme.CA) -> AsyncIterator[Vendor]:
    async with secure_vendor(authority.issue_cert("localhost", "vendor.test")) as vendor:
        yield vendor


def through(gateway: Gateway, location: str, authority: trustme.CA | None = None, **door: Any) -> Plain:
    proxy = door.pop("proxy", Proxy("127.0.0.1", gateway.port))
    trusted = authority.cert_pem.bytes().decode() if authority else None
    header = Header("Authorization", SecretStr(TOKEN))
    return Plain(Http(location, header, trusted, per_second=0, proxy=proxy, **door), token=TOKEN)


# What a person enters


def entered(**settings: Any) -> HttpSettings:
    return HttpSettings.model_validate(settings)


@pytest.mark.parametrize(
    "url",
    ["socks5://p:1080", "http://", "http://p:99999", "http://p:0", "http://p/path", "http://p?q", "ht tp://p", "p\n"],
)
def test_what_is_no_proxy_is_refused_when_it_is_entered(url: str):
    if url == "p\n":  # an edge is not held against anybody
        assert entered(proxy=url).proxy == "p"
        return
    with pytest.raises(ValidationError, match=r"http://proxy\.example\.org:3128"):
        entered(proxy=url)


def test_a_password_among_what_is_shown_in_the_clear_is_refused_and_not_quoted():
    with pytest.raises(ValidationError, match="give it as proxy_password") as told:
        entered(proxy="http://user:hunter2@proxy.test:3128")

    assert "hunter2" not in str(told.value)


def test_a_connection_has_its_own_proxy_or_none_or_that_of_the_service():
    own = entered(proxy="user@proxy.test", proxy_password=SecretStr("x")).door("https://vendor.test/")

    assert own.proxy == Proxy("proxy.test", 3128, user="user", password=SecretStr("x"))
    assert entered(proxy="direct").door("https://vendor.test/").proxy == DIRECT
    assert entered().door("https://vendor.test/").proxy == ""


def test_no_proxy_shows_its_password():
    proxy = operators_proxy(SecretStr("https://user:hunter2@proxy.test"))

    assert proxy is not None
    assert (proxy.port, proxy.secure, str(proxy)) == (443, True, "proxy.test:443")
    assert "hunter2" not in f"{proxy!r} {proxy}"


# What it refuses


async def test_a_proxy_that_asks_for_a_login_is_told(gateway: Gateway, opened: Open):
    gateway.answer = answer(407, None, Proxy_Authenticate="Basic realm=x")

    for location in ("https://vendor.test/api/", "http://vendor.test/api/"):
        async with opened(through(gateway, location)) as session:
            with pytest.raises(ProxyRefused, match=r"asks for a user and a password.*\(407\).*TIDEGATE_PROXY"):
                await session.talk(body_of())


async def test_a_proxy_that_does_not_allow_the_host_is_told(gateway: Gateway, opened: Open):
    gateway.answer = answer(403, b"<html>Policy</html>")

    async with opened(through(gateway, "https://vendor.test/api/")) as session:
        with pytest.raises(ProxyRefused, match=r"does not allow connections to vendor\.test:443 \(403\)"):
            await session.talk(body_of())


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (answer(405, b"no"), "answers 405 where it should connect"),
        (answer(404, b"no"), "answers 404 where it should connect"),
        (answer(501, b"no"), "answers 501 where it should connect"),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "does not answer as a proxy does"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nwelcome", "says something of its own"),
        (b"x" * 20_000, "does not answer as a proxy does"),
        (b"HTTP/1.1 200 OK\r\n", "does not answer as a proxy does"),
    ],
)
async def test_a_web_server_in_its_place_is_told_and_gets_no_credential(
    gateway: Gateway, opened: Open, said: bytes, words: str
):
    gateway.answer = said

    async with opened(through(gateway, "https://vendor.test/api/")) as session:
        with pytest.raises(ProxyRefused, match=rf"{words}.*web server"):
            await session.talk(body_of())

    assert TOKEN not in str(gateway.headers)
    assert len(gateway.asked) == 1


async def test_a_proxy_that_hangs_is_told(gateway: Gateway, opened: Open):
    gateway.silent = True

    async with opened(through(gateway, "https://vendor.test/api/"), limits=HASTY) as session:
        with pytest.raises(
            VendorDown, match=rf"the proxy 127\.0\.0\.1:{gateway.port} brings no connection within 0\.3 s"
        ):
            await session.talk(body_of())


async def test_a_proxy_that_cannot_reach_the_vendor_is_asked_again_then_told(gateway: Gateway, opened: Open):
    gateway.answer = answer(502, b"")

    async with opened(through(gateway, "https://vendor.test/api/")) as session:
        with pytest.raises(VendorDown, match=r"answers 502 and does not reach vendor\.test:443, 5 times running"):
            await session.talk(body_of())

    assert len(gateway.asked) == PATIENT.tries


async def test_a_proxy_that_is_not_there_is_told(opened: Open):
    async with opened(through(Gateway(port=1), "https://vendor.test/"), limits=HASTY) as session:
        with pytest.raises(VendorDown, match=r"the proxy 127\.0\.0\.1:1 cannot be reached: the connection is refused"):
            await session.talk(body_of())


# What is checked


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
                                  "[::ffff:a9fe:a9fe]", "metadata.google.internal"])  # fmt: skip
async def test_no_proxy_is_asked_for_a_metadata_service(gateway: Gateway, opened: Open, scheme: str, host: str):
    """promises.md, Attack, Outgoing requests: also where the proxy makes the connection."""
    async with opened(through(gateway, f"{scheme}://{host}/latest/")) as session:
        with pytest.raises(AddressRefused):
            await session.talk(body_of())

    assert gateway.asked == []


async def test_what_our_own_resolver_says_of_the_target_counts(
    gateway: Gateway, opened: Open, monkeypatch: pytest.MonkeyPatch
):
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *how: Any, **more: Any) -> Any:
        return real("169.254.169.254" if host == "innocent.test" else host, *how, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    async with opened(through(gateway, "https://innocent.test/")) as session:
        with pytest.raises(AddressRefused, match=r"innocent\.test \(169\.254\.169\.254\) is a cloud's metadata"):
            await session.talk(body_of())

    assert gateway.asked == []


async def test_private_networks_are_one_setting_behind_a_proxy_too(gateway: Gateway, opened: Open):
    mine, theirs = Proxy("127.0.0.1", gateway.port, chosen_by_operator=True), Proxy("127.0.0.1", gateway.port)
    refusing = AddressPolicy("refuse")
    gateway.answer = answer(403)

    async with opened(through(gateway, "https://10.1.2.3/", proxy=mine), policy=refusing) as session:
        with pytest.raises(AddressRefused, match=r"10\.1\.2\.3 is a private address"):
            await session.talk(body_of())
    async with opened(through(gateway, "https://8.8.8.8/", proxy=theirs), policy=refusing) as session:
        with pytest.raises(AddressRefused, match=r"The proxy cannot be used: 127\.0\.0\.1 is a private address"):
            await session.talk(body_of())
    assert gateway.asked == []
    async with opened(through(gateway, "https://8.8.8.8/", proxy=mine), policy=refusing) as session:
        with pytest.raises(ProxyRefused):  # it was reached
            await session.talk(body_of())


@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "metadata.google.internal"])
async def test_no_proxy_is_a_metadata_service_whoever_named_it(opened: Open, host: str):
    proxy = Proxy(host, 80, chosen_by_operator=True)

    async with opened(through(Gateway(), "https://8.8.8.8/", proxy=proxy)) as session:
        with pytest.raises(AddressRefused, match="The proxy cannot be used"):
            await session.talk(body_of())


# The way through


async def test_a_tunnel_leads_to_a_name_that_only_the_proxy_knows(
    gateway: Gateway, secure: Vendor, authority: trustme.CA, opened: Open, log: Log
):
    """The proxy sees host and port, and its own login; path and credential are between us and the vendor."""
    gateway.leads_to["vendor.test"] = "127.0.0.1"
    proxy = parse_proxy(f"user@127.0.0.1:{gateway.port}", SecretStr(PASSWORD))

    location = f"https://vendor.test:{secure.port}/api/"
    async with opened(through(gateway, location, authority, proxy=proxy)) as session:
        assert await session.talk(body_of()) == {"id": 1}
        assert await session.talk(body_of()) == {"id": 1}

    assert gateway.asked == [f"CONNECT vendor.test:{secure.port}"]
    assert gateway.headers[0]["proxy-authorization"] == f"Basic {b64encode(f'user:{PASSWORD}'.encode()).decode()}"
    assert "authorization" not in gateway.headers[0]
    assert "proxy-authorization" not in secure.asked[0].headers
    assert secure.asked[0].headers["authorization"] == TOKEN
    assert PASSWORD not in str(log)


async def test_a_question_without_tls_is_handed_on(gateway: Gateway, vendor: Vendor, opened: Open):
    vendor.on("/api/me", answer(200, {"id": 1}))

    async with opened(through(gateway, vendor.location)) as session:
        assert await session.talk(body_of()) == {"id": 1}

    assert gateway.asked == [f"GET {vendor.location}me"]


async def test_a_proxy_that_speaks_tls_itself_is_verified(secure: Vendor, authority: trustme.CA, opened: Open):
    gateway = Gateway()
    await gateway.start(serving(authority.issue_cert("127.0.0.1")))
    proxy = Proxy("127.0.0.1", gateway.port, secure=True)

    async with opened(through(gateway, secure.location, authority, proxy=proxy)) as session:
        assert await session.talk(body_of()) == {"id": 1}
    async with opened(through(gateway, secure.location, proxy=proxy, verify=False), limits=HASTY) as session:
        with pytest.raises(VendorDown, match="cannot be reached: its certificate is not trusted"):
            await session.talk(body_of())
    await gateway.stop()


async def test_the_pin_is_the_vendors_behind_a_proxy_too(
    gateway: Gateway, secure: Vendor, authority: trustme.CA, opened: Open
):
    async with opened(through(gateway, secure.location, authority, pins=("ab" * 32,))) as session:
        with pytest.raises(PinMismatch):
            await session.talk(body_of())

    assert secure.asked == []


async def test_the_services_proxy_is_for_doors_that_name_none(gateway: Gateway, vendor: Vendor, opened: Open):
    vendor.on("/api/me", answer(200, {"id": 1}))
    ours = Proxy("127.0.0.1", gateway.port)

    for named, asked in (("", 1), (DIRECT, 1)):
        async with opened(through(gateway, vendor.location, proxy=named), proxy=ours) as session:
            assert await session.talk(body_of()) == {"id": 1}
        assert len(gateway.asked) == asked


async def test_a_redirect_to_metadata_is_refused_behind_a_proxy_too(gateway: Gateway, vendor: Vendor, opened: Open):
    vendor.on("/api/me", answer(302, None, Location="http://169.254.169.254/latest/"))

    async with opened(through(gateway, vendor.location)) as session:
        with pytest.raises(AddressRefused, match="redirected to"):
            await session.talk(body_of())

    assert len(gateway.asked) == 1
