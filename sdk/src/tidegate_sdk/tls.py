"""Whom a Connection trusts, and what is wrong with a certificate, in plain words."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import cast

import httpx2

from .errors import VendorDown
from .tool import Http

_UNKNOWN = {2, 18, 19, 20, 21, 27}  # X509_V_ERR_*: self-signed, or an issuer that is not found or not trusted
_NOT_YET, _EXPIRED = 9, 10
_OTHER_HOST = {62, 64}
_NO_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}


def context(door: Http) -> ssl.SSLContext:
    """The system's authorities and those of the Connection; raises VendorDown where these cannot be read."""
    context = httpx2.create_ssl_context(verify=door.verify)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if door.verify and door.certificates and door.certificates.strip():
        try:
            context.load_verify_locations(cadata=door.certificates)
        except (ssl.SSLError, ValueError):
            raise VendorDown(
                "The certificates of this Connection cannot be read.",
                "Paste them as PEM: blocks from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.",
            ) from None
        # What a person pastes is trusted, be it a root, an intermediate or the server's own certificate.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def explain(error: BaseException, origin: str) -> VendorDown | None:
    """The certificate's or protocol's problem behind a failed request; None if TLS is not to blame."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate(cause, origin)
        if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
            return VendorDown(
                f"{origin} does not speak TLS.", "Check the port, or enter the location with http:// if that is meant."
            )
        if isinstance(cause, ssl.SSLError) and "CERTIFICATE_REQUIRED" in (cause.reason or ""):
            return VendorDown(f"{origin} asks for a client certificate.", "Use an address that works without one.")
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


def _certificate(error: ssl.SSLCertVerificationError, origin: str) -> VendorDown:
    code = error.verify_code
    if code in _UNKNOWN:
        return VendorDown(
            f"The certificate of {origin} is signed by an unknown authority.",
            "Add the certificate of your authority (PEM) to the Connection.",
        )
    if code == _EXPIRED:
        return VendorDown(f"The certificate of {origin} has expired.", "Have it renewed on the tool's server.")
    if code == _NOT_YET:
        return VendorDown(
            f"The certificate of {origin} is not valid yet.", "Check the clocks of both machines, or the certificate."
        )
    if code in _OTHER_HOST:
        return VendorDown(
            f"The certificate of {origin} belongs to another host.",
            "Use the name that stands in the certificate as location, or have the name added to the certificate.",
        )
    return VendorDown(f"The certificate of {origin} is refused: {error.verify_message}.", "Have it replaced.")
