"""One short transaction a Record: what was read is compared with what is stored, and only the difference is written."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from operator import itemgetter
from struct import Struct
from typing import Any, Final

import psycopg
from django.db import DatabaseError, connection, transaction
from psycopg import errors

from tidegate.store.acting import say_who_acts
from tidegate.store.sql import sql

from .read import PartRead
from .stage import SHARED_FROM, Came, Share, SharedSpool, Spool, Texts

CREATED, CHANGED, REWRITTEN, REOPENED, FIXED, BELOW, GONE, KEPT_OPEN, NEW_BELOW, NEW_FIXED = range(1, 11)
GONE_AGAIN, ODD_AND_OPEN, FIXED_AGAIN, BELOW_AGAIN, BELOW_KEPT = range(11, 16)
"""*Again*: a person undid that closing once, so it is held. *Kept*: and then kept it open, so nobody is asked again."""
WITH_TEXTS: Final = (CHANGED, REWRITTEN, REOPENED, FIXED, BELOW)
CLOSING: Final = (FIXED, BELOW, GONE, GONE_AGAIN, FIXED_AGAIN, BELOW_AGAIN)
NOT_SHOWN: Final = (GONE, GONE_AGAIN, KEPT_OPEN)
WORDS: Final = {
    CREATED: "created",
    CHANGED: "updated",
    REWRITTEN: "rewritten",
    REOPENED: "reopened",
    FIXED: "closed",
    BELOW: "closed",
    GONE: "gone",
    KEPT_OPEN: "kept_open",
    NEW_BELOW: "below",
    NEW_FIXED: "skipped",
    GONE_AGAIN: "held",
    FIXED_AGAIN: "held",
    BELOW_AGAIN: "held",
    BELOW_KEPT: "kept_open",
}
"""How each is counted; ODD_AND_OPEN is a quarantined row, and counted as that."""
# Temporary tables have no statistics when they are new: a nested loop over a million rows would seem cheap. And the
# findings of a Feed, which lie together, must not be fetched in the order of their keys: that touches a page for each,
# where other Feeds make the table large (measured: 2.3 times the buffers).
PLANS: Final = (
    "SELECT set_config('enable_nestloop', %(may)s, true), set_config('enable_mergejoin', %(may)s, true),"
    " set_config('enable_indexscan', %(may)s, true)"
)
CHUNK: Final = 2000
CHUNK_BYTES: Final = 2**22
TRIES_AFTER_DEADLOCK: Final = 5
ACTOR: Final = "tidegate"

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_number = Struct(">iq").pack
_length = Struct(">i").pack
# After feed, family, branch: key_hash, fingerprint, mapping_version, two severities, verdict, open, active, operation.
_record = Struct(">hqi16s16shhh?")  # created_rows.sql
_columns = Struct(">i16s i16s ii ih ih ih i? i? iq").pack


@dataclass(frozen=True)
class Staged:
    """What was read of one part, each row once however often it came."""

    rows: int = 0
    fixed: int = 0
    odd: int = 0
    first_only: int = 0
    """Rows that an earlier reading showed and the last one did not."""
    repeated: int = 0
    """Rows that came too often in the last reading."""


@dataclass
class Comparison:
    """How what was read differs from what is stored."""

    kinds: dict[tuple[int, int], int]
    """Differences by part and kind."""
    open: dict[tuple[str, str], int]
    """Open findings before, by Family and Branch."""
    judged: dict[tuple[str, str], int]
    """Those of them that a collapse is judged by: without those that a person keeps open although they are gone, whose
    closing a person undid, or that close now on the vendor's word or a threshold."""
    staged: dict[int, Staged]

    def count(self, part: int, *kinds: int) -> int:
        """How many differences of these kinds the part has."""
        return sum(self.kinds.get((part, kind), 0) for kind in kinds)

    def has(self, *kinds: int) -> bool:
        """Whether any part has such a difference."""
        return any(kind in kinds for _, kind in self.kinds)

    def of(self, part: int) -> Staged:
        """What was read of it."""
        return self.staged.get(part, Staged())

    def forget_closings(self, parts: Sequence[int]) -> None:
        """Nothing of these parts closes, nor is held."""
        with connection.cursor() as cursor:
            cursor.execute(sql("keep_unbalanced"), {"parts": list(parts)})
        for part in parts:
            for kind in CLOSING:
                self.kinds.pop((part, kind), None)


def again_after_deadlock(work: Callable[[], Any]) -> Any:
    """Runs a whole transaction; again where plain SQL of somebody else locked the same rows the other way round.

    Statements on psycopg's own cursor raise psycopg's errors; out of here come Django's, like everywhere else.
    """
    for _ in range(TRIES_AFTER_DEADLOCK - 1):
        try:
            with transaction.atomic(), connection.wrap_database_errors:
                return work()
        except DatabaseError as error:
            if not isinstance(error.__cause__, errors.DeadlockDetected | errors.SerializationFailure):
                raise
    with transaction.atomic(), connection.wrap_database_errors:
        return work()


