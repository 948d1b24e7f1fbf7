"""How an action went for each thing it was asked for, and the step by which it can be undone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import NamedTuple, ParamSpec, TypeVar
from uuid import UUID

from tidegate.actions.errors import NotThere, Refused
from tidegate.ingest.apply import again_after_deadlock
from tidegate.rules.names import NameRefused

P = ParamSpec("P")
R = TypeVar("R")

LARGEST_ID = 2**63 - 1


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


def action(work: Callable[P, R]) -> Callable[P, R]:
    """One transaction around an action, again after a deadlock; a name that cannot be used is refused with its why."""

    @wraps(work)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return again_after_deadlock(lambda: work(*args, **kwargs))
        except NameRefused as refused:
            raise Refused(str(refused), "Nothing was changed; enter another.") from refused

    return inside


def wanted(ids: Iterable[int], what: str, there: Callable[[list[int]], Iterable[int]]) -> list[int]:
    """The ids, each once. Raises NotThere if one of them is not there: then nothing is done for any."""
    asked = sorted(set(ids))
    if not asked:
        raise Refused(f"No {what} was named.", "Name at least one.")
    found = set(there([id for id in asked if 0 < id <= LARGEST_ID]))
    if missing := [id for id in asked if id not in found]:
        named = ", ".join(map(str, missing[:10])) + (", …" if len(missing) > 10 else "")
        raise NotThere(
            f"There is no {what} {named}.", f"Nothing was changed. See what there is: tidegate {what.lower()} list"
        )
    return asked
