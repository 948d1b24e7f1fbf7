"""What a Discover makes of what it saw: the reference model for the SQL that does it for a hundred thousand VEPs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

MANY = 10
"""Of at most so many VEPs all but the last may go at once without being held."""


@dataclass(frozen=True)
class Known:
    """A Record, as a Discover finds it."""

    name: str
    parent: str = ""
    absent: bool = False
    deleted: bool = False


@dataclass(frozen=True)
class Sighting:
    """A VEP, as the vendor lists it."""

    name: str
    parent: str = ""


@dataclass(frozen=True)
class Discovered:
    """What becomes of each VEP, by the vendor's id."""

    new: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    """Renamed or moved: name and attributes follow, all else stays."""
    back: frozenset[str] = frozenset()
    """Absent before, and seen again."""
    revived: frozenset[str] = frozenset()
    """Deleted by a person while the VEP lives: New again, with its history."""
    gone: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    """Not seen, and not believed until a person says so."""
    verdict: Literal["nothing is gone", "absent", "held", "not proven"] = field(default="nothing is gone")


def after_discover(
    known: Mapping[str, Known], seen: Mapping[str, Sighting], *, complete: bool, odd: Collection[str] = ()
) -> Discovered:
    """What to write. `odd` are ids of VEPs that were there and could not be read: they count as seen, nothing more."""
    there = seen.keys() & known.keys()
    missed = frozenset(
        id for id, record in known.items() if not (record.absent or record.deleted or id in seen or id in odd)
    )
    present = sum(not (record.absent or record.deleted) for record in known.values())
    held = complete and absences_are_held(present, len(missed))
    return Discovered(
        new=frozenset(seen.keys() - known.keys()),
        changed=frozenset(id for id in there if (known[id].name, known[id].parent) != (seen[id].name, seen[id].parent)),
        back=frozenset(id for id, record in known.items() if record.absent and (id in seen or id in odd)),
        revived=frozenset(id for id in there if known[id].deleted),
        gone=missed if complete and not held else frozenset(),
        held=missed if held else frozenset(),
        verdict=verdict(len(missed), complete=complete, held=held),
    )


def absences_are_held(present: int, missed: int) -> bool:
    """Everything, or more than half of more than ten VEPs, gone at once: a token that lost rights looks the same."""
    return missed > 0 and (missed == present or (present > MANY and missed * 2 > present))


def verdict(missed: int, *, complete: bool, held: bool) -> Literal["nothing is gone", "absent", "held", "not proven"]:
    if not missed:
        return "nothing is gone"
    if not complete:
        return "not proven"
    return "held" if held else "absent"
