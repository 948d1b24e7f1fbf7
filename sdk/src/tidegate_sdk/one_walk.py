"""One walk of one VEP whose rows go to several of its Families: what a Tool declares, and how a Session reads it."""

from __future__ import annotations

import weakref
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from tempfile import SpooledTemporaryFile
from typing import Any, Generic, TypeVar

import msgspec

from .ask import List, Proof, Row, read_name
from .errors import ConnectorError, VendorChanged
from .line import Line
from .listing import Listing, at_rest
from .reading import Odd

T = TypeVar("T")
_IN_MEMORY = 2**22
"""Bytes of the others' rows that are kept before they go to disk."""


class OneWalk(Generic[T]):
    """A list whose rows belong to several Families of one VEP and Branch: the results of a scan of many engines.

        walk = OneWalk(List(Ask("results", ...), "results", Offset("total"), self.result, id=key_of), engine_of, names)
        for name in names:
            yield Family(name, walk.share(name))

    `of` says which Family a row belongs to, at a dotted path or by a function; `families` are those that the walk
    serves. *Every* row needs one of these: one that names no other may belong to any of them, so the walk proves
    nothing, for none. The list is walked once, by whichever Family is read first; the others are given their rows and
    the same word on the walk. A Family that is read a second time has it walked again, and again once for all. Made
    anew for each VEP and Branch. `secret`: one of the Families holds secrets, so rows of nobody are kept by none.
    """

    def __init__(
        self, list: List[T], of: str | Callable[[Row], str], families: Sequence[str], *, secret: bool = False
    ) -> None:
        self.list, self.of, self.families, self.secret = list, of, tuple(families), secret
        self._tape: Tape | None = None

    def share(self, family: str) -> Share[T]:
        """The list of one Family; raises ValueError for one that the walk does not serve."""
        if family not in self.families:
            raise ValueError(f"The walk serves {', '.join(self.families)}, and not {family!r}.")
        whole = self.list
        return Share(whole.ask, whole.items, whole.by, whole.read, whole.id, whole.secret, walk=self, family=family)

    def family_of(self, row: Any) -> str | None:
        """The Family that a row belongs to; None where it says none that is served."""
        told = read_name(row, self.of)
        return told if told in self.families else None

    def recorded(self, family: str) -> Tape | None:
        """The last walk, where this Family has not had its rows of it."""
        tape = self._tape
        if tape is None or family in tape.taken:
            return None
        tape.taken.add(family)
        return tape

    def record(self, tape: Tape) -> None:
        """Takes a walk that came to an end, by a proof or by a failure; the one before is of no use any more."""
        self._tape = tape


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(List[T]):
    """What one Family has of a OneWalk; made by its share()."""

    walk: OneWalk[T]
    family: str


class Tape:
    """What a walk brought for the Families that did not walk it, and the word on it. Its file goes with it."""

    def __init__(self, walked_by: str) -> None:
        self.taken = {walked_by}
        self.rows = self.homeless = 0
        self.answered = False
        self.proof: Proof | None = None
        self.error: ConnectorError | None = None
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - it lives as long as the tape
        self._end = weakref.finalize(self, self._file.close)

    def keep(self, family: str, row: Any) -> None:
        """Keeps a row of another Family."""
        self._file.write(msgspec.json.encode((family, row)) + b"\n")

    def rows_of(self, family: str, batch: int) -> Iterator[list[Any]]:
        """The rows of a Family, at most so many at once."""
        rows: list[Any] = []
        self._file.seek(0)
        for line in self._file:
            home, row = msgspec.json.decode(line)
            if home == family:
                rows.append(Row(row))
                if len(rows) == batch:
                    yield rows
                    rows = []
        if rows:
            yield rows


class ShareListing(Listing[T]):
    """The Reading of a Share: walks for all Families, or is given what another one has walked."""

    def __init__(self, line: Line, share: Share[T], *, off: frozenset[int], keep_raw: bool) -> None:
        super().__init__(line, share, off=off, keep_raw=keep_raw)
        self._walked, self._family = share.walk, share.family
        self._played = share.walk.recorded(share.family)
        self._tape = self._played or Tape(share.family)

    async def _read(self) -> AsyncGenerator[list[T | Odd]]:
        reading = super()._read()
        try:
            async for batch in reading:
                yield batch
        finally:
            await reading.aclose()
            if self._played is None:
                self._record()

    async def _walk(self) -> AsyncGenerator[list[T | Odd]]:
        tape = self._played
        walk = super()._walk() if tape is None else self._play(tape)
        try:
            async for batch in walk:
                yield batch
        finally:
            await walk.aclose()
            self._ledger.proof = _of_a_share(self._ledger.proof, len(self._walked.families))

    async def _play(self, tape: Tape) -> AsyncGenerator[list[T | Odd]]:
        """The rows of this Family as they came, and then what became of the walk."""
        self._answered = tape.answered
        for rows in tape.rows_of(self._family, self._line.limits.batch):
            yield super()._sort(rows)
            await at_rest()
        self._ledger.elsewhere, self._ledger.homeless = tape.rows - self._ledger.seen, tape.homeless
        if tape.error is not None:
            raise tape.error
        self._ledger.proof = tape.proof

    def _sort(self, items: list[Any]) -> list[T | Odd]:
        """Books the rows of this Family; keeps those of the others for them."""
        own: list[Any] = []
        lost: list[T | Odd] = []
        for item in items:
            family = self._walked.family_of(item)
            if family is None:
                lost.append(self._homeless(item))
            elif family == self._family:
                own.append(item)
            else:
                self._tape.keep(family, item)
                self._ledger.elsewhere += 1
        self._tape.rows += len(items)
        return [*super()._sort(own), *lost]

    def _homeless(self, item: Any) -> Odd:
        """A row that may belong to any Family is shown by the one that walks."""
        keep, self._keep_raw = self._keep_raw, self._keep_raw and not self._walked.secret
        try:
            odd = self._odd(item, VendorChanged("It does not say which of the Families it belongs to."))
        finally:
            self._keep_raw = keep
        self._ledger.seen += 1
        self._ledger.homeless += 1
        self._tape.homeless += 1
        return Odd(None, odd.reason, odd.raw)

    def _fail(self, error: ConnectorError) -> None:
        self._tape.error = error
        super()._fail(error)

    def _record(self) -> None:
        """A walk that was given up is no word on anything, so whoever comes next walks anew."""
        tape = self._tape
        tape.proof, tape.answered = self._ledger.proof, bool(self._answered)
        if tape.proof is not None or tape.error is not None:
            self._walked.record(tape)


def _of_a_share(proof: Proof | None, families: int) -> Proof | None:
    """A row that came twice may hide one of another Family, which cannot see it: so nothing is gone at first sight."""
    if proof is None or families < 2 or proof.kind != "steady":
        return proof
    return replace(proof, kind="drifting")
