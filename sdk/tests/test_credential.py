"""What a credential says of its own end, whatever a person may have pasted."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sdk.tests.conftest import Open
from sdk.tests.plain import Plain
from tidegate_sdk import Account, Ask, Talk, VendorChanged, jwt_end

# https://datatracker.ietf.org/doc/html/rfc7519#section-3.1
RFC7519 = (
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).decode().rstrip("=")


def token(claims: Any, header: Any = None) -> str:
    return f"{part(header or {'alg': 'HS256'})}.{part(claims)}.c2ln"


def test_the_example_of_the_standard_ends_when_it_says():
    assert jwt_end(RFC7519) == datetime(2011, 3, 22, 18, 43, tzinfo=UTC)


def test_space_around_a_pasted_token_does_not_hide_its_end():
    assert jwt_end(f"\n {RFC7519} \n") == jwt_end(RFC7519)


@pytest.mark.parametrize("padding", range(4))
def test_every_length_of_the_claims_is_read(padding: int):
    assert jwt_end(token({"exp": 1_900_000_000, "sub": "x" * padding})) == datetime(2030, 3, 17, 17, 46, 40, tzinfo=UTC)


def test_a_fraction_of_a_second_is_kept():
    assert jwt_end(token({"exp": 1_900_000_000.5})) == datetime(2030, 3, 17, 17, 46, 40, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "exp",
    [
        None, True, False, "1900000000", "soon", [], {}, [1_900_000_000], {"exp": 1_900_000_000}, 0, -1,
        1_900_000_000_000, 10**30, 1e300, -1e300, 253_402_300_800,
    ],
)  # fmt: skip
def test_an_end_that_makes_no_sense_is_none(exp: Any):
    assert jwt_end(token({"exp": exp})) is None


@pytest.mark.parametrize(
    "text",
    [
        "", " ", ".", "..", "...", "a.b.c", "glpat-0123456789abcdefghij", "Bearer", "http://a.b.c/", "1.2.3", "é.é.é",
        "\0.\0.\0", "\ud800.\ud800.\ud800",
        f"{part({'alg': 'x'})}.{part({'exp': 1_900_000_000})}",
        f"{part({'alg': 'x'})}.{part({'exp': 1_900_000_000})}.a.b.c",
        f"{part({'alg': 'x'})}.{part({'exp': 1_900_000_000})}!.a",
        token({}), token([]), token(1_900_000_000), token("exp"), token(None), token({"a": {"exp": 1_900_000_000}}),
        token(b"\xff\xfe"), token(b""), token(b"{"), token(b'{"exp": NaN}'), token(b'{"exp": Infinity}'),
        token(b'{"exp": 1e999}'), token(b'{"exp": 1%s}' % (b"0" * 5_000)),
        token(b"[" * 20_000), token(b'{"exp":' + b"[" * 20_000), token(b'{"a":' * 5_000),
        token({"exp": 1_900_000_000}, header=[1]), token({"exp": 1_900_000_000}, header=b"no"),
        token({"exp": 1_900_000_000, "pad": "x" * 100_000}),
    ],
)  # fmt: skip
def test_what_is_no_token_has_no_end(text: str):
    assert jwt_end(text) is None


@given(st.one_of(st.text(), st.binary().map(lambda data: f"{part({'alg': 1})}.{part(data)}.x")))
@example("\x1f..")
def test_no_text_is_too_odd(text: str):
    assert jwt_end(text) is None or isinstance(jwt_end(text), datetime)


def test_an_account_says_when_its_credential_ends_in_a_time_with_a_zone():
    ends = datetime(2030, 1, 1, tzinfo=timezone(timedelta(hours=2)))

    assert Account(id="1").credential_ends is None
    assert Account(id="1", credential_ends=ends).credential_ends == ends
    with pytest.raises(ValueError, match="without a zone"):
        Account(id="1", credential_ends=datetime(2030, 1, 1))  # noqa: DTZ001 - the fault


async def test_a_time_without_a_zone_is_the_connectors_fault_and_no_crash(opened: Open):
    class Careless(Plain):
        def account(self) -> Talk[Account]:
            page = yield Ask("me")
            return Account(id="1", credential_ends=datetime.fromisoformat(page.body["expires"]))

    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json={"expires": "2030-01-01T00:00:00"}))

    async with opened(Careless("https://acme.test/"), transport=transport) as session:
        with pytest.raises(VendorChanged, match="without a zone"):
            await session.talk(session.tool.account())