def prepare_staging() -> None:
    """Makes the temporary tables of this connection, and its way to the server wide. Twice does no more than once."""
    with connection.cursor() as cursor:
        cursor.execute(sql("staging"))
    _widen_the_way()


def _widen_the_way() -> None:
    """A whole chunk is handed to the system, which hands it on while the next one is made: in the 200 kB that a local
    socket holds by itself, the server waited for us a quarter of a first import (measured). The system may give less.
    Over a network it finds the right width itself, and what is asked for would stay."""
    pgconn = connection.connection.pgconn
    if pgconn.host.startswith(b"/"):
        with socket.socket(fileno=os.dup(pgconn.socket)) as way:
            way.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, CHUNK_BYTES)


def compare(
    feed: int,
    spool: Spool,
    parts: Sequence[PartRead],
    closing: Callable[[PartRead], bool],
    *,
    minimum: int,
    mapping_version: int,
    share: Share | None = None,
) -> Comparison:
    """Stages what was read (in a spool of its own, and its share of a walk) and fills the table `compared`. Inside a
    transaction; ends with it.

    `closing` says of which parts what is missing counts as gone; it is asked after repeated rows were looked at.
    """
    cursor = _raw_cursor()
    came = spool.came()
    if came or share is None:
        with cursor.copy(sql("stage")) as copy:
            for chunk in spool.index():
                copy.write(chunk)
    if share is not None:
        came |= share.came
        read = [part.number for part in parts if part.outcome]
        cursor.execute(sql("stage_share"), {"record": share.record, "parts": read, "shared_from": SHARED_FROM})
    if unread := [part.number for part in parts if part.outcome is None and part.turns]:
        cursor.execute(sql("unstage"), {"parts": unread})
    comparing = _Comparing(cursor, feed, parts, closing, minimum, mapping_version)
    if share is None and comparing.shows_repeats(came):
        found = comparing.compare({part.number: _as_it_came(part, came) for part in parts if part.outcome})
        if not comparing.repeated(found):
            return found
        cursor.execute("TRUNCATE compared, staged_part")
    return comparing.compare(_settle_repeats(cursor, parts, came))


@dataclass(frozen=True)
class _Comparing:
    """The comparison of what is staged with what is stored, which may have to be made twice.

    To look for repeated rows among all that are staged is a tenth of an unchanged Sync (measured), and nearly no read
    has any. Where everything that was read is open and each part complete, the comparison itself says it: every row
    that is not new shows one open finding, so there are as many as open findings less those that were not shown.
    """

    cursor: psycopg.Cursor[Any]
    feed: int
    parts: Sequence[PartRead]
    closing: Callable[[PartRead], bool]
    minimum: int
    mapping_version: int

    def compare(self, staged: dict[int, Staged]) -> Comparison:
        """Fills the table `compared`."""
        cursor = self.cursor
        cursor.executemany(
            "INSERT INTO staged_part VALUES (%s, %s, %s, %s, %s)",
            [
                (part.number, part.family, part.branch, self.closing(part), "branch" if part.vanished else "gone")
                for part in self.parts
                if part.outcome
            ],
        )
        cursor.execute(PLANS, {"may": "off"})
        how = {"feed": self.feed, "minimum": self.minimum, "mapping_version": self.mapping_version}
        cursor.execute(sql("compare"), how)
        cursor.execute(PLANS, {"may": "on"})
        cursor.execute(sql("compared_counts"))
        kinds = {(part, kind): number for part, kind, number in cursor.fetchall()}
        cursor.execute(sql("open_before"), {"feed": self.feed})
        before = {(family, branch): (open, judged) for family, branch, open, judged in cursor.fetchall()}
        return Comparison(
            kinds,
            {part: open for part, (open, _) in before.items()},
            {part: judged for part, (_, judged) in before.items()},
            staged,
        )

    def shows_repeats(self, came: Mapping[tuple[int, int], Came]) -> bool:
        """Whether a row that came twice would show in the comparison."""
        for part in self.parts:
            if part.outcome is not None:
                part.proves = True
                rows = came.get((part.number, 1), Came())
                if part.turns != 1 or rows.fixed or rows.odd or not self.closing(part):
                    return False
        return True

    def repeated(self, found: Comparison) -> bool:
        """Whether a row came twice: of those that show an open finding, or of the others."""
        read = [part for part in self.parts if part.outcome]
        rows = sum(found.of(part.number).rows for part in read)
        others = sum(found.count(part.number, CREATED, REOPENED, NEW_BELOW) for part in read)
        open = sum(found.open.get((part.family, part.branch), 0) for part in read)
        if rows - others != open - sum(found.count(part.number, *NOT_SHOWN) for part in read):
            return True
        if not others:
            return False
        self.cursor.execute(sql("distinct_others"))
        return self.cursor.fetchone() != (others,)


