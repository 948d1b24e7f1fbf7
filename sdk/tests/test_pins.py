"""A pinned certificate: another one gets nothing to read."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
import trustme
from pydantic import ValidationError

from sdk.tests.authority import fingerprints, pem_of, secure_vendor, times_of
from sdk.tests.conftest import Open
from sdk.tests.plain import Plain, body_of
from tidegate_sdk import CertificateUnknown, Http, HttpSettings, PinMismatch, certificate

OTHER = "ab" * 32


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def shown(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("localhost")


def door(location: str, authority: trustme.CA, *pins: str, verify: bool = True) -> Plain:
    return Plain(Http(location, certificates=authority.cert_pem.bytes().decode(), verify=verify, pins=pins))


# What a person enters


@pytest.mark.parametrize(
    ("pin", "words"),
    [
        ("ab" * 20, "has 20, as a SHA-1 has"),
        (":".join(["AB"] * 16), "has 16, as an MD5 has"),
        ("sha256/" + "A" * 27 + "=", "has 20, as a SHA-1 has"),
        ("ab" * 33, "has 33, as no SHA-256 has"),
        ("the certificate", "64 hex digits or in base64"),
        ("", "has 0"),
    ],
)
def test_what_is_no_sha256_is_refused_when_it_is_entered(pin: str, words: str):
    with pytest.raises(ValidationError, match=re.escape(words)):
        HttpSettings.model_validate({"certificate_pins": [pin]})


@pytest.mark.parametrize(
    "pin",
    [
        "ab" * 32,
        "AB" * 32,
        ":".join(["Ab"] * 32),
        "sha256:" + "ab" * 32,
        "SHA256=" + "ab" * 32,
        "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=",
        "sha256//q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=",
    ],
)
def test_every_usual_spelling_of_a_fingerprint_is_the_same_pin(pin: str):
    assert HttpSettings.model_validate({"certificate_pins": [pin]}).certificate_pins == (OTHER,)


# What the server shows


async def test_another_certificate_than_the_pinned_one_gets_nothing_to_read(
    authority: trustme.CA, shown: trustme.LeafCert, opened: Open
):
    """promises.md, Attack, Outgoing requests: the pin is looked at in the handshake."""
    whole, key = fingerprints(pem_of(shown))
    async with secure_vendor(shown) as vendor, opened(door(vendor.location, authority, OTHER)) as session:
        with pytest.raises(PinMismatch, match=rf"localhost.*expected {OTHER}, got {whole} \(its key: {key}\)") as told:
            await session.talk(body_of())

        assert vendor.asked == []
        assert session.requests == 1
        assert "Ask the tool's administrator" in str(told.value)


@pytest.mark.parametrize("which", [0, 1], ids=["the certificate", "its key"])
async def test_the_pinned_certificate_or_key_is_let_pass_among_others(
    authority: trustme.CA, shown: trustme.LeafCert, opened: Open, which: int
):
    async with secure_vendor(shown) as vendor:
        pins = (OTHER, fingerprints(pem_of(shown))[which])
        async with opened(door(vendor.location, authority, *pins)) as session:
            assert await session.talk(body_of()) == {"id": 1}


async def test_a_pin_does_not_replace_the_authority_unless_a_person_says_so(shown: trustme.LeafCert, opened: Open):
    pin = fingerprints(pem_of(shown))[1]
    async with secure_vendor(shown) as vendor, opened(Plain(Http(vendor.location, pins=(pin,)))) as session:
        with pytest.raises(CertificateUnknown, match="unknown authority"):
            await session.talk(body_of())
        unverified = Http(vendor.location, verify=False, pins=(pin,))
        async with opened(Plain(unverified)) as second:
            assert await second.talk(body_of()) == {"id": 1}

    assert unverified.warning == ""
    assert Http(vendor.location, verify=False).warning != ""


async def test_a_pin_holds_also_where_verification_is_off(authority: trustme.CA, shown: trustme.LeafCert, opened: Open):
    async with secure_vendor(shown) as vendor, opened(door(vendor.location, authority, OTHER, verify=False)) as session:
        with pytest.raises(PinMismatch):
            await session.talk(body_of())

    assert vendor.asked == []


async def test_a_pin_without_tls_is_told_and_nothing_is_sent(opened: Open):
    async with opened(Plain(Http("http://127.0.0.1:1/api/", pins=(OTHER,)))) as session:
        with pytest.raises(CertificateUnknown, match=r"asked without TLS.*https://"):
            await session.talk(body_of())

    assert session.requests == 1


# What is read of a certificate


def test_fingerprints_and_times_are_those_that_another_library_reads(authority: trustme.CA):
    century = authority.issue_cert("localhost", not_after=datetime(2060, 1, 1, tzinfo=UTC))
    for leaf in (authority.issue_cert("localhost", key_type=trustme.KeyType.RSA), century):
        pem = pem_of(leaf)
        read = certificate.first_in(f"# a comment\n{pem}")

        assert (read.fingerprint, read.key) == fingerprints(pem)
        assert (read.not_before, read.not_after) == times_of(pem)


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 10, 100, 300, -1])
def test_a_cut_certificate_is_none(shown: trustme.LeafCert, cut: int):
    import ssl

    der = ssl.PEM_cert_to_DER_cert(pem_of(shown))

    with pytest.raises(ValueError, match="no certificate"):
        certificate.read(der[:cut])
