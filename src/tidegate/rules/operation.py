"""What an Operation counted, as a person would say it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from tidegate.rules.undo_sync import WORDS as UNDONE_WORDS

NOT_READ_TO_THE_END: Final = ("failed", "incomplete", "skipped", "dropped")
"""Outcomes of Records that a Sync asks for when it is asked for once more."""

WORDS: Final = {
    "records": ("Record read", "Records read"),
    "auto_mapped": ("mapped by auto-map", "mapped by auto-map"),
    "mapped_by_rules": ("mapped by rules", "mapped by rules"),
    "ignored_by_rules": ("ignored by rules", "ignored by rules"),
    "left_by_rules": ("left by rules to a person", "left by rules to a person"),
    "products_made": ("Product made", "Products made"),
    "kept": ("decided by a person since", "decided by a person since"),
    **UNDONE_WORDS,
}


def in_words(counts: Mapping[str, int]) -> str:
    """Counts as a person would say them; what is nothing is not said."""
    return ", ".join(f"{number:,} {_word(name, number)}" for name, number in counts.items() if number)


def _word(name: str, number: int) -> str:
    one, many = WORDS.get(name, (name.replace("_", " "),) * 2)
    return one if number == 1 else many


def why_not_again(number: int, label: str, deleted_at: datetime | None, draft: bool) -> str:
    """Why nothing of this Operation can be asked for once more: its Connection is gone; empty where it is there.
    A draft is kept as one that is deleted, and its preview may be repeated."""
    if deleted_at is None or draft:
        return ""
    return (
        f"Operation {number} cannot run again: its Connection «{label}» was deleted on {deleted_at:%Y-%m-%d},"
        " and its secrets with it."
    )
