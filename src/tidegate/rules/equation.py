"""Whether the vendor's count is ours: where each row of one Family and Branch went, and what does not add up.

Findings that wait to be closed, are held, or are kept open by a person are in no reading, so not in this count: they
stand beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Equation:
    """vendor + first_only = open + below + fixed + skipped + repeated + quarantined + elsewhere.

    `open` comes from the tallies of stored findings where the reading is complete, all else from what was read: so a
    row that was lost on its way, or stored twice, shows.
    """

    vendor: int
    """Rows by the vendor's own count; those that came where it declares none."""
    open: int
    """Open here and read in this pass, whatever the vendor's users say of them."""
    below: int = 0
    """Below the minimum severity of the Connection."""
    fixed: int = 0
    """Fixed, by the vendor's word."""
    skipped: Mapping[str, int] = field(default_factory=dict[str, int])
    """No findings, says the connector, by its reason."""
    repeated: int = 0
    quarantined: int = 0
    """Rows that could not be read."""
    elsewhere: int = 0
    """Rows of other VEPs or Families, where one walk is for many."""
    first_only: int = 0
    """Shown by the first of two readings only: they count as shown, and the vendor's last count has them not."""

    @property
    def missing(self) -> int:
        """Rows of the vendor that are nowhere; below zero where there are more here than it has. 0: it adds up."""
        accounted = self.open + self.below + self.fixed + self.repeated + self.quarantined + self.elsewhere
        return self.vendor + self.first_only - accounted - sum(self.skipped.values())

    def in_words(self) -> str:
        """As a person reads it: "3,612 in the tool = 3,400 open + 200 below the threshold + 12 skipped (a note)"."""
        said = [(self.open, "open")]
        said += [(self.below, "below the threshold"), (self.fixed, "fixed, says the tool")]
        said += [(number, f"skipped ({reason})") for reason, number in self.skipped.items()]
        said += [(self.repeated, "repeated"), (self.quarantined, "quarantined")]
        said += [(self.elsewhere, "of other Records or Families")]
        right = " + ".join(f"{number:,} {what}" for number, what in said if number or what == "open")
        left = f"{self.vendor:,} in the tool"
        if self.first_only:
            left += f" + {self.first_only:,} in the first of two readings only"
        return f"{left} {'=' if not self.missing else '≠'} {right}"

    def as_json(self) -> dict[str, Any]:
        """As it is stored with the proof: numbers by name, those that are nothing left out."""
        numbers: dict[str, Any] = {"vendor": self.vendor, "open": self.open}
        for name in ("below", "fixed", "repeated", "quarantined", "elsewhere", "first_only"):
            if number := getattr(self, name):
                numbers[name] = number
        return numbers | ({"skipped": dict(self.skipped)} if self.skipped else {})

    @classmethod
    def of_json(cls, numbers: Mapping[str, Any]) -> Equation:
        """The equation that was stored so."""
        return cls(**numbers)


def does_not_add_up(equation: Equation) -> str:
    """Why nothing may close where the counts disagree; "" where they agree."""
    if not equation.missing:
        return ""
    number = abs(equation.missing)
    rows = "1 row is" if number == 1 else f"{number:,} rows are"
    which = "missing here" if equation.missing > 0 else "more here than there"
    return f"The counts do not add up ({equation.in_words()}): {rows} {which}, so nothing is closed. Please report it."
