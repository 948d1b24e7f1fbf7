"""What goes over the wire, and what each answer of a vendor becomes."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from sdk.tests.conftest import PATIENT, Open
from sdk.tests.plain import SECRET, Log, Naps, Plain, body_of, rows_of, things
from sdk.tests.vendor import Vendor, answer
from tidegate_sdk import (
    AccessDenied,
    AddressRefused,
    Ask,
    AuthRejected,
    ConnectorError,
    Header,
    Http,
    Incomplete,
    NotFound,
    VendorChanged,
    VendorDown,
    graphql,
)

MB = 2**20


async def test_an_answer_is_decoded_and_the_credential_goes_along(vendor: Vendor, opened: Open):
    vendor.on("/api/me", answer(200, {"id": "1"}))

    async with opened(vendor) as session:
        body = await session.talk(body_of("me", query={"a": "x y", "b": [1, 2]}))

    assert body == {"id": "1"}
    assert vendor.targets == ["/api/me?a=x+y&b=1&b=2"]
    assert vendor.asked[0].headers["authorization"] == f"Bearer {SECRET}"
    assert session.requests == 1


@pytest.mark.parametrize(
    ("location", "path", "target"),
    [
        ("/burp/", "graphql/v1", "/burp/graphql/v1"),
        ("/burp", "graphql/v1", "/burp/graphql/v1"),
        ("", "me", "/me"),
        ("/", "me", "/me"),
        ("/burp/", "/root", "/root"),
        ("/burp/", "", "/burp/"),
        ("/a", "projects:search?x=1", "/a/projects:search?x=1"),
        ("/a", "name%2Fwith%20slash", "/a/name%2Fwith%20slash"),
    ],
)
async def test_a_path_is_joined_to_the_location(vendor: Vendor, opened: Open, location: str, path: str, target: str):
    vendor.on(target.partition("?")[0], answer(200, {}))

    async with opened(vendor.location.removesuffix("/api/") + location) as session:
        await session.talk(body_of(path))

    assert vendor.targets == [target]


async def test_a_link_at_the_same_origin_is_followed_as_it_is(vendor: Vendor, opened: Open):
    vendor.on("/api/things", answer(200, {"data": [], "next": f"{vendor.location}more?cursor=a%2Bb"}))
    vendor.on("/api/more", answer(200, {"data": [], "next": None}))

    async with opened(vendor) as session:
        reading = session.read(things())
        await rows_of(reading)

    assert reading.outcome.complete
    assert vendor.targets == ["/api/things", "/api/more?cursor=a%2Bb"]


@pytest.mark.parametrize(
    "link", ["http://127.0.0.2:{port}/x", "https://127.0.0.1:{port}/x", "http://127.0.0.1:1/x", "//127.0.0.2/x"]
)
async def test_a_link_to_another_origin_is_refused_and_nothing_is_sent(vendor: Vendor, opened: Open, link: str):
    async with opened(vendor) as session:
        with pytest.raises(AddressRefused, match="leads to"):
            await session.talk(body_of(link.format(port=vendor.port)))

    assert vendor.asked == []
    assert session.requests == 0


@pytest.mark.parametrize("path", ["../admin", "a/../../admin", "a/%2e%2e/b", "/x/../y"])
async def test_a_path_does_not_climb_out_of_the_location(vendor: Vendor, opened: Open, path: str):
    async with opened(vendor) as session:
        with pytest.raises(VendorChanged, match="climbs"):
            await session.talk(body_of(path))

    assert vendor.asked == []


@pytest.mark.parametrize(
    "location",
    ["ftp://host/", "host/api", "http://", "http://[::1", "file:///etc/passwd", "",
     "https://host:0/", "https://host:65536/", "https://host:-1/", "https://host/\ud800"],
)  # fmt: skip
async def test_a_location_that_is_no_web_address_is_refused(opened: Open, location: str):
    async with opened(location) as session:
        with pytest.raises(AddressRefused, match="location"):
            await session.talk(body_of())


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, VendorChanged), (401, AuthRejected), (402, VendorChanged), (403, AccessDenied), (404, NotFound),
        (409, VendorChanged), (410, Incomplete), (418, VendorChanged), (422, VendorChanged), (501, VendorDown),
        (304, VendorChanged), (206, VendorChanged),
    ],
)  # fmt: skip
async def test_a_status_becomes_what_the_operator_must_do(
    vendor: Vendor, opened: Open, status: int, error: type[ConnectorError]
):
    vendor.on("/api/me", answer(status, {"error": {"message": "No such luck."}} if status != 304 else None))

    async with opened(vendor) as session:
        with pytest.raises(error, match=str(status)) as caught:
            await session.talk(body_of())

    assert type(caught.value) is error
    assert caught.value.status == status
    assert len(vendor.asked) == 1
    assert status in (304, 410) or "No such luck." in str(caught.value)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529])
async def test_a_passing_failure_is_asked_again(vendor: Vendor, opened: Open, naps: Naps, status: int):
    vendor.on("/api/me", answer(status), answer(200, {"id": "1"}))

    async with opened(vendor) as session:
        assert await session.talk(body_of()) == {"id": "1"}

    assert len(vendor.asked) == session.requests == 2
    assert 0.4 < sum(naps) <= 1.1
    assert session.seconds["vendor"] == pytest.approx(sum(naps), abs=0.5)
    assert session.seconds["rate"] == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("body", ["no gzip", "broken off"])
async def test_the_status_of_a_refusal_counts_though_its_body_cannot_be_read(vendor: Vendor, opened: Open, body: str):
    damaged = answer(401, b"no gzip at all", Content_Encoding="gzip")

    async def break_off(writer: asyncio.StreamWriter) -> None:
        writer.write(answer(401, {"message": "The token has expired."})[:-5])
        await writer.drain()

    vendor.on("/api/me", damaged if body == "no gzip" else break_off)

    async with opened(vendor) as session:
        with pytest.raises(AuthRejected, match="answered 401"):
            await session.talk(body_of())

    assert len(vendor.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_failure_that_does_not_pass_is_the_vendors(vendor: Vendor, opened: Open, naps: Naps, status: int):
    vendor.on("/api/me", answer(status))

    async with opened(vendor) as session:
        with pytest.raises(VendorDown, match=f"answers {status}, 5 times running"):
            await session.talk(body_of())

    assert len(vendor.asked) == 5
    assert naps == sorted(naps)
    assert sum(naps) > 5


async def test_the_budget_of_repetitions_ends(vendor: Vendor, opened: Open):
    vendor.on("/api/me", answer(500))

    async with opened(vendor, limits=replace(PATIENT, retries=6)) as session:
        for _ in range(3):
            with pytest.raises(VendorDown) as last:
                await session.talk(body_of())

    assert len(vendor.asked) == 6 + 3
    assert "too many" in str(last.value)


@pytest.mark.parametrize("status", [500, 503])
async def test_what_may_act_twice_is_not_asked_twice(vendor: Vendor, opened: Open, status: int):
    vendor.on("/api/export", answer(status))

    async with opened(vendor) as session:
        with pytest.raises(VendorDown, match="twice"):
            await session.talk(body_of("export", method="POST", json={}))

    assert len(vendor.asked) == 1


@pytest.mark.parametrize("failure", [500, 502, "silence"])
async def test_a_post_that_only_reads_is_asked_again(vendor: Vendor, opened: Open, failure: int | str):
    async def hang_up(writer: asyncio.StreamWriter) -> None:
        """Answers nothing: it may have acted."""

    vendor.on("/api/search", hang_up if failure == "silence" else answer(int(failure)), answer(200, {"data": []}))

    async with opened(vendor) as session:
        assert await session.talk(body_of("search", method="POST", json={"q": 1}, safe=True)) == {"data": []}

    assert [asked.body for asked in vendor.asked] == [b'{"q":1}'] * 2


async def test_a_status_that_a_question_names_is_an_answer_too(vendor: Vendor, opened: Open):
    """Tenable answers 409 with the export that runs already."""
    vendor.on("/api/export", answer(409, {"active_job_id": "j1"}))

    async with opened(vendor) as session:
        assert await session.talk(body_of("export", method="POST", also=frozenset({409}))) == {"active_job_id": "j1"}
        with pytest.raises(VendorChanged, match="answered 409"):
            await session.talk(body_of("export", method="POST"))


async def test_a_post_that_was_turned_away_is_asked_again(vendor: Vendor, opened: Open):
    vendor.on("/api/export", answer(429), answer(200, {"id": 1}))

    async with opened(vendor) as session:
        assert await session.talk(body_of("export", method="POST", json={"a": "é"})) == {"id": 1}

    assert [asked.body for asked in vendor.asked] == ['{"a":"é"}'.encode()] * 2


async def test_a_graphql_query_is_asked_again(vendor: Vendor, opened: Open):
    vendor.on("/api/graphql", answer(502), answer(200, {"data": {"me": 1}, "errors": []}))

    async with opened(vendor) as session:
        assert (await session.talk(_graphql()))["data"] == {"me": 1}


def _graphql():
    page = yield graphql("query Me { me }", n=1)
    return page.body


def _in(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("after", "low", "high"),
    [
        ("7", 6.9, 7.1),
        ("in 20 seconds of the vendor's own clock", 19, 21),
        ("soon", 0.4, 1.1),
        ("-5", 0.4, 1.1),
        ("0", 0.4, 1.1),
        ("7.5", 0.4, 1.1),
        ("", 0.4, 1.1),
        ("nan", 0.4, 1.1),
        ("Wed, 99 Foo 2026 00:00:00 GMT", 0.4, 1.1),
        ("Wed, 01 Jan 99999999999999999999 00:00:00 GMT", 0.4, 1.1),
    ],
)
async def test_retry_after_is_honoured(vendor: Vendor, opened: Open, naps: Naps, after: str, low: float, high: float):
    headers = {"Retry_After": after}
    if after.startswith("in 20 seconds"):
        headers = {"Retry_After": _in(86_400 + 20), "Date": _in(86_400)}
    vendor.on("/api/me", answer(429, None, **headers), answer(200, {}))

    async with opened(vendor) as session:
        await session.talk(body_of())

    assert low <= sum(naps) <= high


@pytest.mark.parametrize("after", ["301", "99999999999999999999", "future"])
async def test_nobody_waits_longer_than_five_minutes(vendor: Vendor, opened: Open, naps: Naps, after: str):
    vendor.on("/api/me", answer(503, None, Retry_After=_in(4000) if after == "future" else after))

    async with opened(vendor) as session:
        with pytest.raises(VendorDown, match=r"asks to wait [\d,]+ seconds, longer than the 300"):
            await session.talk(body_of())

    assert naps == []
    assert len(vendor.asked) == 1


async def test_a_403_with_a_time_to_wait_is_a_rate_limit(vendor: Vendor, opened: Open, naps: Naps):
    vendor.on("/api/me", answer(403, None, Retry_After="9"), answer(200, {}))

    async with opened(vendor) as session:
        await session.talk(body_of())

    assert sum(naps) == pytest.approx(9, abs=0.2)


async def test_the_rate_is_kept_and_halved_by_a_429(vendor: Vendor, opened: Open, naps: Naps):
    vendor.on("/api/me", *[answer(200, {})] * 3, answer(429, None, Retry_After="50"), answer(200, {}))
    door = Http(vendor.location, per_second=2)

    async with opened(Plain(door)) as session:
        for _ in range(3):
            await session.talk(body_of())
        before = list(naps)
        naps.clear()
        for _ in range(3):
            await session.talk(body_of())

    assert sum(before) == pytest.approx(1, abs=0.2)  # three questions, half a second between two
    assert sum(naps) == pytest.approx(0.5 + 50 + 1 + 1, abs=0.6)  # the rate is now one a second


@pytest.mark.parametrize("status", [429, 503, 403])
async def test_one_limit_holds_every_task_of_the_session(vendor: Vendor, opened: Open, naps: Naps, status: int):
    vendor.on("/api/a", answer(status, None, Retry_After="60"), answer(200, {}))
    vendor.on("/api/b", answer(200, {}))

    async with opened(vendor, limits=replace(PATIENT, tries=1)) as session:
        with pytest.raises(VendorDown):
            await session.talk(body_of("a"))
        await session.talk(body_of("b"))

    assert sum(naps) == pytest.approx(60, abs=1)


# The connection


async def test_no_proxy_and_no_netrc_of_the_environment_is_used(
    vendor: Vendor, opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """promises.md *Outgoing requests*: behind a proxy the address could not be checked."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:1")
    vendor.on("/api/me", answer(200, {"id": 1}))

    async with opened(Plain(Http(vendor.location))) as session:
        assert await session.talk(body_of()) == {"id": 1}

    assert "authorization" not in vendor.asked[0].headers


