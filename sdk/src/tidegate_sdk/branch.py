"""Which branches of a VEP are read: those that the vendor lists, chosen by the patterns of a person."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from .ask import Branch, Branches, List
from .reading import Odd, Outcome


@dataclass(frozen=True, slots=True)
class Listed:
    """What came of a list of branches, and the ledger's word on it. `asked` is how to look again."""

    asked: Branches
    rows: tuple[Branch | Odd, ...]
    outcome: Outcome

    @property
    def branches(self) -> tuple[Branch, ...]:
        """Those that could be read, each once, in the vendor's order."""
        return tuple(dict.fromkeys(row for row in self.rows if isinstance(row, Branch)))

    @property
    def names(self) -> frozenset[str]:
        """Whatever the vendor names: also what could not be read but for its name, and the main one by both of its."""
        told = {row.id for row in self.rows if row.id is not None}
        return frozenset(told.union(row.name for row in self.rows if isinstance(row, Branch)))

    @property
    def complete(self) -> bool:
        """Whether a branch that is not named here is gone.

        A list of none is no proof: every VEP with branches has one. Nor is one where a row came twice in pages, since
        another may be hidden behind it.
        """
        repeats = len(self.rows) - len({row.id if isinstance(row, Odd) else row for row in self.rows})
        whole = self.outcome.proof is not None and self.outcome.proof.kind == "whole"
        return self.outcome.complete and bool(self.rows) and (whole or not repeats)

    @property
    def drifting(self) -> bool:
        """Whether a branch may hide between two pages, so that a second list has to miss it too."""
        return self.outcome.proof is not None and self.outcome.proof.kind == "drifting"


def branches_of(listing: List[Branch]) -> Generator[Branches, Any, tuple[Branch, ...]]:
    """All branches that the vendor lists for a VEP, inside families(): `listed = yield from branches_of(List(...))`.

    A failure of the list is thrown in here, as that of a question.
    """
    return (yield Branches(listing))


def chosen(listed: Iterable[Branch], patterns: Sequence[str]) -> list[Branch]:
    """Those whose name one of the patterns matches (`main`, `release/*`), upper and lower case apart.

    Where this is nothing, the Families are Skipped: an empty scope is not an empty answer.
    """
    return [branch for branch in listed if any(fnmatchcase(branch.name, pattern) for pattern in patterns)]
