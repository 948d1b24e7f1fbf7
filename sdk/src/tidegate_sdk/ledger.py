"""The accounts of one list, and whether they prove that it was read whole. Pure: no I/O, no clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .ask import Proof
from .errors import ConnectorError
from .reading import Outcome
from .steps import counted


@dataclass(slots=True)
class Ledger:
    """What came and where each row went. `seen` is counted at the vendor's side, the others at ours."""

    seen: int = 0
    kept: int = 0
    odd: int = 0
    nameless: int = 0
    """Odd rows without an id; of a shared walk none, as they concern one VEP each."""
    homeless: int = 0
    """Rows of a walk for many that do not say to which VEP or Family they belong. They are odd, whatever else can be
    read."""
    elsewhere: int = 0
    """Rows of other Families that the same walk brought; not among those seen."""
    skipped: Counter[str] = field(default_factory=Counter[str])
    proof: Proof | None = None
    error: ConnectorError | None = None
    not_enabled: str = ""
    """Why the vendor counts as saying "not enabled here"; "" if it does not."""

    def fail(self, error: ConnectorError) -> None:
        """A failure stays: nothing that happens later can take the first one back."""
        if self.error is None:
            self.error = error

    def outcome(self) -> Outcome:
        """The word on the list as the accounts stand now."""
        why = self._why()
        return Outcome(
            complete=not why,
            why=why,
            error=self.error,
            off=bool(self.not_enabled),
            proof=self.proof,
            seen=self.seen,
            kept=self.kept,
            odd=self.odd,
            skipped=dict(self.skipped),
            elsewhere=self.elsewhere,
        )

    def _why(self) -> str:
        """The first thing that is missing from the proof."""
        proof, accounted = self.proof, self.kept + self.odd + self.skipped.total()
        came = self.seen + self.elsewhere
        if self.not_enabled:
            return self.not_enabled
        if self.error is not None:
            return str(self.error)
        if proof is None:
            return "The list was not read to its end."
        if self.nameless:
            have = "has" if self.nameless == 1 else "have"
            return f"{self.nameless} of {counted(self.seen, 'row')} could not be read and {have} no readable id."
        if self.homeless:
            if self.homeless == 1:
                return f"1 of {counted(came, 'row')} does not say what it belongs to, so it may belong anywhere."
            return f"{self.homeless} of {came} rows do not say what they belong to, so they may belong anywhere."
        if proof.seen != came:
            return f"The walk counts {counted(proof.seen, 'row')}, and {came} came."
        if proof.expected is not None and proof.expected != came:
            return f"The vendor declares {counted(proof.expected, 'row')}, and {came} came."
        if accounted != self.seen:
            return f"{counted(self.seen, 'row')} came, and {accounted} are accounted for."
        return ""
