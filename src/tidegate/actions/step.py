"""How an action went for each thing it was asked for, and the step by which it can be undone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta

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


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """One of many for which nothing was done."""

    id: Annotated[int, Meta(description="Its number.")]
    name: Annotated[str, Meta(description="Its name, or a finding's title.")]
    sentence: Annotated[str, Meta(description="Why not.")]


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Those of many to which the same happens."""

    fate: Annotated[str, Meta(description="What happens to them, in a word.")]
    kind: Annotated[str, Meta(description="`changes`, `stays` as it is, or `refused`.")]
    sentence: Annotated[str, Meta(description="The same in a sentence.")]
    number: Annotated[int, Meta(description="So many they are.")]
    examples: Annotated[list[str], Meta(description="The names of the first few.")]


class BulkPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision about many would come to; nothing was changed."""

    number: Annotated[int, Meta(description="So many are meant.")]
    expected: Annotated[str, Meta(description="Say it when you decide: refused where they are others by then.")]
    changes: Annotated[int, Meta(description="So many would change.")]
    refused: Annotated[int, Meta(description="So many would be left alone, each for its reason.")]
    new_products: Annotated[int, Meta(description="So many Products would be made.")]
    imported: Annotated[int, Meta(description="So many findings were imported where those flow now that are remapped.")]
    managed: Annotated[
        int, Meta(description="So many that would change are managed by a configuration file, which sets them back.")
    ]
    shares: Annotated[list[Share], Meta(description="What would happen, group by group.")]


class BulkDone(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a decision about many."""

    step: Annotated[UUID | None, Meta(description="Undoes it as one; null where nothing was done, or for ever.")]
    number: Annotated[int, Meta(description="So many were meant.")]
    changed: Annotated[int, Meta(description="So many were changed.")]
    refused: Annotated[int, Meta(description="So many were left alone, each for its reason.")]
    new_products: Annotated[int, Meta(description="So many Products were made.")]
    shares: Annotated[list[Share], Meta(description="What happened, group by group.")]
    refusals: Annotated[list[Refusal], Meta(description="The first hundred that were left alone, one by one.")]
    operations: Annotated[list[int], Meta(description="The Operations that carry it out, or were asked for.")]


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