def _as_it_came(part: PartRead, came: Mapping[tuple[int, int], Came]) -> Staged:
    return Staged(came.get((part.number, 1), Came()).rows)


def _settle_repeats(
    cursor: psycopg.Cursor[Any], parts: Sequence[PartRead], came: Mapping[tuple[int, int], Came]
) -> dict[int, Staged]:
    """Takes the proof from parts whose repeated rows may hide others; leaves one row a finding in `staged`.

    `came` is what was staged, by part and turn.
    """
    counted = {(part.number, turn): came.get((part.number, turn), Came()) for part in parts for turn in _turns(part)}
    read = [part for part in parts if part.outcome]
    cursor.execute(sql("distinct_rows"))
    (distinct,) = cursor.fetchone() or (0,)
    repeats: dict[tuple[int, int], tuple[int, bool]] = {}
    if distinct != sum(counted[part.number, turn].rows for part in read for turn in _turns(part)):
        counted = _counted(cursor)
        cursor.execute(sql("repeats"))
        repeats = {(part, turn): (number, differ) for part, turn, number, differ in cursor.fetchall()}
    for part in parts:
        own, walk = repeats.get((part.number, part.turns), (0, False)), part.repeated_in_walk
        part.proves = _repeats_prove(part, max(own[0], walk[0]), own[1] or walk[1])
    shown_last = {part.number: counted.get((part.number, part.turns), Came()).rows for part in read}
    if repeats or any(part.turns > 1 for part in parts):
        cursor.execute(sql("unrepeat"))
        counted = _counted(cursor)
    staged: dict[int, Staged] = {}
    for part in read:
        turns = [counted.get((part.number, turn), Came()) for turn in _turns(part)]
        rows, fixed, odd = (sum(turn[column] for turn in turns) for column in range(3))
        repeated = repeats.get((part.number, part.turns), (0, False))[0]
        staged[part.number] = Staged(rows, fixed, odd, rows - shown_last[part.number], repeated)
    return staged


def _counted(cursor: psycopg.Cursor[Any]) -> dict[tuple[int, int], Came]:
    """What is staged by part and turn, each row once."""
    cursor.execute(sql("staged_counts"))
    return {(part, turn): Came(rows, fixed, odd) for part, turn, rows, fixed, odd in cursor.fetchall()}


def _turns(part: PartRead) -> range:
    return range(1, part.turns + 1)


def _repeats_prove(part: PartRead, repeated: int, differ: bool) -> bool:
    """Repeated rows are harmless in one whole answer. In pages each may stand where a live row should have been."""
    proof = None if part.outcome is None else part.outcome.proof
    if not repeated or proof is None or proof.kind == "whole":
        return True
    return proof.kind == "drifting" and proof.expected is None and not differ


def stage_walk(spool: SharedSpool) -> dict[tuple[int, int], tuple[int, bool]]:
    """Brings what one walk read for many Records to where each takes its share; in place of what was there.

    Gives how many rows came too often, and whether they differed, by part and turn."""
    cursor = _raw_cursor()
    cursor.execute("TRUNCATE walked")
    with cursor.copy(sql("stage_walked")) as copy:
        for chunk in spool.index():
            copy.write(chunk)
    cursor.execute("ANALYZE walked")
    cursor.execute(sql("walked_repeats"))
    return {(part, turn): (number, differ) for part, turn, number, differ in cursor.fetchall()}


def write(
    feed: int,
    spool: Spool,
    parts: Sequence[PartRead],
    comparison: Comparison,
    *,
    operation: int,
    mapping_version: int,
    share: Share | None = None,
) -> None:
    """Carries the table `compared` into the findings: creations, changes, reopenings, closings by evidence; what is
    gone begins to wait for the verdict. Inside the transaction that compared, with the Record locked."""
    if not comparison.kinds:
        return
    say_who_acts(ACTOR, operation=operation)
    cursor = _raw_cursor()
    texts, spread = Texts(spool, share and share.spool), 1.0 if share is None else share.spread
    created, changed = comparison.has(CREATED), comparison.has(*WITH_TEXTS)
    if created:
        _create(cursor, feed, texts, parts, operation=operation, mapping_version=mapping_version, spread=spread)
    if changed:
        _stage_incoming(cursor, texts, "changed_rows")
        cursor.execute("ANALYZE compared, incoming")
        cursor.execute(sql("journal_changes"), {"operation": operation, "actor": ACTOR})
        cursor.execute(sql("change_findings"), {"operation": operation, "mapping_version": mapping_version})
    if created or changed:
        cursor.execute(sql("words_due_note"), {"feed": feed, "operation": operation, "created": created})
    cursor.execute(sql("let_go_of_held"))
    cursor.execute(sql("hold_gone"), {"feed": feed, "operation": operation})


