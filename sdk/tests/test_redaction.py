"""No secret leaves, however it is spelled."""

from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus, urlencode

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate_sdk import AuthRejected
from tidegate_sdk.redaction import Redactor

BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # as a machine may be

SECRET = 'p@ss/w+rd "é" <1>?='


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        re.sub("%..", lambda found: found[0].lower(), quote(SECRET, safe="")),
        urlencode({"q": SECRET}),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        json.dumps(json.dumps({"a": SECRET})),
        json.dumps(SECRET).replace("/", "\\/"),
        html.escape(SECRET),
        repr({"a": SECRET}),
        quote(SECRET, safe="!*'()"),
        quote(quote(SECRET)),
        json.dumps(json.dumps(json.dumps({"a": SECRET}))),
        json.dumps({"a": quote(SECRET, safe="")}),
        re.sub(r"\\u....", lambda found: "\\u" + found[0][2:].upper(), json.dumps(SECRET)),
        re.sub('[<>@"]', lambda found: f"\\u{ord(found[0]):04x}", SECRET),
        "".join(f"&#{ord(char)};" if char in '@/+"é<>' else char for char in SECRET),
        html.escape(html.escape(SECRET)),
        str(httpx2.URL("https://vendor.test/", params={"q": SECRET})),
        str(httpx2.URL(f"https://vendor.test/{quote(SECRET, safe='@/+')}/x")),
    ],
)
def test_every_spelling_is_masked(text: str):
    masked = Redactor([SECRET]).text(f"before {text} after")

    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert "•••" in masked
    assert not re.search(r"ss.{1,3}w|rd", masked)


AROUND = st.binary(max_size=6).map(lambda data: bytes(byte % 8 for byte in data))  # nothing a secret is made of


DISTINCT = st.lists(st.characters(min_codepoint=33, codec="utf-8"), min_size=8, unique=True).map("".join)


@BUSY
@given(AROUND, DISTINCT, AROUND, st.booleans())
def test_a_secret_inside_base64_is_masked(before: bytes, secret: str, after: bytes, urlsafe: bool):
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    text = encode(before + secret.encode() + after).decode()

    masked = Redactor([secret]).text(f"Authorization: Basic {text}")

    # Nothing is left that says more than what stands before and after the secret.
    left = masked.removeprefix("Authorization: Basic ")
    assert "•••" in left
    head, _, tail = left.partition("•••")
    assert len(head) <= len(before) * 8 // 6
    assert len(tail.rstrip("=")) <= -(-len(after) * 8 // 6)


@BUSY
@given(st.lists(st.text(min_size=4), min_size=1, max_size=4), st.text(), st.text())
def test_no_secret_is_left_in_any_text(secrets: list[str], before: str, after: str):
    masked = Redactor(secrets).text(before + secrets[0] + after)

    assert "•••" in masked


def test_a_secret_that_contains_another_leaves_no_tail():
    assert Redactor(["abcd", "abcdefgh"]).text("abcdefgh abcd") == "••• •••"


def test_a_secret_pasted_with_a_line_break_is_found_without_it():
    assert Redactor(["abcdefgh\n"]).text("key abcdefgh!") == "key •••!"


def test_a_very_short_secret_does_not_shred_the_text():
    assert Redactor(["a", "", "abc"]).text("a banana, abc") == "a banana, abc"


def test_facts_are_scrubbed_whatever_they_are_made_of():
    fact = {"s3cret": ["s3cret", ("s3cret", 1, None, True, 2.5)], "n": Exception("s3cret")}

    assert Redactor(["s3cret"]).fact(fact) == {"•••": ["•••", ["•••", 1, None, True, 2.5]], "n": "•••"}


def test_an_error_loses_its_secrets_and_its_causes():
    try:
        try:
            raise ValueError("s3cret")
        except ValueError as cause:
            raise AuthRejected("it says s3cret", "enter s3cret again") from cause
    except AuthRejected as error:
        scrubbed = Redactor(["s3cret"]).error(error)

    assert str(scrubbed) == "it says ••• enter ••• again"
    assert scrubbed.args == ("it says •••",)
    assert scrubbed.__cause__ is None
    assert scrubbed.__context__ is None


@pytest.mark.parametrize(
    "name", ["token", "access_token", "api_key", "apiKey", "X-Amz-Signature", "client_secret", "sig", "x-sig"]
)
def test_a_parameter_named_like_a_credential_is_masked(name: str):
    assert Redactor([]).url(f"https://h/x?a=1&{name}=v%20w&b=2") == f"https://h/x?a=1&{name}=•••&b=2"


def test_a_long_url_is_looked_at_in_no_time():
    assert Redactor([]).url("https://h/?" + "token" * 1_000_000 + "?token=1").endswith("?token=•••")


def test_an_error_loses_its_notes_and_what_is_too_long():
    error = AuthRejected("it says " + "x" * 5_000)
    error.add_note("s3cret")

    scrubbed = Redactor(["s3cret"]).error(error)

    assert len(str(scrubbed)) < 1_100
    assert not getattr(scrubbed, "__notes__", [])


@pytest.mark.parametrize("size", [1, 7, 50, 10_000])
def test_an_echo_is_heard_in_pieces_of_any_size(size: int):
    secret = "p@ss/w+rd-of-the-vendor"
    body = b"x" * 3_000 + quote(secret, safe="").encode() + b"y" * 3_000
    silent, heard = Redactor([secret]).listener(), Redactor([secret]).listener()

    for at in range(0, len(body), size):
        heard.hear(body[at : at + size])
        silent.hear(body[at : at + size].replace(b"w", b"v"))

    assert heard.heard
    assert not silent.heard


@pytest.mark.parametrize("cut", range(90, 130))
def test_half_a_secret_is_not_left_by_cutting(cut: int):
    secret = "0123456789" * 4
    text = "x" * 60 + secret + "y" * 30 + secret + "z" * 500

    shortened = Redactor([secret]).shortened(text, cut)

    assert "0" not in shortened.replace("•••", "")
    assert len(shortened) <= cut + 1
