"""Whom a Connection trusts, and what is wrong with a certificate, in plain words."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import cast

import httpx2

from . import certificate
from .auth import reveal
from .errors import CertificateUnknown, ClientCertificateRefused, PinMismatch, VendorDown
from .tool import ClientCertificate, Http

SYSTEM_KNOWN_SECONDS = 60
"""How long the system's authorities are known before they are read again."""
_UNKNOWN = {2, 18, 19, 20, 21, 27}  # X509_V_ERR_*: self-signed, or an issuer that is not found or not trusted
_NOT_YET, _EXPIRED = 9, 10
_OTHER_HOST = {62, 64}
_OF_ANOTHER = {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"}  # the last: RSA for an EC key
_WITHOUT_OURS = "CERTIFICATE_REQUIRED"
_ALERTS = {
    "CERTIFICATE_EXPIRED": "says that it has expired",
    "CERTIFICATE_REVOKED": "says that it was revoked",
    "ALERT_UNKNOWN_CA": "does not know who signed it",
    "BAD_CERTIFICATE": "cannot read it",
    "UNSUPPORTED_CERTIFICATE": "takes no certificate of this kind",
    "CERTIFICATE_UNKNOWN": "does not accept it",
    "ALERT_ACCESS_DENIED": "lets its holder not in",
}
"""What a server says of our certificate, by OpenSSL's name of its alert."""
_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}


