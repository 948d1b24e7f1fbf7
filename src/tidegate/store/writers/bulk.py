"""What a decision about many comes to, in groups; and the decision itself, in one statement. The caller has the
transaction open, and holds the Records where it acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tidegate.store.statement import rows_of

ALL: Final = 2**31 - 1


@dataclass(frozen=True)
class Group:
    """Those of many that share a fate: how many, and their numbers, or the first of them."""

    number: int
    ids: list[int]


def sort_records(
    records: Sequence[int],
    deed: str,
    *,
    mine: Sequence[int] | None = None,
    products: Sequence[int] | None = None,
    product: int | None = None,
    because: str = "",
    most: int = ALL,
) -> dict[str, Group]:
    """By fate. `mine` are those with which the asker may do it, and `products` those into which they may map; None
    where that is all. Nothing is locked or written."""
    rows = rows_of(
        "records_sort", records=list(records), deed=deed, mine=_list(mine), products=_list(products), product=product,
        because=because, most=most,
    )  # fmt: skip
    return {row["fate"]: Group(row["number"], row["ids"]) for row in rows}


def sort_findings(
    findings: Sequence[int], deed: str, *, mine: Sequence[int] | None = None, most: int = ALL
) -> dict[str, Group]:
    """The same for findings."""
    rows = rows_of("findings_sort", findings=list(findings), deed=deed, mine=_list(mine), most=most)
    return {row["fate"]: Group(row["number"], row["ids"]) for row in rows}


def _list(ids: Sequence[int] | None) -> list[int] | None:
    return None if ids is None else list(ids)
