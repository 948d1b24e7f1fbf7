"""The spool: what goes in comes out as PostgreSQL can hold it, in any order, however the system writes it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from struct import unpack_from
from typing import Any

import pytest

from tidegate.ingest import stage
from tidegate.ingest.stage import Spool, key_hash
from tidegate_sdk import Finding, Severity

ROW = 2 + 6 + 6 + 20 + 20 + 6 + 6 + 6 + 12 + 8
POSITION = 2 + 6 + 6 + 20 + 20 + 6 + 6 + 6 + 4


@pytest.fixture
def spool() -> Iterator[Spool]:
    with Spool() as made:
        yield made


def a_finding(key: str = "k", title: str = "Title", **more: Any) -> Finding:
    return Finding(key=key, title=title, severity=Severity.HIGH, **more)


def index_of(spool: Spool) -> bytes:
    return b"".join(spool.index()).removeprefix(stage.COPY_HEADER).removesuffix(stage.COPY_TRAILER)


def spans_of(spool: Spool) -> list[tuple[int, int]]:
    index = index_of(spool)
    spans = [unpack_from(">qii", index, at + POSITION) for at in range(0, len(index), ROW)]
    return [(position, length) for position, _, length in spans]


def told(payload: bytes) -> tuple[str, str, dict[str, Any]]:
    """Key, title and fields as they stand in a COPY stream."""
    columns: list[bytes] = []
    at = 0
    while at < len(payload):
        (length,) = unpack_from(">i", payload, at)
        columns.append(payload[at + 4 : at + 4 + length])
        at += 4 + length
    key, title, fields = columns
    assert fields[:1] == b"\x01", "the version of jsonb"
    return key.decode(), title.decode(), json.loads(fields[1:])


def written(spool: Spool, findings: Sequence[Finding]) -> list[tuple[str, str, dict[str, Any]]]:
    spool.add(1, 0, findings, 1)
    return [told(payload) for payload in spool.payloads(spans_of(spool))]


def test_key_and_title_are_columns_and_the_rest_is_jsonb(spool: Spool):
    found_at = datetime(2026, 5, 3, tzinfo=UTC)

    (one,) = written(spool, [a_finding(description="D", cwe=(79,), found_at=found_at)])

    assert one == (
        "k", "Title", {"severity": "High", "description": "D", "cwe": [79], "found_at": "2026-05-03T00:00:00Z"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ('","title":"x","severity":"', '","title":"x","severity":"'),
        ('a "quoted" \\ text\n\t', 'a "quoted" \\ text\n\t'),
        ("é 漢 🙂", "é 漢 🙂"),
        ("NUL \0 here", "NUL \ufffd here"),
        ("half \ud83d a pair", "half \ufffd a pair"),
        ("\\u0000 written out", "\\u0000 written out"),
    ],
)
def test_any_text_comes_out_as_postgresql_can_hold_it(spool: Spool, text: str, stored: str):
    """promises.md, Body: NUL and lone surrogates in text; and what looks like our own field names."""
    finding = a_finding(text, text, description=text, references=(text,), tags=(text, "x"))

    (one,) = written(spool, [finding])

    assert one == (
        stored, stored, {"severity": "High", "description": stored, "references": [stored], "tags": [stored, "x"]},
    )  # fmt: skip


def test_rows_are_found_in_any_order_and_however_far_apart(spool: Spool):
    findings = [a_finding(f"k{n}", description="x" * n) for n in range(1000)]
    spool.add(1, 0, findings, 1)
    spans = spans_of(spool)

    for wanted in ([999, 0, 500], [3, 1, 2], list(range(1000))):
        payloads = spool.payloads([spans[n] for n in wanted])

        assert [told(payload)[0] for payload in payloads] == [f"k{n}" for n in wanted]


def test_large_rows_are_never_all_in_memory(spool: Spool, monkeypatch: pytest.MonkeyPatch):
    """promises.md, Body: a 1 MB description; the worker's memory stays flat."""
    spool.add(1, 0, [a_finding(f"k{n}", description="x" * 2**20) for n in range(40)], 1)
    asked: list[int] = []
    real = os.pread

    def watched(file: int, length: int, position: int) -> bytes:
        asked.append(length)
        return real(file, length, position)

    monkeypatch.setattr(os, "pread", watched)

    assert [told(payload)[0] for payload in spool.payloads(spans_of(spool))] == [f"k{n}" for n in range(40)]
    assert max(asked) < 2**22


def test_the_same_finding_has_the_same_hash_and_fingerprint_and_any_change_another(spool: Spool):
    changes = [a_finding(), a_finding(), a_finding(description="D"), a_finding(title="title")]
    spool.add(1, 0, changes, 1)
    spool.add(1, 0, [a_finding()], 2)

    index = index_of(spool)
    rows = [index[at : at + ROW] for at in range(0, len(index), ROW)]
    hashes = [row[18:34] for row in rows]
    fingerprints = [row[38:54] for row in rows]

    assert set(hashes) == {key_hash("k")}
    assert fingerprints[0] == fingerprints[1]
    assert len(set(fingerprints)) == 4, "a text, a title and a newer mapping change it"


def test_what_the_system_writes_only_in_part_is_written_whole(spool: Spool, monkeypatch: pytest.MonkeyPatch):
    """A signal may end a write early; the rest must follow, where it belongs."""
    real = os.writev
    monkeypatch.setattr(os, "writev", lambda file, pieces: real(file, [b"".join(pieces)[:10]]))

    spool.add(1, 0, [a_finding("a"), a_finding("b")], 1)
    spool.add(1, 0, [a_finding("c")], 1)

    assert [told(payload)[0] for payload in spool.payloads(spans_of(spool))] == ["a", "b", "c"]


def test_how_many_rows_came_is_counted_by_part_and_turn(spool: Spool):
    spool.add(1, 0, [a_finding("a"), a_finding("a")], 1)
    spool.add(2, 0, [a_finding("a")], 1)
    spool.add(1, 1, [a_finding("b")], 1)
    spool.add_odd(1, 1, "odd")

    assert spool.rows == {(0, 1): 2, (0, 2): 1, (1, 1): 2}
