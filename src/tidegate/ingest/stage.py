"""Rows of one Record on their way from the vendor to the apply: spooled to disk, never held in memory.

Two unlinked files: the payloads, ready to be copied into the findings table; and their keys, fingerprints and
severities as PostgreSQL's binary COPY stream, so that staging a million rows parses nothing.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import groupby, repeat
from struct import Struct
from types import TracebackType
from typing import IO, Any, Final, NamedTuple, Self, cast

import msgspec
from xxhash import xxh3_128_digest

from tidegate_sdk import Finding, Severity, Vep, Verdict

COPY_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_TRAILER: Final = b"\xff\xff"
FIXED: Final = 1
ODD: Final = 2
VERDICTS: Final = {None: 0, Verdict.FALSE_POSITIVE: 1, Verdict.ACCEPTED: 2, Verdict.OUT_OF_SCOPE: 3}

# A staged row: (turn, part, key_hash, fingerprint, severity, verdict, flags, position, length), each after its length
# in bytes. What many rows share is packed once: `_begins` the first two, `_says` the three in the middle. Of a longer
# hash the struct takes the first 16 bytes.
_begins = Struct(">h ih ih i").pack
_shared_begins = Struct(">h iq ih ih i").pack
_says = Struct(">ih ih ih i").pack
_staged = Struct(">18s16s4s16s22sqii").pack
_shared_staged = Struct(">30s16s4s16s22sqii").pack
_SIXTEEN = b"\x00\x00\x00\x10"
_length = Struct(">i").pack
_vep = Struct(">h ih i? ii").pack
SHARED_FROM: Final = 1 << 62
NOBODY: Final = 0
"""Stands for a Record where a row is of none that was asked for."""
_BUFFERED = 400  # rows written at once: what a batch needs is reused by the next, not given back to the system
_NO_DIGEST = bytes(16)
_JSONB_VERSION = b"\x01"
_CHUNK = 1 << 20
_BLOCK = 1 << 24
_ESCAPE, _NUL = b"\\", b"\\u0000"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Finding).decode
_decode_text = msgspec.json.Decoder(str).decode
_KEY, _TITLE, _SEVERITY = b'{"key":', b',"title":', b',"severity":'


class SpoolFailed(Exception):
    """What was read cannot be kept: Tidegate's own disk is full, or is not there. Ends the whole Operation."""


@contextmanager
def _own_disk() -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise SpoolFailed(
            f"What was read could not be kept on Tidegate's own disk ({tempfile.gettempdir()}: {error.strerror})."
            " What was applied stays. Free some space for temporary files, or point TMPDIR at another disk; then run it"
            " again."
        ) from error


def _temporary(folder: str | None, buffering: int = -1) -> IO[bytes]:
    """A file without a name: a killed process leaves nothing."""
    return tempfile.TemporaryFile(buffering=buffering, dir=folder, prefix="tidegate-")


class Came(NamedTuple):
    """Rows of one part in one turn of reading: all, those that are fixed, and those that could not be read."""

    rows: int = 0
    fixed: int = 0
    odd: int = 0


