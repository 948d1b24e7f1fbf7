"""How auto-map names the Products it makes where one of that name is there already: records.md, *auto-map on*."""

from __future__ import annotations

from collections.abc import Container
from itertools import count

from tidegate.rules.names import LONGEST, made_clean, shortened, trimmed

UNNAMED = "Unnamed"
LONGEST_PART = 80  # of what tells names apart, so that it stays whole and the name before it is cut


def product_name(
    vep_name: str,
    parent: str,
    connection_label: str,
    taken: Container[str],
    numbers: dict[str, int] | None = None,
) -> str:
    """The first free one of: the VEP's name; with its parent; with the Connection's label too; and a number.

    `numbers` remembers between calls where counting stands, so that thousands of one name are not counted anew.
    """
    name = made_clean(vep_name, UNNAMED)
    told_apart = [trimmed(shortened(made_clean(part, ""), LONGEST_PART)) for part in (parent, connection_label)]
    parts = [part for part in told_apart if part]
    for used in range(len(parts) + 1):
        candidate = with_suffix(name, in_brackets(parts[:used]))
        if candidate not in taken:
            return candidate
    return with_number(name, in_brackets(parts), taken, {} if numbers is None else numbers)


def with_number(name: str, apart: str, taken: Container[str], numbers: dict[str, int]) -> str:
    number = next(
        number for number in count(numbers.get(name + apart, 2)) if with_suffix(name, f"{apart} {number}") not in taken
    )
    numbers[name + apart] = number + 1
    return with_suffix(name, f"{apart} {number}")


def in_brackets(parts: list[str]) -> str:
    return f" ({' · '.join(parts)})" if parts else ""


def with_suffix(name: str, suffix: str) -> str:
    return trimmed(shortened(name, LONGEST - len(suffix)) + suffix)