def context(door: Http) -> ssl.SSLContext:
    """The system's authorities and those of the Connection, and what we show ourselves.

    Raises CertificateUnknown, ClientCertificateRefused where these cannot be used.
    """
    own = door.certificates.strip() if door.verify and door.certificates else ""
    if not own and door.client is None:
        return _of_the_system(door.verify, int(time.monotonic() // SYSTEM_KNOWN_SECONDS))
    context = _new(door.verify)
    if own:
        try:
            context.load_verify_locations(cadata=door.certificates)
        except (ssl.SSLError, ValueError):
            raise CertificateUnknown(
                "The certificates of this Connection cannot be read.",
                "Paste them as PEM: blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.",
            ) from None
        # What a person pastes is trusted, be it a root, an intermediate or the server's own certificate.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if door.client is not None:
        _show(context, door.client)
    return context


@lru_cache(maxsize=2)
def _of_the_system(verify: bool, _since: int) -> ssl.SSLContext:
    """For all who trust no more than the system does: to read its authorities takes 30 ms, which most Syncs would pay.
    A minute later they are read again, so that an authority that is added there is soon known."""
    return _new(verify)


def _new(verify: bool) -> ssl.SSLContext:
    context = httpx2.create_ssl_context(verify=verify)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def of_proxy(door: Http) -> Http:
    """The same trust for the way to a proxy, always verified; neither pins nor our own certificate are its affair."""
    return replace(door, verify=True, pins=(), client=None)


def check_pins(der: bytes | None, pins: tuple[str, ...], host: str) -> None:
    """Raises PinMismatch where the server's certificate is none of those that are pinned; no pins let all pass."""
    if not pins:
        return
    try:
        shown = certificate.read(der or b"")
    except ValueError:
        raise PinMismatch(f"The certificate of {host} cannot be read, so it is not the pinned one.") from None
    if shown.key not in pins and shown.fingerprint not in pins:
        raise PinMismatch(
            f"The certificate of {host} is not the pinned one: expected {' or '.join(pins)}, got {shown.fingerprint}"
            f" (its key: {shown.key})."
        )


def _show(context: ssl.SSLContext, client: ClientCertificate) -> None:
    """Loads our own certificate. Raises ClientCertificateRefused where certificate and key are none, or no pair."""
    try:
        ours = certificate.first_in(client.certificate)
    except ValueError:
        raise ClientCertificateRefused(
            "The client certificate of this Connection cannot be read.",
            "Enter it as PEM: from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.",
        ) from None
    now = datetime.now(UTC)
    if not ours.not_before <= now < ours.not_after:
        expired = now >= ours.not_after
        when = f"expired on {ours.not_after:%Y-%m-%d}" if expired else f"holds from {ours.not_before:%Y-%m-%d} on"
        raise ClientCertificateRefused(
            f"The client certificate of this Connection {when}.", "Have a new one issued and enter it with its key."
        )
    key, password = (reveal(secret) if secret else "" for secret in (client.key, client.password))
    if not key.strip():
        raise ClientCertificateRefused("The key of the client certificate is missing.", "Enter it as client_key (PEM).")
    if "ENCRYPTED" in key and not password:
        raise ClientCertificateRefused(
            "The key of the client certificate is encrypted, and its password is missing.",
            "Enter it as client_key_password, or enter the key unencrypted: Tidegate seals it.",
        )
    with _file(client.certificate) as certificates, _file(key) as keys:
        try:
            # Always with a password: OpenSSL would ask for one at the terminal.
            context.load_cert_chain(certificates, keys, password=password.encode)
        except (ssl.SSLError, OSError, ValueError) as error:
            raise _no_pair(error, encrypted="ENCRYPTED" in key) from None


def _no_pair(error: Exception, *, encrypted: bool) -> ClientCertificateRefused:
    reason = getattr(error, "reason", None) or ""
    if reason in _OF_ANOTHER:
        return ClientCertificateRefused("The client key does not belong to the client certificate of this Connection.")
    if encrypted:
        return ClientCertificateRefused(
            "The client key of this Connection cannot be opened with its password.", "Enter client_key_password anew."
        )
    return ClientCertificateRefused("The client certificate or its key cannot be read.")


@contextmanager
def _file(text: str) -> Generator[str]:
    """A path that holds the text, in memory: OpenSSL takes keys from files only, and no key is put on a disk."""
    descriptor = os.memfd_create("tidegate", os.MFD_CLOEXEC)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(text.encode())
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def explain(error: BaseException, origin: str) -> VendorDown | None:
    """The certificate's or protocol's problem behind a failed request; None if TLS is not to blame."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(cause, origin)
        if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
            return VendorDown(
                f"{origin} does not speak TLS.", "Check the port, or enter the location with http:// if that is meant."
            )
        if isinstance(cause, ssl.SSLError) and (told := _of_ours(cause.reason or "", origin)):
            return told
    return None


def _of_ours(reason: str, origin: str) -> ClientCertificateRefused | None:
    """What a server's alert says of the certificate that we showed, or did not show."""
    if _WITHOUT_OURS in reason:
        return ClientCertificateRefused(
            f"{origin} asks for a client certificate.",
            "Enter client_certificate and client_key for this Connection, or use an address that works without.",
        )
    for alert, what in _ALERTS.items():
        if alert in reason:
            return ClientCertificateRefused(f"{origin} refuses our client certificate: it {what}.")
    return None


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        if isinstance(error, BaseExceptionGroup):
            yield from cast("BaseExceptionGroup[BaseException]", error).exceptions
        error = error.__cause__ or error.__context__


def _certificate(error: ssl.SSLCertVerificationError, origin: str) -> CertificateUnknown:
    code = error.verify_code
    if code in _UNKNOWN:
        return CertificateUnknown(
            f"The certificate of {origin} is signed by an unknown authority.",
            "Add the certificate of your authority (PEM) to the Connection.",
        )
    if code == _EXPIRED:
        return CertificateUnknown(f"The certificate of {origin} has expired.", "Have it renewed on the tool's server.")
    if code == _NOT_YET:
        return CertificateUnknown(
            f"The certificate of {origin} is not valid yet.", "Check the clocks of both machines, or the certificate."
        )
    if code in _OTHER_HOST:
        return CertificateUnknown(
            f"The certificate of {origin} belongs to another host.",
            "Use the name that stands in the certificate as location, or have the name added to the certificate.",
        )
    return CertificateUnknown(f"The certificate of {origin} is refused: {error.verify_message}.", "Have it replaced.")
