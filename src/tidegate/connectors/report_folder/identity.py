"""What makes a finding of a report the same finding in the next one, where the tool gives no id that lasts."""

from __future__ import annotations

import json
import re
from array import array
from hashlib import blake2b
from typing import Any

_SPACE = re.compile(r"\s+")
_NUMBER = re.compile(r"\d+")


def digest(*parts: str) -> str:
    """One short name for these texts, in this order."""
    return blake2b("".join([f"{len(part)}:{part}" for part in parts]).encode(), digest_size=16).hexdigest()


def canonical(value: Any) -> str:
    """A text for a value of JSON: the same for equal values."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def folded(text: str) -> str:
    """A text without what an unrelated edit changes in it: indentation and line breaks."""
    return _SPACE.sub(" ", text).strip()


def wording(text: str) -> str:
    """A message without the numbers in it, which are lines, columns and counts."""
    return folded(_NUMBER.sub("0", text))


class Ordinals:
    """Tells exact repeats apart by their order: the first keeps its name, the second gets `#2`.

    Names are remembered as 64-bit numbers in one flat table, 12 to 24 bytes each: a million results fit into memory.
    """

    def __init__(self) -> None:
        self._table = array("Q", bytes(8 * 2**12))
        self._used = 0
        self._repeats: dict[str, int] = {}

    def name(self, base: str) -> str:
        """The name to use for what has this digest; call it once a finding, in document order."""
        if self._add(int(base[:16], 16) or 1):
            return base
        self._repeats[base] = self._repeats.get(base, 1) + 1
        return f"{base}#{self._repeats[base]}"

    def _add(self, entry: int) -> bool:
        """Whether it was not there yet."""
        table = self._table
        mask = len(table) - 1
        slot = entry & mask
        while table[slot]:
            if table[slot] == entry:
                return False
            slot = (slot + 1) & mask
        table[slot] = entry
        self._used += 1
        if self._used * 3 > len(table) * 2:
            self._grow()
        return True

    def _grow(self) -> None:
        old, self._table, self._used = self._table, array("Q", bytes(16 * len(self._table))), 0
        for entry in old:
            if entry:
                self._add(entry)
