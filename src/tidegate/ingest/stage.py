"""Rows of one Record on their way from the vendor to the apply: spooled to disk, never held in memory.

Two unlinked files: the payloads, ready to be copied into the findings table; and their keys, fingerprints and
severities as PostgreSQL's binary COPY stream, so that staging a million rows parses nothing.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from struct import Struct
from types import TracebackType
from typing import IO, Any, Final, Self, cast

import msgspec

from tidegate_sdk import Finding, Vep, Verdict

COPY_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_TRAILER: Final = b"\xff\xff"
FIXED: Final = 1
ODD: Final = 2
VERDICTS: Final = {None: 0, Verdict.FALSE_POSITIVE: 1, Verdict.ACCEPTED: 2, Verdict.OUT_OF_SCOPE: 3}

# (pass, part, key_hash, fingerprint, severity, verdict, flags, position, length), each after its length in bytes.
_STAGED = Struct(">h ih ih i16s i16s ih ih ih iq ii")
_staged = _STAGED.pack
_length = Struct(">i").pack
_vep = Struct(">h ih i? ii").pack
_BUFFERED = 1000
_BLOCK = 1 << 23
_NO_DIGEST = bytes(16)
_JSONB_VERSION = b"\x01"
_CHUNK = 1 << 20

_encode = msgspec.json.Encoder().encode


class Spool:
    """The rows of one Record, in the order they were read. `turn` is 1, or 2 for a second reading: the later wins."""

    def __init__(self, folder: str | None = None) -> None:
        self._payloads: IO[bytes] = tempfile.TemporaryFile(dir=folder, prefix="tidegate-")  # noqa: SIM115 - closed by close()
        self._index: IO[bytes] = tempfile.TemporaryFile(dir=folder, prefix="tidegate-")  # noqa: SIM115 - closed by close()
        self._index.write(COPY_HEADER)
        self._rows: list[bytes] = []
        self._encoded: list[bytes] = []
        self._position = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Frees both files; they have no name, so a killed process leaves nothing either."""
        self._payloads.close()
        self._index.close()

    def add(self, turn: int, part: int, finding: Finding, mapping_version: int) -> None:
        """Spools a finding. Its fingerprint covers all it says and the version of the mapping that says it."""
        try:
            encoded = _encode(finding)
        except UnicodeEncodeError:
            finding = clean(finding)
            encoded = _encode(finding)
        if b"\\u0000" in encoded:
            finding = clean(finding)
            encoded = _encode(finding)
        digest = blake2b(encoded, digest_size=16, salt=mapping_version.to_bytes(4)).digest()
        flags = FIXED if finding.fixed else 0
        length = len(encoded)
        self._rows.append(
            _staged(9, 2, turn, 2, part, 16, key_hash(finding.key), 16, digest, 2, finding.severity.rank,
                    2, VERDICTS[finding.verdict], 2, flags, 8, self._position, 4, length)
        )  # fmt: skip
        self._encoded.append(encoded)
        self._position += length
        if len(self._rows) >= _BUFFERED:
            self.flush()

    def add_odd(self, turn: int, part: int, key: str) -> None:
        """Spools the bare key of a row that could not be read: it counts as seen and changes nothing."""
        digest = key_hash(_clean_text(key))
        self._rows.append(
            _staged(9, 2, turn, 2, part, 16, digest, 16, _NO_DIGEST, 2, 0, 2, 0, 2, ODD, 8, self._position, 4, 0)
        )

    def flush(self) -> None:
        """Makes all that was added readable."""
        self._index.write(b"".join(self._rows))
        self._payloads.write(b"".join(self._encoded))
        self._rows.clear()
        self._encoded.clear()
        self._payloads.flush()

    def index(self) -> Iterator[bytes]:
        """The COPY stream for the table `staged`; may be asked again after more rows were added."""
        self.flush()
        end = self._index.tell()
        self._index.seek(0)
        while chunk := self._index.read(_CHUNK):
            yield chunk
        self._index.seek(end)
        yield COPY_TRAILER

    def payloads(self, spans: Sequence[tuple[int, int]]) -> Iterator[bytes]:
        """The COPY fields (key, title, and as jsonb all else) of rows, given as position and length in rising order.

        Rows that lie close together are read at once.
        """
        file = self._payloads.fileno()
        block, begin = b"", 0
        for number, (position, length) in enumerate(spans):
            if position + length > begin + len(block):
                last, size = spans[min(number + _BUFFERED, len(spans)) - 1]
                close = last + size - position <= _BLOCK
                begin, block = position, os.pread(file, last + size - position if close else length, position)
            yield _copy_fields(block[position - begin : position - begin + length])


