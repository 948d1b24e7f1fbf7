"""How an action went for each thing it was asked for, and the step by which it can be undone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from tidegate.actions.errors import NotThere, Refused

LARGEST_ID: Final = 2**63 - 1


class Item(NamedTuple):
    """What became of one thing; `ok` is False where nothing was done, and the sentence says why."""

    id: int
    ok: bool
    sentence: str


@dataclass(frozen=True)
class StepOutcome:
    """`step` undoes what was done, as one; None where that cannot be undone or nothing was done. `operations` are the
    changes that carry it out, where there is much: a worker takes them, or whoever sees them through."""

    step: UUID | None
    items: tuple[Item, ...]
    operations: tuple[int, ...] = ()


def wanted(ids: Iterable[int], what: str, there: Callable[[list[int]], Iterable[int]]) -> list[int]:
    """The ids, each once. Raises NotThere if one of them is not there: then nothing is done for any."""
    asked = sorted(set(ids))
    if not asked:
        raise Refused(f"No {what} was named.", "Name at least one.")
    found = set(there([id for id in asked if 0 < id <= LARGEST_ID]))
    if missing := [id for id in asked if id not in found]:
        raise not_there(what, missing)
    return asked


def not_there(what: str, missing: Iterable[object]) -> NotThere:
    """That there are none of these numbers: the same words where they are not there and where they may not be seen."""
    numbers = list(missing)
    named = ", ".join(map(str, numbers[:10])) + (", …" if len(numbers) > 10 else "")
    command = what.lower().replace(" ", "-")
    return NotThere(f"There is no {what} {named}.", f"Nothing was changed. See what there is: tidegate {command} list")
