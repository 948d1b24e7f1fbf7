"""What a certificate says of itself, read from its bytes: its own and its key's fingerprint, its time. Pure."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

_VERSION, _UTC_TIME, _GENERALIZED_TIME = 0xA0, 0x17, 0x18
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Certificate:
    """The parts of one certificate that Tidegate looks at itself; all else is OpenSSL's."""

    fingerprint: str
    """SHA-256 of the whole certificate, in hex: another one with each renewal."""
    key: str
    """SHA-256 of its public key (SubjectPublicKeyInfo), in hex: stays where the key is kept."""
    not_before: datetime
    not_after: datetime


def read(der: bytes) -> Certificate:
    """Raises ValueError where it is no certificate."""
    try:
        ((_, whole, _),) = _parts(der)
        signed = next(_parts(whole))[1]
        fields = [part for part in _parts(signed) if part[0] != _VERSION]
        begin, end = _parts(fields[3][1])
        return Certificate(
            fingerprint=sha256(der).hexdigest(),
            key=sha256(fields[5][2]).hexdigest(),
            not_before=_moment(begin[0], begin[1]),
            not_after=_moment(end[0], end[1]),
        )
    except (IndexError, StopIteration, ValueError):
        raise ValueError("That is no certificate.") from None


def first_in(pem: str) -> Certificate:
    """The first certificate of a PEM text, which is the holder's own. Raises ValueError where there is none."""
    begin = pem.find(_BEGIN)
    end = pem.find(_END, begin)
    if begin < 0 or end < 0:
        raise ValueError("That is no certificate.")
    return read(ssl.PEM_cert_to_DER_cert(pem[begin : end + len(_END)]))


def _parts(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """The values of a DER sequence, one after the other: tag, content, and the content with its head."""
    at = 0
    while at < len(data):
        start, tag, length = at, data[at], data[at + 1]
        at += 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + length > len(data):
            raise ValueError("That is no certificate.")
        yield tag, data[at : at + length], data[start : at + length]
        at += length


def _moment(tag: int, text: bytes) -> datetime:
    """RFC 5280, 4.1.2.5: two digits of a year below 50 are of this century."""
    digits = text.decode("ascii")
    if tag == _UTC_TIME:
        digits = f"{'20' if digits[:2] < '50' else '19'}{digits}"
    elif tag != _GENERALIZED_TIME:
        raise ValueError("That is no certificate.")
    return datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