async def test_a_refused_connection_says_so(vendor: Vendor, opened: Open):
    await vendor.stop()

    async with opened(vendor) as session:
        with pytest.raises(VendorDown, match="the connection is refused, 5 times"):
            await session.talk(body_of())
    await vendor.start()


async def test_a_name_that_does_not_resolve_says_so(opened: Open):
    async with opened("http://no-such-host.invalid/") as session:
        with pytest.raises(VendorDown, match="name does not resolve"):
            await session.talk(body_of())


async def test_a_connection_that_never_comes_up_ends(opened: Open):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never says a word of TLS
        location = f"https://127.0.0.1:{silent.getsockname()[1]}/"

        async with opened(location, limits=replace(PATIENT, connect=0.1, tries=2)) as session:
            with pytest.raises(VendorDown, match=r"no connection within 0\.1 seconds, 2 times"):
                await session.talk(body_of())


async def _silence(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()
    await asyncio.sleep(30)


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _break_off(writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id": 1}')
    await writer.drain()


async def _nothing(writer: asyncio.StreamWriter) -> None:
    return


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (_silence, "nothing came for 0.1 seconds"),
        (_break_off, "broke off or is not HTTP"),
        (_nothing, "broke off or is not HTTP"),
    ],
)
async def test_a_broken_answer_is_asked_again_then_told(vendor: Vendor, opened: Open, fault: Any, words: str):
    vendor.on("/api/once", fault, answer(200, {"id": 1}))
    vendor.on("/api/ever", fault)

    async with opened(vendor, limits=replace(PATIENT, read=0.1, tries=3)) as session:
        assert await session.talk(body_of("once")) == {"id": 1}
        with pytest.raises(VendorDown, match=f"{words}, 3 times"):
            await session.talk(body_of("ever"))