def foresee(
    record: int, spool: Spool, comparison: Comparison, *, operation: int, at_most: int, share: Share | None = None
) -> int:
    """Writes down what `write` would do, of each kind so many; for a preview. Returns how many lines that is."""
    cursor = _raw_cursor()
    shown = 0
    texts = Texts(spool, share and share.spool)
    if comparison.has(CREATED, CHANGED, REOPENED):
        _stage_incoming(cursor, texts, "foreseen_rows", {"at_most": at_most})
        cursor.execute("ANALYZE compared, incoming")
        cursor.execute(sql("foresee_shown"), {"operation": operation, "record": record})
        shown = cursor.rowcount
    cursor.execute(sql("foresee_closings"), {"operation": operation, "record": record, "at_most": at_most})
    return shown + cursor.rowcount


def _create(
    cursor: psycopg.Cursor[Any],
    feed: int,
    texts: Texts,
    parts: Sequence[PartRead],
    *,
    operation: int,
    mapping_version: int,
    spread: float,
) -> None:
    """One COPY a chunk; the next chunk is made ready while the server works on this one."""
    starts = {part.number: _start_of_row(feed, part) for part in parts}

    def ready(records: bytes) -> bytes:
        return b"".join((_HEADER, *_created_rows(starts, records, texts, operation, mapping_version), _TRAILER))

    with ThreadPoolExecutor(1, "create") as maker:
        for made in _one_ahead(maker, ready, _created_chunks(int(CHUNK_BYTES * spread))):
            with cursor.copy(sql("create_findings")) as copy:
                copy.write(made)


def _created_chunks(span: int) -> Iterator[bytes]:
    """Of rows that begin in so many bytes of a spool each."""
    with connection.connection.cursor(name="created_rows", binary=True) as rows:
        rows.itersize = 1
        rows.execute(sql("created_rows"), {"bytes": span})
        for (records,) in rows:
            yield records


def _one_ahead(maker: ThreadPoolExecutor, make: Callable[[bytes], bytes], chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What is made of each chunk; the next one is being made while the caller uses this one."""
    coming: deque[Future[bytes]] = deque()
    for chunk in chunks:
        coming.append(maker.submit(make, chunk))
        if len(coming) > 1:
            yield coming.popleft().result()
    while coming:
        yield coming.popleft().result()


def _start_of_row(feed: int, part: PartRead) -> bytes:
    family, branch = part.family.encode(), part.branch.encode()
    return b"\x00\x0f" + _number(8, feed) + _length(len(family)) + family + _length(len(branch)) + branch


def _created_rows(
    starts: dict[int, bytes], records: bytes, texts: Texts, operation: int, mapping_version: int
) -> Iterator[bytes]:
    """The pieces of the COPY stream, three a row."""
    # By part and hash, as the unique index is sorted: 1.2 times faster than in the order they were read (measured).
    rows = sorted(_record.iter_unpack(records), key=itemgetter(0, 3))
    payloads = texts.payloads([(row[1], row[2]) for row in rows])
    for row, payload in zip(rows, payloads, strict=True):
        part, _, _, key_hash, fingerprint, severity_vendor, severity, verdict, active = row
        yield starts[part]
        yield _columns(
            16, key_hash, 16, fingerprint, 4, mapping_version, 2, severity_vendor, 2, severity, 2, verdict,
            1, True, 1, active, 8, operation,
        )  # fmt: skip
        yield payload


def _stage_incoming(
    cursor: psycopg.Cursor[Any], texts: Texts, which: str, parameters: Mapping[str, Any] | None = None
) -> None:
    """Brings the new texts of these rows (a statement's) into `incoming`."""
    for rows in _rows_with_texts(which, parameters):
        payloads = texts.payloads([(row[1], row[2]) for row in rows])
        with cursor.copy(sql("stage_incoming")) as copy:
            copy.write(_HEADER)
            for row, payload in zip(rows, payloads, strict=True):
                copy.write(b"\x00\x04" + _number(8, row[0]) + payload)
            copy.write(_TRAILER)


def _rows_with_texts(which: str, parameters: Mapping[str, Any] | None) -> Iterator[list[tuple[Any, ...]]]:
    """In lists of at most CHUNK, read through a server-side cursor: memory stays constant."""
    with connection.connection.cursor(name="rows_with_texts", binary=True) as rows:
        rows.execute(sql(which), parameters)
        while chunk := rows.fetchmany(CHUNK):
            yield chunk


def _raw_cursor() -> psycopg.Cursor[Any]:
    """psycopg's own cursor, for COPY; opens Django's connection where it is closed."""
    connection.ensure_connection()
    return connection.connection.cursor()
