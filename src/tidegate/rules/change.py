"""What is to be said of a change that did not come to its end: how much was done, and where the rest is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DONE = {
    "move": ("went over", ("moved", "merged"), "the others are as they were"),
    "close": ("are closed", ("closed",), "the others are open still"),
    "put back": ("went back", ("moved_back", "unmerged"), "the others are where the remap had brought them"),
    "threshold": ("are closed", ("closed",), "the others are open still"),
}
"""By the name of a change: what was done, the counts that say how often, and what became of the rest."""


def how_far(operation: int, scope: Mapping[str, Any], counts: Mapping[str, int]) -> str:
    """How many findings a change that ended early has come to, where the others are, and how to go on; "" where that is
    not told by findings."""
    if scope.get("change") not in DONE:
        return ""
    did, words, rest = DONE[scope["change"]]
    done = sum(counts.get(word, 0) for word in words)
    if scope["change"] == "put back":
        done = max(done, counts.get("reopened", 0))  # of a close, nothing else went back
    total = scope["findings"]
    where = f", in «{scope['left_in']}»" if scope.get("left_in") else ""
    number = f"{done:,} of {total:,} findings" if done < total else f"{done:,} findings"
    return f"{number} {did}; {rest}{where}. Go on with: tidegate operation again {operation}"