async def test_something_that_is_not_http_is_told(vendor: Vendor, opened: Open):
    vendor.on("/api/me", b"SSH-2.0-OpenSSH_9.6\r\n\r\n")

    async with opened(vendor) as session:
        with pytest.raises(VendorDown, match="is not HTTP"):
            await session.talk(body_of())


async def test_one_byte_at_a_time_ends(vendor: Vendor, opened: Open):
    vendor.on("/api/me", _drip)

    async with opened(vendor, limits=replace(PATIENT, page_seconds=0.4)) as session:
        with pytest.raises(VendorDown, match="did not end within"):
            await session.talk(body_of())


# Bodies


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw deflate", "two members", "identity"])
async def test_a_compressed_body_is_read_whole(vendor: Vendor, opened: Open, encoding: str):
    plain = json.dumps({"id": "x" * 3 * MB}).encode()
    packed = {
        "gzip": gzip.compress(plain),
        "deflate": zlib.compress(plain),
        "raw deflate": zlib.compress(plain)[2:-4],
        "two members": gzip.compress(plain[:1000]) + gzip.compress(plain[1000:]),
        "identity": plain,
    }[encoding]
    name = {"raw deflate": "deflate", "two members": "gzip"}.get(encoding, encoding)
    vendor.on("/api/me", answer(200, packed, Content_Encoding=name))

    async with opened(vendor) as session:
        assert len((await session.talk(body_of()))["id"]) == 3 * MB


