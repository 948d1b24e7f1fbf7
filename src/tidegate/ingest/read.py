"""Reads one Record from the vendor into its spool, Family by Family, with the ledger's word on each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tidegate_sdk import (
    ConnectorError,
    Family,
    Finding,
    Incomplete,
    Listed,
    Odd,
    Outcome,
    Severity,
    Skipped,
    TotalMoved,
    Vep,
)

from .stage import Spool

if TYPE_CHECKING:
    from tidegate_sdk.session import Session

KEPT_ODD: Final = 100
"""Odd rows of a part whose raw form is kept; all are counted."""


@dataclass
class PartRead:
    """What was read of one Family and Branch. `number` is its place in the staging tables."""

    number: int
    family: str
    branch: str
    declared: Family | None = None
    mark: str = ""
    """An order for states that may arrive out of order."""
    outcome: Outcome | None = None
    skipped_because: str = ""
    odd: list[Odd] = field(default_factory=list[Odd])
    nameless: int = 0
    """Odd rows without an id, of the last reading."""
    unknown_words: Counter[str] = field(default_factory=Counter[str])
    turns: int = 0
    """Readings so far; the rows of a later one win."""
    proves: bool = True
    """False where repeated rows took the proof away, although the walk ended well."""
    repeated_in_walk: tuple[int, bool] = (0, False)
    """Rows that came too often in the last reading of a walk, whosever they are, and whether they differed."""
    elsewhere: int = 0
    """Rows of other VEPs, or of other Families, that the same walk brought."""
    vanished: bool = False
    """Its Branch is no longer in the tool: nothing was read of it, and its findings close, or stay."""
    unbalanced: str = ""
    """Why its counts do not add up, so that nothing closes; "" where they do."""

    @property
    def proven(self) -> bool:
        """Whether everything was shown that the vendor has."""
        return self.outcome is not None and self.outcome.complete and self.proves

    @property
    def complete(self) -> bool:
        """Whether what is missing from this read is gone."""
        return self.proven and not self.unbalanced

    @property
    def drifting(self) -> bool:
        """Whether a live row may hide between two pages, so that one reading does not prove an absence."""
        proof = None if self.outcome is None else self.outcome.proof
        return proof is not None and proof.kind == "drifting"

    def skip(self, because: str) -> None:
        """Takes what was read back: the Family counts as not read, and its findings stay as they are."""
        self.outcome = None
        self.skipped_because = because

    def why(self) -> str:
        """Why this read is not complete, or was skipped; "" where all is well."""
        if self.skipped_because or self.outcome is None:
            return self.skipped_because
        if self.outcome.complete and not self.proves:
            return "Rows came more than once, so others may be missing; nothing is closed."
        return self.outcome.why or self.unbalanced


@dataclass
class RecordRead:
    """What was read of one Record."""

    parts: list[PartRead] = field(default_factory=list[PartRead])
    error: ConnectorError | None = None
    """Why its Families could not even be asked for; then there are no more parts than these."""
    listed: Listed | None = None
    """The branches that the tool listed; None where it was not asked for them."""
    names: frozenset[str] = frozenset()
    """Those that any list of this Operation named."""
    vanished: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Families and Branches that were read before, of branches that are no longer in the tool."""

    def note_branches(self, listed: Listed) -> None:
        """Takes a list of branches in; of two, a branch is there that one of them names."""
        self.listed, self.names = listed, self.names | listed.names


async def read_record(
    session: Session, vep: Vep, spool: Spool, *, mapping_version: int, marks: Mapping[tuple[str, str], str]
) -> RecordRead:
    """Reads every Family of the VEP. `marks` are those last applied, by Family and Branch.

    A Family that fails does not stop the others; where the Families cannot be told, `error` says why.
    """
    read = RecordRead()
    try:
        await _read_families(session, vep, spool, read, mapping_version, marks)
    except ConnectorError as error:
        read.error = error
    return read


async def _read_families(
    session: Session,
    vep: Vep,
    spool: Spool,
    read: RecordRead,
    mapping_version: int,
    marks: Mapping[tuple[str, str], str],
) -> None:
    async for family in session.families(vep, listed=read.note_branches):
        part = PartRead(len(read.parts), family.family if isinstance(family, Skipped) else family.name, family.branch)
        if any((other.family, other.branch) == (part.family, part.branch) for other in read.parts):
            raise Incomplete(f"The connector yields the Family {part.family!r} twice.")
        read.parts.append(part)
        if isinstance(family, Skipped):
            part.skipped_because = family.because
            continue
        part.declared, part.mark = family, family.mark
        before = marks.get((part.family, part.branch), "")
        if family.mark < before:
            part.skipped_because = older_state(family.mark, before)
            continue
        await read_part(session, part, spool, mapping_version=mapping_version)


def older_state(mark: str, applied: str) -> str:
    """Why a state that is older than the one applied last is not read."""
    return f"The state of {mark} is older than that of {applied}, which was applied."


async def read_part(session: Session, part: PartRead, spool: Spool, *, mapping_version: int) -> None:
    """Reads one Family and Branch into the spool; begins again, once, where the vendor's total moved."""
    part.outcome = await _read_once(session, part, spool, mapping_version)
    if isinstance(part.outcome.error, TotalMoved):
        part.outcome = await _read_once(session, part, spool, mapping_version)
    if part.outcome.off:
        part.skip(part.outcome.why or "The tool does not offer it here.")


async def _read_once(session: Session, part: PartRead, spool: Spool, mapping_version: int) -> Outcome:
    family = part.declared
    if family is None:
        raise ValueError(f"{part.family} was not declared, so there is nothing to read.")
    part.turns += 1
    part.odd.clear()
    part.nameless = 0
    unknown = Severity.UNKNOWN  # each look into an Enum is a call
    reading = session.read(family.list, off=family.off, keep_raw=not family.secret)
    async for batch in reading:
        findings = [row for row in batch if not isinstance(row, Odd)]
        for finding in findings:
            if finding.unknown_words or finding.severity is unknown:
                count_unknown(part.unknown_words, finding)
        if len(findings) < len(batch):
            _set_aside(part, spool, [row for row in batch if isinstance(row, Odd)])
        spool.add(part.turns, part.number, findings, mapping_version)
    part.elsewhere = reading.outcome.elsewhere
    return reading.outcome


def _set_aside(part: PartRead, spool: Spool, rows: Sequence[Odd]) -> None:
    """Notes rows that could not be read: with an id they count as seen."""
    for odd in rows:
        if odd.id is None:
            part.nameless += 1
        else:
            spool.add_odd(part.turns, part.number, odd.id)
        if len(part.odd) < KEPT_ODD:
            part.odd.append(odd)


def count_unknown(counted: Counter[str], finding: Finding) -> None:
    """Counts the words of a finding that the connector does not know; only so many different ones."""
    words = finding.unknown_words or (f"severity: {finding.vendor_severity or 'none'}",)
    for word in words:
        if word in counted or len(counted) < KEPT_ODD:
            counted[word[:200]] += 1
