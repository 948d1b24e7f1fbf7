"""What a preview says in words: what its Operation would do, from the same counts as the real one's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

KINDS: Final = (
    "created", "changed", "reopened", "closed", "held", "new", "renamed", "missing", "back", "revived", "mapped",
    "ignored",
)  # fmt: skip
"""Kinds of differences: the first four of findings, *held* of both, the others of Records."""

COUNTED_AS: Final = {
    "sync": {"created": "created", "updated": "changed", "reopened": "reopened", "closed": "closed", "held": "held"},
    "discover": {
        "new": "new", "changed": "renamed", "missing": "missing", "back": "back", "revived": "revived", "held": "held",
        "auto_mapped": "mapped", "mapped_by_rules": "mapped", "ignored_by_rules": "ignored",
    },
    "deliver": {"created": "created", "changed": "changed", "reopened": "reopened", "closed": "closed"},
}  # fmt: skip
"""By type of Operation: the kind of difference that a word of its counts counts."""

VERBS: Final = {
    "sync": {
        "created": "create {}", "updated": "change {}", "reopened": "reopen {}", "closed": "close {}",
        "rewritten": "rewrite {} as a newer Tidegate reads them",
    },
    "discover": {
        "new": "add {} Record{s}", "changed": "rename or change {}", "back": "find {} again",
        "revived": "bring {} deleted one{s} back", "missing": "let {} go Missing", "mapped_by_rules": "map {} by rules",
        "ignored_by_rules": "ignore {} by rules", "auto_mapped": "map {}", "products_made": "make {} Product{s}",
    },
    "deliver": {
        "created": "create {}", "changed": "change {}", "reopened": "reopen {}", "closed": "close {}",
    },
}  # fmt: skip


def would(type: str, counts: Mapping[str, int]) -> str:
    """One sentence: "Would create 41, change 3, close 2; 1 would be held." """
    verbs = [
        verb.format(f"{counts[word]:,}", s="" if counts[word] == 1 else "s")
        for word, verb in VERBS.get(type, {}).items()
        if counts.get(word)
    ]
    held = counts.get("held", 0)
    if not verbs and not held:
        return "Would change nothing."
    if not verbs:
        return f"Nothing would change; {held:,} would be held."
    return f"Would {', '.join(verbs)}{f'; {held:,} would be held' if held else ''}."
