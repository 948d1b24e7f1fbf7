"""The file of a backup: what is cut, changed, repeated or put in another order is noticed; so is a wrong passphrase."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from tidegate.guard import archive
from tidegate.guard.archive import ArchiveProblem, ArchiveWriter, PassphraseMissing, is_encrypted, pieces_of

PIECES = [b"Mfirst", b"Da canary", b"Dtwo", b"Da canary", b"Eend"]
PASSPHRASE = SecretStr("four words or more")
BOTH = pytest.mark.parametrize("passphrase", [None, PASSPHRASE], ids=["plain", "encrypted"])


@pytest.fixture(autouse=True, scope="module")
def cheap() -> Iterator[None]:
    """A guess costs half a second, and these tests make thousands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "COST", 1024)
        yield


def written(path: Path, passphrase: SecretStr | None, pieces: list[bytes] = PIECES) -> bytes:
    with path.open("wb") as file:
        writer = ArchiveWriter(file, passphrase)
        for number, piece in enumerate(pieces, 1):
            writer.put(piece, last=number == len(pieces))
    return path.read_bytes()


def frames(whole: bytes) -> tuple[bytes, list[bytes]]:
    """The header, and each piece as it lies there with its length."""
    start = whole.index(b"\n", whole.index(b"\n") + 1) + 1
    header, rest, found = whole[:start], whole[start:], []
    while rest:
        length = 4 + (int.from_bytes(rest[:4], "big") & ~archive.LAST)
        found.append(rest[:length])
        rest = rest[length:]
    return header, found


@BOTH
def test_what_is_written_is_read(tmp_path: Path, passphrase: SecretStr | None):
    whole = written(tmp_path / "a", passphrase)

    assert list(pieces_of(tmp_path / "a", passphrase)) == PIECES
    assert is_encrypted(tmp_path / "a") is (passphrase is not None)
    assert (b"canary" in whole) is (passphrase is None)
    assert b"four words" not in whole


@BOTH
def test_a_file_that_is_cut_anywhere_is_refused(tmp_path: Path, passphrase: SecretStr | None):
    """Issue 6, 9: truncation detected."""
    whole = written(tmp_path / "a", passphrase)
    for length in range(len(whole)):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(ArchiveProblem):
            list(pieces_of(tmp_path / "cut", passphrase))


@given(position=st.integers(min_value=0), bit=st.integers(0, 7), encrypted=st.booleans())
def test_a_bit_that_turned_anywhere_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, position: int, bit: int, encrypted: bool
):
    path, passphrase = tmp_path_factory.getbasetemp() / "turned", PASSPHRASE if encrypted else None
    whole = bytearray(written(path, passphrase))
    whole[position % len(whole)] ^= 1 << bit
    path.write_bytes(whole)

    with pytest.raises(ArchiveProblem):
        list(pieces_of(path, passphrase))


@BOTH
def test_pieces_in_another_order_twice_or_left_out_are_noticed(tmp_path: Path, passphrase: SecretStr | None):
    """Issue 6, 9: reordering detected; also of two pieces that say the same."""
    header, parts = frames(written(tmp_path / "a", passphrase))
    first, one, two, three, last = parts
    for broken in (
        [first, two, one, three, last],
        [first, one, one, two, three, last],
        [first, one, two, last],
        [first, one, two, three],
        [first, one, two, three, last, last],
        [*parts[:-1], last, three],
        [first, one, two, bytes([three[0] | 0x80]) + three[1:]],
        [first, one, two, three, bytes([last[0] & 0x7F]) + last[1:], last],
    ):
        (tmp_path / "broken").write_bytes(header + b"".join(broken))
        with pytest.raises(ArchiveProblem):
            list(pieces_of(tmp_path / "broken", passphrase))


def test_pieces_of_another_file_with_the_same_passphrase_are_no_part_of_this_one(tmp_path: Path):
    header, (first, *rest) = frames(written(tmp_path / "a", PASSPHRASE))
    _, others = frames(written(tmp_path / "b", PASSPHRASE))
    (tmp_path / "c").write_bytes(header + first + others[1] + b"".join(rest[1:]))

    with pytest.raises(ArchiveProblem, match="damaged"):
        list(pieces_of(tmp_path / "c", PASSPHRASE))


def test_a_passphrase_that_is_wrong_or_missing_is_told_apart_and_not_repeated(tmp_path: Path):
    written(tmp_path / "a", PASSPHRASE)

    with pytest.raises(ArchiveProblem, match="does not open with this passphrase") as wrong:
        list(pieces_of(tmp_path / "a", SecretStr("hunter2")))
    with pytest.raises(PassphraseMissing, match="is encrypted"):
        list(pieces_of(tmp_path / "a", None))

    assert "hunter2" not in str(wrong.value)


@pytest.mark.parametrize(
    ("beginning", "said"),
    [
        (b"", "no backup"),
        (b"PGDMP", "no backup"),
        (b"tidegate backup 2\n{}\n", "newer Tidegate"),
        (b'tidegate backup 1\n{"sealed": 3}\n', "damaged"),
        (b"tidegate backup 1\n" + b"[" * 1000 + b"\n", "damaged"),
        (b'tidegate backup 1\n{"sealed": {"salt": "00", "cost": 1073741824}}\n', "damaged"),
    ],
)
def test_what_is_no_backup_of_ours_is_said_and_a_cost_that_eats_all_memory_is_refused(
    tmp_path: Path, beginning: bytes, said: str
):
    (tmp_path / "a").write_bytes(beginning)

    with pytest.raises(ArchiveProblem, match=said):
        list(pieces_of(tmp_path / "a", PASSPHRASE))