async def test_a_gzip_bomb_is_not_unpacked(vendor: Vendor, opened: Open):
    bomb = gzip.compress(bytes(200 * MB), 9)
    vendor.on("/api/me", answer(200, bomb, Content_Encoding="gzip"))

    async with opened(vendor) as session:
        with pytest.raises(VendorChanged, match="more than 16,777,216 bytes"):
            await session.talk(body_of())

    assert len(bomb) < MB


@pytest.mark.parametrize("size", [16 * MB, 16 * MB + 1])
async def test_a_page_may_have_16_mb(vendor: Vendor, opened: Open, size: int):
    vendor.on("/api/me", answer(200, b'"' + b"x" * (size - 2) + b'"'))

    async with opened(vendor) as session:
        if size > 16 * MB:
            with pytest.raises(VendorChanged, match="more than"):
                await session.talk(body_of())
        else:
            assert len(await session.talk(body_of())) == size - 2


@pytest.mark.parametrize(
    ("packed", "encoding", "words"),
    [
        (gzip.compress(b'{"a": 1}', mtime=0)[:-9], "gzip", "cut off"),
        (b"no gzip at all", "gzip", "damaged"),
        (b"{}", "br", "not asked for"),
    ],
)
async def test_a_damaged_encoding_is_told(vendor: Vendor, opened: Open, packed: bytes, encoding: str, words: str):
    vendor.on("/api/me", answer(200, packed, Content_Encoding=encoding))

    async with opened(vendor) as session:
        with pytest.raises(VendorChanged, match=words):
            await session.talk(body_of())


