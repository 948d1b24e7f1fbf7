"""One walk for all Records: what an export brings is read and spooled once, and each Record gets its share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from tidegate_sdk import (
    NO_PRODUCT,
    ConnectorError,
    Finding,
    Incomplete,
    Odd,
    Outcome,
    Severity,
    SharedFamily,
    Skip,
    Skipped,
    TotalMoved,
    Vep,
)

from .read import KEPT_ODD, PartRead, RecordRead, count_unknown, older_state
from .stage import Came, SharedSpool

if TYPE_CHECKING:
    from tidegate_sdk.session import Session

FIRST_SHARED: Final = 1_000
"""Parts of a walk are numbered from here; those that a Record has by itself from 0."""

KEPT_ODD_OF_A_WALK: Final = 1_000
"""Odd rows of a walk whose raw form is kept, whichever Records they belong to; all are counted."""


@dataclass
class Walk:
    """One Family and Branch that is read for many Records at once, and what it brought for each (by Record id)."""

    number: int
    family: str
    branch: str
    records: frozenset[int]
    """Those it serves."""
    declared: SharedFamily | None = None
    skipped_because: str = ""
    outcome: Outcome | None = None
    turns: int = 0
    rows: int = 0
    """Of the last reading, whomever they belong to."""
    strays: set[int] = field(default_factory=set[int])
    """Records that rows came for although the walk does not serve them."""
    repeats: dict[int, tuple[int, bool]] = field(default_factory=dict[int, tuple[int, bool]])
    """Rows that came too often, whosever they are, and whether they differed; by turn."""
    came: Counter[tuple[int, int]] = field(default_factory=Counter[tuple[int, int]])
    """Rows that were spooled, by Record and turn."""
    came_fixed: Counter[tuple[int, int]] = field(default_factory=Counter[tuple[int, int]])
    came_odd: Counter[tuple[int, int]] = field(default_factory=Counter[tuple[int, int]])
    kept: Counter[int] = field(default_factory=Counter[int])
    odd: Counter[int] = field(default_factory=Counter[int])
    nameless: Counter[int] = field(default_factory=Counter[int])
    skipped: dict[int, Counter[str]] = field(default_factory=dict[int, Counter[str]])
    odd_rows: dict[int, list[Odd]] = field(default_factory=dict[int, list[Odd]])
    unknown_words: dict[int, Counter[str]] = field(default_factory=dict[int, Counter[str]])

    def begin_anew(self) -> None:
        """Forgets what the reading before brought, but for the rows in the spool: of these the later win."""
        self.turns += 1
        self.rows = 0
        for counted in (self.kept, self.odd, self.nameless, self.skipped, self.odd_rows, self.unknown_words):
            counted.clear()

    def part_for(self, record: int, applied_mark: str) -> PartRead:
        """The share of one Record, as if it had been read for it alone."""
        part = PartRead(self.number, self.family, self.branch)
        if self.declared is None or self.outcome is None:
            part.skipped_because = self.skipped_because
            return part
        if self.declared.mark < applied_mark:
            part.skipped_because = older_state(self.declared.mark, applied_mark)
            return part
        part.mark = self.declared.mark
        self.fill(part, record)
        return part

    def fill(self, part: PartRead, record: int) -> None:
        """Brings the share of a Record up to the last reading."""
        if self.outcome is None:
            raise ValueError(f"The walk for {self.family} was not read.")
        skipped = self.skipped.get(record, Counter[str]())
        own = self.kept[record] + self.odd[record] + skipped.total()
        part.turns = self.turns
        part.odd = self.odd_rows.get(record, [])
        part.nameless = self.nameless[record]
        part.unknown_words = self.unknown_words.get(record, Counter[str]())
        part.elsewhere = self.rows - own
        part.repeated_in_walk = self.repeats.get(self.turns, (0, False))
        outcome = replace(
            self.outcome, seen=own, kept=self.kept[record], odd=self.odd[record], skipped=dict(skipped), off=False
        )
        if self.outcome.complete and part.nameless:
            why = f"{part.nameless:,} of its {own:,} rows could not be read and have no readable id."
            outcome = replace(outcome, complete=False, why=why)
        part.outcome = outcome


class Walks:
    """Every shared Family of one Operation. `records` are the wanted ones, by the vendor's id."""

    def __init__(self, records: Mapping[str, int], veps: Sequence[Vep], mapping_version: int) -> None:
        self.spool = SharedSpool()
        self.walks: list[Walk] = []
        self.error: ConnectorError | None = None
        """Why the Tool could not even name them."""
        self.saw_no_product = False
        """Open findings came that belong to no product, and no Record here takes them."""
        self._records, self._veps, self._mapping_version = records, veps, mapping_version

    def close(self) -> None:
        """Frees what was spooled."""
        self.spool.close()

    async def read(self, session: Session) -> None:
        """Reads every walk that the Tool names; one that fails does not stop the others."""
        try:
            async for family in session.shared(self._veps):
                records = frozenset(self._records[vep.id] for vep in session.covered(family, self._veps))
                name = family.family if isinstance(family, Skipped) else family.name
                walk = Walk(FIRST_SHARED + len(self.walks), name, family.branch, records)
                self.walks.append(walk)
                if isinstance(family, Skipped):
                    walk.skipped_because = family.because
                    continue
                walk.declared = family
                await self._read(session, walk)
        except ConnectorError as error:
            self.error = error

    async def read_again(self, session: Session, number: int) -> None:
        """Reads a walk once more, for all Records that are still to come; does nothing where that was done."""
        walk = self.walks[number - FIRST_SHARED]
        if walk.turns < 2 and walk.declared is not None:
            await self._read(session, walk)

    def add_share(self, read: RecordRead, record: int, marks: Mapping[tuple[str, str], str]) -> None:
        """Adds to what was read of a Record its share of each walk that serves it. `marks` are those last applied, by
        Family and Branch. A Family that the Tool names twice is not believed, neither here nor there."""
        there = {(part.family, part.branch): part for part in read.parts}
        for walk in self.walks:
            if record not in walk.records:
                continue
            named = (walk.family, walk.branch)
            if (other := there.get(named)) is not None:
                read.error = Incomplete(f"The connector yields the Family {walk.family!r} twice.")
                other.skip(str(read.error))
                continue
            there[named] = walk.part_for(record, marks.get(named, ""))
            read.parts.append(there[named])
            if any(record in other.strays for other in self.walks if (other.family, other.branch) == named):
                there[named].skip(
                    f"Rows of it came in another walk for {walk.family} that does not serve it, so nothing is closed."
                )
        read.error = read.error or self.error

    def note_repeats(self, repeats: Mapping[tuple[int, int], tuple[int, bool]]) -> None:
        """What the database saw of rows that came too often, by part and turn."""
        for (number, turn), repeated in repeats.items():
            self.walks[number - FIRST_SHARED].repeats[turn] = repeated

    def fill(self, part: PartRead, record: int) -> None:
        """Brings a share up to what was read again."""
        self.walks[part.number - FIRST_SHARED].fill(part, record)

    def came(self, record: int) -> dict[tuple[int, int], Came]:
        """Rows of the Record that were spooled, by part and turn."""
        return {
            (walk.number, turn): Came(
                walk.came[record, turn], walk.came_fixed[record, turn], walk.came_odd[record, turn]
            )
            for walk in self.walks
            for turn in range(1, walk.turns + 1)
        }

    async def _read(self, session: Session, walk: Walk) -> None:
        """Begins again, once, where the vendor's total moved."""
        walk.outcome = await self._read_once(session, walk)
        if isinstance(walk.outcome.error, TotalMoved):
            walk.outcome = await self._read_once(session, walk)
        if walk.outcome.off:
            walk.skipped_because, walk.outcome = walk.outcome.why or "The tool does not offer it here.", None

    async def _read_once(self, session: Session, walk: Walk) -> Outcome:
        if walk.declared is None:
            raise ValueError(f"{walk.family} was not declared, so there is nothing to read.")
        walk.begin_anew()
        ids, wanted, kept_odd = self._records, walk.records, 0
        reading = session.read_shared(walk.declared)
        async for batch in reading:
            walk.rows += len(batch)
            records: list[int] = []
            findings: list[Finding] = []
            others: list[tuple[str, Finding]] = []
            for vep, value in batch:
                record = ids.get(vep) if vep is not None else None
                if record is None or record not in wanted:
                    if record is not None:
                        walk.strays.add(record)
                    elif vep == NO_PRODUCT and isinstance(value, Finding) and not value.fixed:
                        self.saw_no_product = True
                    if vep is not None and isinstance(value, Finding):
                        others.append((vep, value))
                    continue
                if isinstance(value, Finding):
                    records.append(record)
                    findings.append(value)
                    if value.fixed:
                        walk.came_fixed[record, walk.turns] += 1
                    if value.unknown_words or value.severity is Severity.UNKNOWN:
                        count_unknown(walk.unknown_words.setdefault(record, Counter[str]()), value)
                elif isinstance(value, Skip):
                    walk.skipped.setdefault(record, Counter[str]())[value.because] += 1
                else:
                    walk.odd[record] += 1
                    kept_odd += 1
                    self._book_odd(walk, record, value, keep=kept_odd <= KEPT_ODD_OF_A_WALK)
            walk.kept.update(records)
            walk.came.update((record, walk.turns) for record in records)
            self.spool.add_shared(walk.turns, walk.number, records, findings, self._mapping_version)
            self.spool.note_others(walk.turns, walk.number, others)
        return reading.outcome

    def _book_odd(self, walk: Walk, record: int, odd: Odd, *, keep: bool) -> None:
        """An odd row of a Record: with an id it counts as seen, without one its share proves nothing."""
        if odd.id is None:
            walk.nameless[record] += 1
        else:
            self.spool.add_odd_shared(walk.turns, walk.number, record, odd.id)
            walk.came[record, walk.turns] += 1
            walk.came_odd[record, walk.turns] += 1
        if keep and len(kept := walk.odd_rows.setdefault(record, [])) < KEPT_ODD:
            kept.append(odd)