class VepSpool:
    """The vendor-equivalent products of one Connection as a COPY stream for the table `staged_vep`."""

    def __init__(self, folder: str | None = None) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder, prefix="tidegate-")  # noqa: SIM115 - closed by close()
        self._file.write(COPY_HEADER)
        self.rows = 0

    def add(self, turn: int, vep: Vep) -> None:
        """Spools a vendor-equivalent product."""
        fields = (
            _clean_text(vep.id).encode(),
            _clean_text(vep.name).encode(),
            None if vep.url is None else _clean_text(vep.url).encode(),
            _clean_text(vep.parent).encode(),
            _JSONB_VERSION + _encode(_clean_value(dict(vep.attributes))),
        )
        self._add(turn, False, fields)

    def add_odd(self, turn: int, vendor_id: str) -> None:
        """Spools the bare id of a product that could not be read: it counts as seen and changes nothing."""
        self._add(turn, True, (_clean_text(vendor_id).encode(), b"", None, b"", _JSONB_VERSION + b"{}"))

    def _add(self, turn: int, odd: bool, fields: tuple[bytes | None, ...]) -> None:
        self.rows += 1
        parts = [_vep(8, 2, turn, 1, odd, 4, self.rows)]
        parts += [_length(-1) if field is None else _length(len(field)) + field for field in fields]
        self._file.write(b"".join(parts))

    def index(self) -> Iterator[bytes]:
        """The COPY stream; may be asked again after more rows were added."""
        end = self._file.tell()
        self._file.seek(0)
        while chunk := self._file.read(_CHUNK):
            yield chunk
        self._file.seek(end)
        yield COPY_TRAILER

    def close(self) -> None:
        """Frees the file."""
        self._file.close()


def key_hash(key: str) -> bytes:
    """The 16 bytes that stand for a vendor's finding id in every join."""
    return blake2b(key.encode("utf-8", "replace"), digest_size=16).digest()


def clean(finding: Finding) -> Finding:
    """The same finding without what PostgreSQL's text cannot hold: NUL and lone surrogates become U+FFFD."""
    return msgspec.structs.replace(
        finding, **{name: _clean_value(getattr(finding, name)) for name in finding.__struct_fields__}
    )


class _Named(msgspec.Struct):
    key: str
    title: str


_named = msgspec.json.Decoder(_Named).decode


def _copy_fields(encoded: bytes) -> bytes:
    """The encoder writes key and title first: they are cut off and travel as columns of their own."""
    named = _named(encoded)
    head = b'{"key":' + _encode(named.key) + b',"title":' + _encode(named.title) + b","
    if not encoded.startswith(head):
        raise AssertionError("Finding must be encoded with its key and title first.")
    key, title, fields = named.key.encode(), named.title.encode(), encoded[len(head) :]
    return b"".join(
        (_length(len(key)), key, _length(len(title)), title, _length(len(fields) + 2), _JSONB_VERSION, b"{", fields)
    )


def _clean_value(value: Any) -> Any:
    if type(value) is str:
        return _clean_text(value)
    if isinstance(value, list | tuple):
        items: list[Any] = [_clean_value(item) for item in cast("Sequence[Any]", value)]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, dict):
        return {_clean_value(name): _clean_value(item) for name, item in cast("dict[Any, Any]", value).items()}
    return value


def _clean_text(text: str) -> str:
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