@pytest.mark.parametrize("step", [answer(204), answer(200), answer(200, b"  \n")])
async def test_an_empty_answer_is_not_data(vendor: Vendor, opened: Open, step: bytes):
    vendor.on("/api/me", step)

    async with opened(vendor) as session:
        with pytest.raises(VendorChanged, match="empty body"):
            await session.talk(body_of())


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><title>Sign in</title>", b"\n<html lang=de>", b"<!-- x --><HTML>"])
async def test_a_login_page_is_called_one(vendor: Vendor, opened: Open, page: bytes):
    vendor.on("/api/me", answer(200, page, Content_Type="text/html"))

    async with opened(vendor) as session:
        with pytest.raises(VendorChanged, match="a login page"):
            await session.talk(body_of())


# Redirects


async def test_a_redirect_within_the_origin_is_followed(vendor: Vendor, opened: Open):
    vendor.on("/api/me", answer(302, None, Location="/api/v2/me"))
    vendor.on("/api/v2/me", answer(200, {"id": 2}))

    async with opened(vendor) as session:
        assert await session.talk(body_of()) == {"id": 2}

    assert vendor.asked[1].headers["authorization"] == f"Bearer {SECRET}"


async def test_a_redirect_loop_ends(vendor: Vendor, opened: Open):
    vendor.on("/api/me", answer(302, None, Location="/api/me"))

    async with opened(vendor) as session:
        with pytest.raises(VendorChanged, match="redirected without end"):
            await session.talk(body_of())

    assert len(vendor.asked) == 6