class Spool:
    """The rows of one Record, in the order they were read. `turn` is 1, or 2 for a second reading: the later wins."""

    def __init__(self, folder: str | None = None) -> None:
        # Unbuffered: whole batches are written, and pread must find them.
        with _own_disk():
            self._payloads = _temporary(folder, buffering=0)
            self._index = _temporary(folder)
            self._index.write(COPY_HEADER)
        self._position = 0
        self.rows: Counter[tuple[int, int]] = Counter()
        """How many rows there are by part and turn, repeated ones counted as often as they came."""
        self.fixed: Counter[tuple[int, int]] = Counter()
        """Those of them that the vendor says are fixed."""
        self.odd: Counter[tuple[int, int]] = Counter()
        """Those of them that could not be read."""

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

    def add(self, turn: int, part: int, findings: Sequence[Finding], mapping_version: int) -> None:
        """Spools findings. A fingerprint covers all a finding says and the version of the mapping that says it."""
        begin = _begins(9, 2, turn, 2, part, 16)
        for start in range(0, len(findings), _BUFFERED):
            self._add(_staged, repeat(begin), findings[start : start + _BUFFERED], mapping_version)
        self.rows[part, turn] += len(findings)
        self.fixed[part, turn] += sum([finding.fixed for finding in findings])

    def add_odd(self, turn: int, part: int, key: str) -> None:
        """Spools the bare key of a row that could not be read: it counts as seen and changes nothing."""
        self._add_odd(_staged, _begins(9, 2, turn, 2, part, 16), key)
        self.rows[part, turn] += 1
        self.odd[part, turn] += 1

    def came(self) -> dict[tuple[int, int], Came]:
        """What came, by part and turn."""
        return {key: Came(rows, self.fixed[key], self.odd[key]) for key, rows in self.rows.items()}

    def _add(
        self, pack: Callable[..., bytes], begins: Iterable[bytes], findings: Sequence[Finding], mapping_version: int
    ) -> None:
        # Once for each of a million rows: what is looked up and called here is what an unchanged Sync costs.
        position = self._position
        rows: list[bytes] = []
        payloads: list[bytes] = []
        for finding, begin in zip(findings, begins, strict=False):
            try:
                encoded = _encode(finding)
            except UnicodeEncodeError:
                finding = clean(finding)  # noqa: PLW2901
                encoded = _encode(finding)
            length = len(encoded)
            key, digest = sha256(finding.key.encode()).digest(), xxh3_128_digest(encoded, mapping_version)
            says = _said(finding.severity, finding.verdict, finding.fixed)
            rows.append(pack(begin, key, _SIXTEEN, digest, says, position, 4, length))
            payloads.append(encoded)
            position += length
        with _own_disk():
            self._index.write(b"".join(rows))
            _write_all(self._payloads, payloads)
        self._position = position

    def _add_odd(self, pack: Callable[..., bytes], begin: bytes, key: str) -> None:
        says = _says(2, 0, 2, 0, 2, ODD, 8)
        with _own_disk():
            self._index.write(pack(begin, key_hash(_clean_text(key)), _SIXTEEN, _NO_DIGEST, says, self._position, 4, 0))

    def index(self) -> Iterator[bytes]:
        """The COPY stream for the table `staged`; may be asked again after more rows were added."""
        with _own_disk():
            self._index.flush()
        end = self._index.tell()
        self._index.seek(0)
        while chunk := self._index.read(_CHUNK):
            yield chunk
        self._index.seek(end)
        yield COPY_TRAILER

    def payloads(self, spans: Sequence[tuple[int, int]]) -> Iterator[bytes]:
        """The COPY fields (key, title, and as jsonb all else) of rows, given as position and length, in any order.

        Where nearly all that lies between them is wanted, and it is not too much for memory, it is read at once.
        """
        file = self._payloads.fileno()
        begin, wanted = min(spans)[0], sum(length for _, length in spans)
        end = max(position + length for position, length in spans)
        if end - begin > min(2 * wanted, _BLOCK):
            yield from (_copy_fields(os.pread(file, length, position)) for position, length in spans)
            return
        block = os.pread(file, end - begin, begin)
        for position, length in spans:
            yield _copy_fields(block[position - begin : position - begin + length])


class SharedSpool(Spool):
    """The rows of many Records, as one walk brought them: each index row begins with the Record it belongs to."""

    def add_shared(
        self, turn: int, part: int, records: Sequence[int], findings: Sequence[Finding], mapping_version: int
    ) -> None:
        """Spools findings, each with the id of its Record."""
        begins = [_shared_begins(10, 8, record, 2, turn, 2, part, 16) for record in records]
        for start in range(0, len(findings), _BUFFERED):
            end = start + _BUFFERED
            self._add(_shared_staged, begins[start:end], findings[start:end], mapping_version)
        self.rows[part, turn] += len(findings)

    def note_others(self, turn: int, part: int, others: Sequence[tuple[str, Finding]]) -> None:
        """Notes that rows of VEPs came which nobody asked for, without their texts: as everybody's, a repeated one of
        them may stand where a row that is wanted should have been."""
        begin = _shared_begins(10, 8, NOBODY, 2, turn, 2, part, 16)
        rows = [
            _shared_staged(
                begin,
                sha256(f"{vep}\0{finding.key}".encode("utf-8", "replace")).digest(),
                _SIXTEEN,
                xxh3_128_digest(_encoded(finding)),
                _says(2, 0, 2, 0, 2, 0, 8),
                0,
                4,
                0,
            )
            for vep, finding in others
        ]
        with _own_disk():
            self._index.write(b"".join(rows))

    def add_odd_shared(self, turn: int, part: int, record: int, key: str) -> None:
        """Spools the bare key of a Record's row that could not be read."""
        self._add_odd(_shared_staged, _shared_begins(10, 8, record, 2, turn, 2, part, 16), key)
        self.rows[part, turn] += 1


