"""What is in force for a finding: whether it is active, and how severe it is. A person's word beats the vendor's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

REAL = "real"
"""Says that a finding counts although the vendor's users judged otherwise."""

ACCEPTED = "accepted"
"""The one verdict that may end on a date."""

VERDICTS = ("false positive", ACCEPTED, "out of scope", REAL)

UNKNOWN = 2
"""The rank of a severity that nobody could tell: no threshold ever filters it."""


@dataclass(frozen=True)
class PersonsVerdict:
    """What a person decided, and until when."""

    word: str
    until: datetime | None = None

    def in_force(self, now: datetime) -> bool:
        return self.until is None or now < self.until


def is_active(*, open: bool, person: PersonsVerdict | None, vendor_verdict: int, now: datetime) -> bool:
    """Open, and neither a person nor (where no person has spoken) the vendor says that it does not count."""
    if not open:
        return False
    if person is not None and person.in_force(now):
        return person.word == REAL
    return vendor_verdict == 0


def severity_in_force(vendor: int, person: int | None) -> int:
    return vendor if person is None else person


def is_below(severity: int, minimum: int) -> bool:
    """Whether a threshold keeps it away; Unknown never."""
    return severity < minimum and severity != UNKNOWN
