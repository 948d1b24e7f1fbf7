"""Whether a Record that went Missing and one that appeared look like the same thing, and what speaks for it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Final

NEAR: Final = 0.7
"""So much of two names is the same, where one is near the other."""
COMMON: Final = 20
"""A word that so many Missing Records have tells nothing of them."""
LONGEST: Final = 200
"""Letters of a name that are compared."""
ENOUGH: Final = 3

_WORD: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Look:
    """What can be compared of a Record."""

    id: int
    name: str
    parent: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Overlap:
    """Of so many findings of the new Record that were looked at, how many the Missing one has too."""

    looked_at: int
    shared: int


@dataclass(frozen=True)
class Likeness:
    """A pair with its evidence, in sentences; `score` only orders them."""

    missing: int
    new: int
    score: int
    evidence: tuple[str, ...]


class Missing:
    """The Missing Records of a Connection, ready to be compared with many new ones: only those that share a word's
    beginning or all attributes are looked at."""

    def __init__(self, looks: Sequence[Look]) -> None:
        self._looks = {look.id: look for look in looks}
        self._by_key: dict[str, list[int]] = {}
        for look in looks:
            for key in _keys(look):
                self._by_key.setdefault(key, []).append(look.id)

    def like(self, new: Look) -> list[tuple[Look, Look]]:
        """The pairs worth a closer look."""
        found = {id for key in _keys(new) if len(there := self._by_key.get(key, ())) <= COMMON for id in there}
        return [(self._looks[id], new) for id in sorted(found)]


def likeness(missing: Look, new: Look, overlap: Overlap | None = None) -> Likeness | None:
    """What speaks for the two being the same; None where that is not enough. A name or findings must be among it: many
    things of one team have the same attributes and parent."""
    told: list[tuple[int, str]] = []
    named = _name_evidence(missing, new)
    told += [named] if named else []
    found = _finding_evidence(overlap)
    told += [found] if found else []
    if not told:
        return None
    if missing.attributes and missing.attributes == new.attributes:
        number = len(missing.attributes)
        told.append((2, "The one attribute is the same." if number == 1 else f"All {number} attributes are the same."))
    if missing.parent and missing.parent == new.parent:
        told.append((1, f"Both lie in «{missing.parent}»."))
    score = sum(points for points, _ in told)
    return Likeness(missing.id, new.id, score, tuple(text for _, text in told)) if score >= ENOUGH else None


def _name_evidence(missing: Look, new: Look) -> tuple[int, str] | None:
    if missing.name == new.name:
        return 3, "The name is the same."
    before, after = _folded(missing.name), _folded(new.name)
    if before and before == after:
        return 3, f"The name is the same but for case and punctuation: «{missing.name}», «{new.name}»."
    if not before or not after:
        return None
    near = SequenceMatcher(None, before, after, autojunk=False)
    within = min(len(before), len(after)) >= 4 and (before in after or after in before)
    if within or (near.quick_ratio() >= NEAR and near.ratio() >= NEAR):
        return 2, f"The names are near: «{missing.name}», «{new.name}»."
    return None


def _finding_evidence(overlap: Overlap | None) -> tuple[int, str] | None:
    """Only where there are findings of both."""
    if overlap is None or not overlap.shared or overlap.shared * 2 < overlap.looked_at:
        return None
    return 4, f"{overlap.shared:,} of {overlap.looked_at:,} findings of the new one are findings of the other too."


def _keys(look: Look) -> set[str]:
    keys = {f"w {word[:4]}" for word in _WORD.findall(look.name[:LONGEST].casefold())}
    if look.attributes:
        keys.add(f"a {json.dumps(look.attributes, sort_keys=True)}")
    return keys


def _folded(name: str) -> str:
    return "".join(_WORD.findall(name[:LONGEST].casefold()))
