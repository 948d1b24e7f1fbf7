"""How far a finding is, by the vendor's word for it: a table a vendor, in which every word is listed.

STATUS = {"open": OPEN, "closed": FIXED, "dismissed": FALSE_POSITIVE, "accepted": ACCEPTED}

how = state_of("status", row["status"], STATUS)
Finding(..., fixed=how.fixed, verdict=how.verdict, vendor_status=how.word, unknown_words=how.unknown)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .finding import Verdict

_LONGEST = 100


@dataclass(frozen=True, slots=True)
class State:
    """How far a finding is: the vendor's word, and what it means. A word that nobody knows is open and reported."""

    word: str = ""
    fixed: bool = False
    verdict: Verdict | None = None
    unknown: tuple[str, ...] = ()


OPEN = State()
FIXED = State(fixed=True)
FALSE_POSITIVE = State(verdict=Verdict.FALSE_POSITIVE)
ACCEPTED = State(verdict=Verdict.ACCEPTED)
OUT_OF_SCOPE = State(verdict=Verdict.OUT_OF_SCOPE)


def state_of(field: str, told: Any, table: Mapping[str, State]) -> State:
    """The state by a table of words in lower case; `field` is where the word stands, to report one that is unknown."""
    word = told if isinstance(told, str) else str(told)
    known = table.get(word.strip().lower())
    if known is None:
        return State(word[:_LONGEST], unknown=(f"{field}: {word.lower()[:_LONGEST]}",))
    return _said(word, known.fixed, known.verdict)


@lru_cache(maxsize=500)
def _said(word: str, fixed: bool, verdict: Verdict | None) -> State:
    """Of the few words of a table, made once and not for each row."""
    return State(word, fixed, verdict)
