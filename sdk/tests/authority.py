"""Certificates that tests show and ask for, their fingerprints, and servers on loopback that speak TLS with them."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from typing import Any

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from sdk.tests.vendor import Vendor, answer


def pem_of(certificate: trustme.LeafCert) -> str:
    return certificate.cert_chain_pems[0].bytes().decode()


def key_of(certificate: trustme.LeafCert, password: str = "") -> str:
    """Its private key as PEM, encrypted where there is a password."""
    key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    how = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how).decode()


def fingerprints(pem: str) -> tuple[str, str]:
    """SHA-256 of the certificate and of its key, by another library than ours."""
    found = x509.load_pem_x509_certificate(pem.encode())
    digest = hashes.Hash(hashes.SHA256())
    digest.update(found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    return found.fingerprint(hashes.SHA256()).hex(), digest.finalize().hex()


def times_of(pem: str) -> tuple[datetime, datetime]:
    found = x509.load_pem_x509_certificate(pem.encode())
    return found.not_valid_before_utc, found.not_valid_after_utc


def serving(certificate: trustme.LeafCert, asks_for: trustme.CA | None = None) -> ssl.SSLContext:
    """What a server needs; `asks_for` signs whom it lets in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if asks_for is not None:
        asks_for.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@contextmanager
def turning_away(certificate: trustme.LeafCert, asks_for: trustme.CA) -> Iterator[str]:
    """The location of a server that lets nobody in whom the authority does not know, and says so as OpenSSL does.

    asyncio's own closes without the alert.
    """
    context = serving(certificate, asks_for)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    plain, _ = server.accept()
                    with plain, suppress(ssl.SSLError):
                        try:
                            context.wrap_socket(plain.dup(), server_side=True).close()
                        finally:
                            while plain.recv(4096):  # closing over what was not read would take the alert back
                                pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"https://localhost:{server.getsockname()[1]}/api/"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@asynccontextmanager
async def secure_vendor(certificate: trustme.LeafCert, **how: Any) -> AsyncIterator[Vendor]:
    vendor = Vendor(host="localhost")
    await vendor.start(serving(certificate, **how))
    vendor.on("/api/me", answer(200, {"id": 1}))
    try:
        yield vendor
    finally:
        await vendor.stop()