@dataclass(frozen=True)
class Share:
    """What belongs to one Record of what one walk brought for many."""

    record: int
    spool: SharedSpool
    came: Mapping[tuple[int, int], Came]
    """Its rows by part and turn."""

    @property
    def spread(self) -> float:
        """How far its rows lie from each other in the shared spool: one of so many is its own."""
        return max(1.0, self.spool.rows.total() / max(1, sum(came.rows for came in self.came.values())))


class Texts:
    """The texts of one Record: in a spool of its own, and in the one that it shares. Where a text lies in the shared
    one is said by a position beyond SHARED_FROM."""

    def __init__(self, own: Spool, shared: Spool | None = None) -> None:
        self._own, self._shared = own, shared

    def payloads(self, spans: Sequence[tuple[int, int]]) -> Iterator[bytes]:
        """As of a spool; in the order that was asked for."""
        for shared, some in groupby(spans, lambda span: span[0] >= SHARED_FROM):
            if not shared:
                yield from self._own.payloads(list(some))
            elif self._shared is not None:
                yield from self._shared.payloads([(position - SHARED_FROM, length) for position, length in some])


class VepSpool:
    """The vendor-equivalent products of one Connection as a COPY stream for the table `staged_vep`."""

    def __init__(self, folder: str | None = None) -> None:
        with _own_disk():
            self._file = _temporary(folder)
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
        with _own_disk():
            self._file.write(b"".join(parts))

    def index(self) -> Iterator[bytes]:
        """The COPY stream; may be asked again after more rows were added."""
        with _own_disk():
            self._file.flush()
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
    """The 16 bytes that stand for a vendor's finding id in every join. A cryptographic hash: whoever writes hostile ids
    must not be able to let one finding stand for another."""
    return sha256(key.encode("utf-8", "replace")).digest()[:16]


@cache
def _said(severity: Severity, verdict: Verdict | None, fixed: bool) -> bytes:
    return _says(2, severity.rank, 2, VERDICTS[verdict], 2, FIXED if fixed else 0, 8)


def _encoded(finding: Finding) -> bytes:
    try:
        return _encode(finding)
    except UnicodeEncodeError:
        return _encode(clean(finding))


def _write_all(file: IO[bytes], pieces: Sequence[bytes]) -> None:
    """Hands the pieces to the system as they are; a large join would copy them first."""
    written, wanted = os.writev(file.fileno(), pieces), sum(map(len, pieces))
    if written < wanted:  # a signal, or a disk that is nearly full: then the next call says so
        file.seek(0, os.SEEK_END)
        rest = memoryview(b"".join(pieces))[written:]
        while rest:
            rest = rest[file.write(rest) :]


def clean(finding: Finding) -> Finding:
    """The same finding without what PostgreSQL's text cannot hold: NUL and lone surrogates become U+FFFD."""
    return msgspec.structs.replace(
        finding, **{name: _clean_value(getattr(finding, name)) for name in finding.__struct_fields__}
    )


def _copy_fields(encoded: bytes) -> bytes:
    """Key and title, which the encoder writes first, as columns of their own; and all else as jsonb.

    Within a JSON text every quotation mark is escaped, so what is looked for here can only be the next field.
    """
    if _ESCAPE in encoded and _NUL in encoded:
        encoded = _encode(clean(_decode(encoded)))
    title_at = encoded.index(_TITLE)
    severity_at = encoded.index(_SEVERITY, title_at)
    key, title = _text(encoded[len(_KEY) : title_at]), _text(encoded[title_at + len(_TITLE) : severity_at])
    fields = encoded[severity_at + 1 :]
    return b"".join(
        (_length(len(key)), key, _length(len(title)), title, _length(len(fields) + 2), _JSONB_VERSION, b"{", fields)
    )


def _text(json: bytes) -> bytes:
    """The UTF-8 of a JSON text."""
    return _decode_text(json).encode() if _ESCAPE in json else json[1:-1]


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
