"""Whether closings that came at once are believed or held for a person: records.md, *A sudden collapse is held*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Ruling = Literal["close", "hold"]


@dataclass(frozen=True)
class HoldPolicy:
    """More than `percent` per cent of more than `above` open findings is a collapse; both are the Connection's."""

    above: int = 20
    percent: int = 50

    def is_collapse(self, open_before: int, gone: int) -> bool:
        return open_before > self.above and gone * 100 > self.percent * open_before


@dataclass(frozen=True)
class RecordCount:
    """What a complete read of one Record found: how many of its findings were open before, and how many of these are
    gone. Findings that a person keeps open, or that close on the vendor's word or a threshold, count as neither."""

    record_id: int
    open_before: int
    gone: int


def verdict(records: Sequence[RecordCount], policy: HoldPolicy) -> dict[int, Ruling]:
    """For each Record read completely in one Operation: close what is gone, or hold it.

    First each Record on its own; then all that were not held so, together: hundreds of small Records may collapse
    without any one of them passing the limit.
    """
    alone = {count.record_id for count in records if policy.is_collapse(count.open_before, count.gone)}
    others = [count for count in records if count.record_id not in alone]
    together = policy.is_collapse(sum(other.open_before for other in others), sum(other.gone for other in others))
    held = alone.union(other.record_id for other in others if together and other.gone)
    return {count.record_id: "hold" if count.record_id in held else "close" for count in records}
