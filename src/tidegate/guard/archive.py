"""The file of a backup: pieces in their order, each of which shows whether it and all before it are as they were.

A line that says what this is, a line of JSON that says how it is sealed, then pieces: four bytes of length (the first
bit marks the last piece), then the piece. In a file with a passphrase each is AES-256-GCM under a key that scrypt makes
of it, its nonce counts the pieces and says which is the last; in one without, each is followed by the SHA-256 of
itself and of all that went before. So what is cut, changed, repeated or put in another order is noticed, and so is a
passphrase that is not the right one. What the pieces hold is said by their first byte; that is server/backup.py's.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import SecretStr

FIRST_LINE: Final = b"tidegate backup 1\n"
LONGEST_HEADER: Final = 1024
PIECE: Final = 1024 * 1024
LONGEST_PIECE: Final = 8 * PIECE
LAST: Final = 1 << 31
COST: Final = 1 << 17
"""Of scrypt, with blocks of 8: 128 MB and half a second for each guess at a passphrase."""


class ArchiveProblem(Exception):
    """A backup cannot be written or read. `cause` and `next_step` are sentences."""

    def __init__(self, cause: str, next_step: str) -> None:
        super().__init__(f"{cause} {next_step}")
        self.cause = cause
        self.next_step = next_step


class PassphraseMissing(ArchiveProblem):
    """The file is encrypted, and no passphrase was given."""


class _Sealer(Protocol):
    def seal(self, piece: bytes, *, last: bool) -> bytes: ...
    def open(self, sealed: bytes, *, last: bool) -> bytes | None: ...


class _Encrypted:
    def __init__(self, header: bytes, passphrase: SecretStr, salt: bytes, cost: int) -> None:
        kdf = Scrypt(salt=salt, length=32, n=cost, r=8, p=1)
        self.cipher = AESGCM(kdf.derive(passphrase.get_secret_value().encode()))
        self.header, self.number = header, 0

    def seal(self, piece: bytes, *, last: bool) -> bytes:
        return self.cipher.encrypt(self._nonce(last=last), piece, self.header)

    def open(self, sealed: bytes, *, last: bool) -> bytes | None:
        try:
            return self.cipher.decrypt(self._nonce(last=last), sealed, self.header)
        except InvalidTag:
            return None

    def _nonce(self, *, last: bool) -> bytes:
        """Never the same twice under one key: the salt, and so the key, is another in each file."""
        self.number += 1
        return self.number.to_bytes(11, "big") + bytes([last])


class _Summed:
    def __init__(self, header: bytes) -> None:
        self.sum = hashlib.sha256(header).digest()

    def seal(self, piece: bytes, *, last: bool) -> bytes:
        return piece + self._next(piece, last=last)

    def open(self, sealed: bytes, *, last: bool) -> bytes | None:
        piece, found = sealed[:-32], sealed[-32:]
        return piece if self._next(piece, last=last) == found else None

    def _next(self, piece: bytes, *, last: bool) -> bytes:
        self.sum = hashlib.sha256(self.sum + bytes([last]) + piece).digest()
        return self.sum


class ArchiveWriter:
    """Writes pieces. A file without its last piece is no backup, so `end` is said when all is there."""

    def __init__(self, file: IO[bytes], passphrase: SecretStr | None) -> None:
        salt = secrets.token_bytes(16)
        sealed = {"kdf": "scrypt", "salt": salt.hex(), "cost": COST} if passphrase else None
        header = FIRST_LINE + json.dumps({"sealed": sealed}).encode() + b"\n"
        self.file = file
        self.sealer: _Sealer = _Encrypted(header, passphrase, salt, COST) if passphrase else _Summed(header)
        file.write(header)

    def put(self, piece: bytes, *, last: bool = False) -> None:
        sealed = self.sealer.seal(piece, last=last)
        self.file.write((len(sealed) | (LAST if last else 0)).to_bytes(4, "big"))
        self.file.write(sealed)


@dataclass(frozen=True)
class Header:
    """How a file begins."""

    text: bytes
    salt: bytes | None
    cost: int


def header_of(file: IO[bytes], path: Path) -> Header:
    """Reads the beginning. Raises ArchiveProblem where this is no backup, or none that is understood."""
    first = file.readline(LONGEST_HEADER)
    if first != FIRST_LINE:
        if first.startswith(b"tidegate backup "):
            raise ArchiveProblem(f"{path} was written by a newer Tidegate.", "Restore it with that version.")
        raise ArchiveProblem(f"{path} is no backup of Tidegate.", "Name a file that tidegate backup has written.")
    second = file.readline(LONGEST_HEADER)
    try:
        sealed = json.loads(second)["sealed"]
        salt, cost = (bytes.fromhex(sealed["salt"]), int(sealed["cost"])) if sealed else (None, 0)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise damaged(path) from None
    if salt is not None and cost not in (1 << power for power in range(10, 21)):
        raise damaged(path)  # a cost of ours is none that eats all memory
    return Header(first + second, salt, cost)


def is_encrypted(path: Path) -> bool:
    """Whether a passphrase is needed. Raises ArchiveProblem, OSError."""
    with path.open("rb") as file:
        return header_of(file, path).salt is not None


def pieces_of(path: Path, passphrase: SecretStr | None) -> Iterator[bytes]:
    """The pieces in turn, each looked at before it is given. Raises ArchiveProblem where one is not as it was written,
    also once all were given and the last is missing; whoever uses them believes none of it before the end."""
    with path.open("rb") as file:
        header = header_of(file, path)
        if header.salt is None:
            sealer: _Sealer = _Summed(header.text)
        elif passphrase is None:
            raise PassphraseMissing(f"{path} is encrypted.", "Give its passphrase: --passphrase-file FILE")
        else:
            sealer = _Encrypted(header.text, passphrase, header.salt, header.cost)
        number, last = 0, False
        while not last:
            length = int.from_bytes(read_whole(file, 4, path), "big")
            last, length = bool(length & LAST), length & ~LAST
            if length > LONGEST_PIECE:
                raise damaged(path)
            piece = sealer.open(read_whole(file, length, path), last=last)
            if not piece:
                raise wrong_passphrase(path) if header.salt is not None and number == 0 else damaged(path)
            number += 1
            yield piece
        if file.read(1):
            raise damaged(path)


def read_whole(file: IO[bytes], length: int, path: Path) -> bytes:
    found = file.read(length)
    if len(found) < length:
        raise ArchiveProblem(f"{path} is cut: its end is missing.", "Use another backup; nothing was changed.")
    return found


def damaged(path: Path) -> ArchiveProblem:
    return ArchiveProblem(
        f"{path} is damaged: it is not as it was written.", "Use another backup; nothing was changed."
    )


def wrong_passphrase(path: Path) -> ArchiveProblem:
    return ArchiveProblem(
        f"{path} does not open with this passphrase.", "Give the one it was made with; or the file is damaged."
    )
