"""A server that asks who we are: what we show it, and what is said where that does not do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme
from pydantic import SecretStr, ValidationError

from sdk.tests.authority import key_of, pem_of, secure_vendor, turning_away
from sdk.tests.conftest import Open
from sdk.tests.plain import Log, Plain, body_of
from tidegate_sdk import ClientCertificate, ClientCertificateRefused, Http, HttpSettings

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ours(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("tidegate.test")


@pytest.fixture(scope="module")
def theirs(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("localhost")


def door(location: str, authority: trustme.CA, client: ClientCertificate | None) -> Plain:
    return Plain(Http(location, certificates=authority.cert_pem.bytes().decode(), client=client))


def client(certificate: str, key: str, password: str = "") -> ClientCertificate:
    return ClientCertificate(certificate, SecretStr(key), SecretStr(password) if password else None)


async def refusal(opened: Open, authority: trustme.CA, shown: ClientCertificate) -> str:
    """What is said of a certificate that cannot even be shown; no connection is made."""
    async with opened(door("https://127.0.0.1:1/", authority, shown)) as session:
        with pytest.raises(ClientCertificateRefused) as told:
            await session.talk(body_of())
    return str(told.value)


async def test_one_that_has_expired_is_told_before_anything_is_asked(authority: trustme.CA, opened: Open):
    now = datetime.now(UTC)
    old = authority.issue_cert("tidegate.test", not_before=now - 9 * DAY, not_after=now - DAY)

    told = await refusal(opened, authority, client(pem_of(old), key_of(old)))

    assert f"expired on {now - DAY:%Y-%m-%d}" in told
    assert "new one issued" in told


async def test_one_of_tomorrow_is_told(authority: trustme.CA, opened: Open):
    now = datetime.now(UTC)
    young = authority.issue_cert("tidegate.test", not_before=now + DAY, not_after=now + 9 * DAY)

    assert "holds from" in await refusal(opened, authority, client(pem_of(young), key_of(young)))


@pytest.mark.parametrize("kind", [trustme.KeyType.ECDSA, trustme.KeyType.RSA])
async def test_a_key_of_another_certificate_is_told(
    authority: trustme.CA, ours: trustme.LeafCert, opened: Open, kind: trustme.KeyType
):
    other = authority.issue_cert("other.test", key_type=kind)

    assert "does not belong" in await refusal(opened, authority, client(pem_of(ours), key_of(other)))


async def test_an_encrypted_key_without_its_password_is_told_and_nobody_is_asked_at_the_terminal(
    authority: trustme.CA, ours: trustme.LeafCert, opened: Open
):
    told = await refusal(opened, authority, client(pem_of(ours), key_of(ours, "open sesame")))

    assert "is encrypted, and its password is missing" in told
    assert "client_key_password" in told


async def test_a_wrong_password_is_told(authority: trustme.CA, ours: trustme.LeafCert, opened: Open):
    shown = client(pem_of(ours), key_of(ours, "open sesame"), "close sesame")

    assert "cannot be opened with its password" in await refusal(opened, authority, shown)


@pytest.mark.parametrize("what", ["hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", ""])
async def test_what_is_no_certificate_is_told(authority: trustme.CA, ours: trustme.LeafCert, opened: Open, what: str):
    assert "cannot be read" in await refusal(opened, authority, client(what, key_of(ours)))


async def test_what_is_no_key_is_told(authority: trustme.CA, ours: trustme.LeafCert, opened: Open):
    assert "is missing" in await refusal(opened, authority, ClientCertificate(pem_of(ours)))
    assert "cannot be read" in await refusal(opened, authority, client(pem_of(ours), "hello"))


def test_a_key_among_what_is_shown_in_the_clear_is_refused(ours: trustme.LeafCert):
    for field in ("certificate", "client_certificate"):
        with pytest.raises(ValidationError, match="give it as client_key"):
            HttpSettings.model_validate({field: pem_of(ours) + key_of(ours)})


async def test_a_server_that_asks_for_one_and_gets_none_is_told(
    authority: trustme.CA, theirs: trustme.LeafCert, opened: Open
):
    with turning_away(theirs, authority) as location:
        async with opened(door(location, authority, None)) as session:
            with pytest.raises(ClientCertificateRefused, match=r"asks for a client certificate.*client_key"):
                await session.talk(body_of())


async def test_one_of_an_authority_that_the_server_does_not_know_is_told(
    authority: trustme.CA, theirs: trustme.LeafCert, opened: Open
):
    stranger = trustme.CA().issue_cert("tidegate.test")
    shown = client(pem_of(stranger), key_of(stranger))
    with turning_away(theirs, authority) as location:
        async with opened(door(location, authority, shown)) as session:
            with pytest.raises(ClientCertificateRefused, match="refuses our client certificate: it does not know who"):
                await session.talk(body_of())


@pytest.mark.parametrize("password", ["", "open sesame"])
async def test_the_right_one_opens_the_door_and_its_key_is_on_no_disk(
    authority: trustme.CA, ours: trustme.LeafCert, theirs: trustme.LeafCert, opened: Open, password: str, tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    shown = client(pem_of(ours), key_of(ours, password), password)
    async with (
        secure_vendor(theirs, asks_for=authority) as vendor,
        opened(door(vendor.location, authority, shown)) as session,
    ):
        assert await session.talk(body_of()) == {"id": 1}

    assert list(tmp_path.iterdir()) == []


async def test_no_line_of_the_key_leaves_the_session(ours: trustme.LeafCert, opened: Open, log: Log):
    from pydantic import BaseModel

    from tidegate_sdk.redaction import Redactor
    from tidegate_sdk.tool import _secrets_in

    class Entered(BaseModel):
        client_key: SecretStr

    redactor = Redactor(_secrets_in(Entered(client_key=SecretStr(key_of(ours)))))
    lines = [line for line in key_of(ours).splitlines() if "-----" not in line]

    assert lines
    for line in lines:
        assert line not in redactor.text(f"OpenSSL cannot read {line!r}")