async def test_a_redirect_to_another_host_is_refused_and_gets_nothing(vendor: Vendor, opened: Open):
    other = Vendor()
    await other.start()
    vendor.on("/api/me", answer(307, None, Location=f"{other.location}me?token={SECRET}"))
    other.on("/api/me", answer(200, {"id": "stolen"}))

    async with opened(vendor) as session:
        with pytest.raises(AddressRefused, match=f"redirected to http://127.0.0.1:{other.port}, away") as caught:
            await session.talk(body_of())
    await other.stop()

    assert other.asked == []
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "target", "sent"),
    [
        ("https://vendor.test/", "http://vendor.test/x", None),
        ("https://vendor.test/", "https://vendor.test:8443/x", None),
        ("https://vendor.test/", "https://vendor.test.evil.example/x", None),
        ("http://vendor.test:8080/", "https://vendor.test/x", None),
        ("http://vendor.test/", "https://vendor.test:8443/x", None),
        ("http://vendor.test/", "https://vendor.test/x", f"Bearer {SECRET}"),
        ("https://vendor.test/", "https://vendor.test:443/x", f"Bearer {SECRET}"),
    ],
)
async def test_only_an_upgrade_to_https_may_leave_the_origin(
    opened: Open, location: str, target: str, sent: str | None
):
    asked: list[httpx2.Request] = []

    def reply(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(302, headers={"location": target}) if len(asked) == 1 else httpx2.Response(200, json=1)

    async with opened(location, transport=httpx2.MockTransport(reply)) as session:
        if sent is None:
            with pytest.raises(AddressRefused, match="redirected"):
                await session.talk(body_of())
            assert len(asked) == 1
        else:
            assert await session.talk(body_of()) == 1
            assert asked[1].headers["authorization"] == sent


async def test_a_redirect_back_from_https_is_refused(opened: Open):
    hops = {"http": "https://vendor.test/x", "https": "http://vendor.test/y"}

    def reply(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(302, headers={"location": hops[request.url.scheme]})

    async with opened("http://vendor.test/", transport=httpx2.MockTransport(reply)) as session:
        with pytest.raises(AddressRefused, match="from https to http"):
            await session.talk(body_of())


async def test_a_redirect_does_not_turn_a_post_into_a_get(vendor: Vendor, opened: Open):
    vendor.on("/api/graphql", answer(302, None, Location="/api/login"))

    async with opened(vendor) as session:
        with pytest.raises(VendorChanged, match="drops its content"):
            await session.talk(_graphql())


# What the vendor says in words


@pytest.mark.parametrize(
    ("errors", "error"),
    [
        ([{"message": "x", "extensions": {"code": "UNAUTHENTICATED"}}], AuthRejected),
        ([{"message": "Invalid API key"}], AuthRejected),
        ([{"message": "The token has expired"}], AuthRejected),
        ([{"message": "x", "type": "FORBIDDEN"}], AccessDenied),
        ([{"message": "You do not have permission to see this."}], AccessDenied),
        ([{"message": "Unauthorized thing", "extensions": {"code": "FORBIDDEN"}}], AccessDenied),
        ([{"message": "x", "type": "RATE_LIMITED"}], VendorDown),
        ([{"message": "Cannot query field 'sits'"}], VendorChanged),
        ({"message": "odd form"}, VendorChanged),
        ("plain words", VendorChanged),
    ],
)
async def test_graphql_errors_are_failures(vendor: Vendor, opened: Open, errors: Any, error: type[ConnectorError]):
    vendor.on("/api/graphql", answer(200, {"data": {"me": 1}, "errors": errors}))

    async with opened(vendor) as session:
        with pytest.raises(error) as caught:
            await session.talk(_graphql())

    assert type(caught.value) is error


@pytest.mark.parametrize("size", [1, 1_000_000])
async def test_a_vendor_cannot_keep_the_session_busy_with_its_words(vendor: Vendor, opened: Open, size: int):
    vendor.on("/api/graphql", answer(200, {"errors": [{"extensions": {"code": "authenticat" * size}}]}))

    async with opened(vendor) as session:
        with pytest.raises(VendorChanged):
            await session.talk(_graphql())


@pytest.mark.parametrize("before", [*range(250, 300, 7), *range(940, 1_000, 7)])
async def test_no_half_of_a_secret_is_left_where_a_message_is_cut(vendor: Vendor, opened: Open, before: int):
    token = "0123456789" * 3
    vendor.on("/api/me", answer(400, {"message": "x" * before + token + "y" * 2_000}))
    header = Header("X-Token", SecretStr(token))

    async with opened(Plain(Http(vendor.location, header), token)) as session:
        with pytest.raises(VendorChanged) as caught:
            await session.talk(body_of())

    assert "012" not in str(caught.value)
    assert len(caught.value.what) <= 1_001


@pytest.mark.parametrize("status", [200, 400])
async def test_a_tool_may_know_better_what_a_body_means(vendor: Vendor, opened: Open, status: int):
    vendor.on("/api/me", answer(status, {"fault": "session gone"}))
    tool = Plain(vendor.location)
    tool.known_refusal = lambda body: AuthRejected("The session is gone.") if body.get("fault") else None

    async with opened(tool) as session:
        with pytest.raises(AuthRejected, match="session is gone"):
            await session.talk(body_of())


async def test_a_tool_that_fails_to_judge_a_body_is_told(vendor: Vendor, opened: Open):
    vendor.on("/api/me", answer(200, []))
    tool = Plain(vendor.location)
    tool.known_refusal = lambda body: body["error"]

    async with opened(tool) as session:
        with pytest.raises(VendorChanged, match=r"connector for Plain failed \(TypeError"):
            await session.talk(body_of())


async def test_a_tool_that_cannot_name_its_door_is_told(opened: Open):
    class Doorless(Plain):
        def door(self) -> Any:
            raise ValueError(f"no such region: {SECRET}")

    with pytest.raises(VendorChanged, match="no such region: •••"):
        async with opened(Doorless("")):
            pass


@pytest.mark.parametrize("token", ["tök-en-1234", "token 1234\n", "to\nken-1234", " token-1234"])
async def test_a_credential_that_cannot_be_sent_is_told_without_quoting_it(vendor: Vendor, opened: Open, token: str):
    tool = Plain(Http(vendor.location), token)
    tool._door = Http(vendor.location, Header("X-Token", tool.settings.token))

    async with opened(tool) as session:
        with pytest.raises(AuthRejected, match="cannot be sent") as caught:
            await session.talk(body_of())

    assert "1234" not in str(caught.value)
    assert vendor.asked == []


async def test_an_auth_that_fails_is_told(vendor: Vendor, opened: Open):
    class Broken:
        def headers(self) -> dict[str, str]:
            raise KeyError(SECRET)

    async with opened(Plain(Http(vendor.location, Broken()))) as session:
        with pytest.raises(VendorChanged, match="connector for the credential failed") as caught:
            await session.talk(body_of())

    assert SECRET not in str(caught.value)
    assert vendor.asked == []


async def test_the_library_below_writes_no_headers_into_the_log(
    vendor: Vendor, opened: Open, caplog: pytest.LogCaptureFixture
):
    """promises.md, invariant 7: a vendor may repeat a credential in a header too."""
    caplog.set_level(logging.DEBUG)
    vendor.on("/api/me", answer(200, {"id": 1}, Set_Cookie=f"session={SECRET}"))

    async with opened(vendor) as session:
        await session.talk(body_of())

    assert SECRET not in caplog.text


async def test_every_request_is_logged_without_secrets(vendor: Vendor, opened: Open, log: Log):
    vendor.on("/api/me", answer(200, {"id": 1}))

    async with opened(vendor) as session:
        await session.talk(body_of("me", query={"key": SECRET, "access_token": "another", "page": 2}))

    [line] = log
    assert line["url"].endswith("/api/me?key=•••&access_token=•••&page=2")
    assert (line["event"], line["method"], line["status"], line["bytes"]) == ("vendor.asked", "GET", 200, 9)
    assert line["ms"] >= 0


async def test_no_line_of_the_log_holds_a_secret(vendor: Vendor, opened: Open, log: Log):
    path = f"keys/{SECRET}"
    vendor.on(f"/api/{path}", answer(500), answer(200, {}))

    async with opened(vendor) as session:
        await session.talk(body_of(path))

    assert [line["event"] for line in log] == ["vendor.asked", "vendor.again", "vendor.asked"]
    assert SECRET not in str(log)
    assert log[1]["question"] == "GET keys/•••"


async def test_a_question_that_is_no_json_is_told(vendor: Vendor, opened: Open):
    async with opened(vendor) as session:
        with pytest.raises(VendorChanged, match="not JSON"):
            await session.talk(body_of("me", method="POST", json={"x": object()}))


async def test_a_given_transport_is_left_open(opened: Open):
    class Given(httpx2.MockTransport):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    transport = Given(lambda request: httpx2.Response(200, json=1))

    async with opened("http://vendor.test/", transport=transport) as session:
        assert await session.talk(body_of()) == 1

    assert not transport.closed


async def test_a_session_must_be_opened(opened: Open):
    with pytest.raises(RuntimeError, match="Open the Session first"):
        opened("http://vendor.test/").read(things())


def test_an_ask_keeps_its_own_query():
    assert Ask("a", {"x": 1}).more(y=2).query == {"x": 1, "y": 2}
