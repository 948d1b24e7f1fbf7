"""What a bench found: figures, each beside its bar where promises.md sets one. All bars are here and nowhere else."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Bar:
    """What a figure is held to, and the row of the table of speed and size that asks for it."""

    row: str
    what: str
    unit: str
    most: float = math.inf
    least: float = -math.inf

    def kept(self, value: float) -> bool:
        return self.least <= value <= self.most

    def __str__(self) -> str:
        if self.least > -math.inf and self.most < math.inf:
            return f"{self.least:g} to {self.most:g}"
        return f"≤ {self.most:g}" if self.most < math.inf else f"≥ {self.least:g}"


COPY: Final = "× bare COPY"
DECODE: Final = "× bare decode"
UNCHANGED_ROW: Final = "apply an unchanged Sync, spooling included"
CHANGED_ROW: Final = "apply a Sync with 1 % changed and 1 % gone"
FIRST_ROW: Final = "first import"
STOCK_ROW: Final = "cost as the rest grows: 10,000 findings beside 2,000,000 of other Records"
FLAT_ROW: Final = "100 unchanged Syncs leave every table as it was; a killed run leaves nothing"
WHOLE_ROW: Final = "end to end from the vendor's bytes over loopback HTTP"
TOOLS_ROW: Final = "end to end, for every Tool"
MEMORY_ROW: Final = "a worker's peak memory in any of these"
DISCOVER_ROW: Final = "Discover of 100,000 vendor products already known"
SHARED_ROW: Final = "one walk for all Records: 200,000 findings of 10,000 products, 3,000 of them mapped"
LISTS_ROW: Final = "any page or list with 1,000,000 findings, 100,000 Records and 10,000 Operations stored"
EXPORT_ROW: Final = "all of 100,000 findings exported"
DELIVERY_ROW: Final = "10,000 findings delivered into a DefectDojo: all, none, and 1 % changed"
REMAP_ROW: Final = "move or close 200,000 findings as a change"
START_ROW: Final = "`tidegate up` to first page, database already made; all Python processes when idle"
SCALE_ROW: Final = "2 workers against 1, vendors that answer in 200 ms a page"
ROWS: Final = (
    FIRST_ROW,
    UNCHANGED_ROW,
    CHANGED_ROW,
    STOCK_ROW,
    FLAT_ROW,
    WHOLE_ROW,
    TOOLS_ROW,
    MEMORY_ROW,
    DISCOVER_ROW,
    SHARED_ROW,
    LISTS_ROW,
    EXPORT_ROW,
    DELIVERY_ROW,
    REMAP_ROW,
    START_ROW,
    SCALE_ROW,
)
"""As in promises.md, in the order of the report; remap and the flat tables are asked for by issue 5,
exports by issue 6, every Tool by issue 8, deliveries by issue 9."""

BARS: Final = {
    "first": Bar(FIRST_ROW, "first import, up to 100,000", COPY, most=5),
    "first, more than 100,000": Bar(FIRST_ROW, "first import, more than 100,000", COPY, most=6),
    "unchanged": Bar(UNCHANGED_ROW, "unchanged", COPY, most=1),
    "unchanged writes": Bar(UNCHANGED_ROW, "findings that the unchanged one writes", "rows", most=0),
    "changed": Bar(CHANGED_ROW, "1 % changed, 1 % gone", "× unchanged", most=1.3),
    "buffers": Bar(STOCK_ROW, "buffers touched", "× empty", least=0.8, most=1.2),
    "stock time": Bar(STOCK_ROW, "time", "× empty", most=1.5),
    "flat size": Bar(FLAT_ROW, "growth of findings, journal, tally, held and catalog", "kB", most=1_000),
    "flat dead": Bar(FLAT_ROW, "most dead rows in one of these", "rows", most=2_000),
    "garbage": Bar(FLAT_ROW, "spools and temporary tables after kill -9", "left", most=0),
    "whole first": Bar(WHOLE_ROW, "first, end to end", DECODE, most=40),
    "whole unchanged": Bar(WHOLE_ROW, "unchanged, end to end", DECODE, most=12),
    "tool first": Bar(TOOLS_ROW, "first", DECODE, most=40),
    "tool unchanged": Bar(TOOLS_ROW, "unchanged", DECODE, most=12),
    "memory": Bar(MEMORY_ROW, "peak memory", "MB", most=150),
    "memory flat": Bar(MEMORY_ROW, "peak memory", "× small", most=1.2),
    "discover time": Bar(DISCOVER_ROW, "beyond the vendor's own time", "s", most=5),
    "discover writes": Bar(DISCOVER_ROW, "rows written of what was known", "rows", most=0),
    "shared asked": Bar(SHARED_ROW, "exports asked for", "", most=1),
    "shared findings": Bar(SHARED_ROW, "findings of mapped products that are there", "%", least=100, most=100),
    "list p95": Bar(LISTS_ROW, "p95 at the server", "ms", most=50),
    "list queries": Bar(LISTS_ROW, "queries of a page", "", most=12),
    "api p95": Bar(LISTS_ROW, "p95 through the API", "ms", most=50),
    "api queries": Bar(LISTS_ROW, "queries through the API, those that ask who it is included", "", most=12),
    "export memory": Bar(EXPORT_ROW, "peak memory", "MB", most=150),
    "export flat": Bar(EXPORT_ROW, "peak memory", "× small", most=1.2),
    "delivery created": Bar(DELIVERY_ROW, "created: requests for 100 findings", "", most=1),
    "delivery unchanged": Bar(DELIVERY_ROW, "unchanged: requests for a Test", "", most=1),
    "delivery writes": Bar(DELIVERY_ROW, "unchanged: writes", "", most=0),
    "delivery changed": Bar(DELIVERY_ROW, "1 % changed: requests for one of them", "", most=1.2),
    "delivery memory": Bar(DELIVERY_ROW, "peak memory", "MB", most=150),
    "start": Bar(START_ROW, "up to first page", "s", most=5),
    "idle": Bar(START_ROW, "idle, all Python processes together (PSS)", "MB", most=350),
    "two workers": Bar(SCALE_ROW, "two against one", "×", least=1.8),
    # More, and two would only show that there are no more cores.
    "one worker": Bar(SCALE_ROW, "one worker uses", "cores", most=0.4),
    "connections": Bar(SCALE_ROW, "one worker's connections", "", most=40),
    "tick": Bar(SCALE_ROW, "a tick of the scheduler", "s", most=1),
    "backlog": Bar(SCALE_ROW, "Operations that still wait", "", least=1),
    "went well": Bar(SCALE_ROW, "Operations that did not go well", "", most=0),
}


@dataclass(frozen=True)
class Figure:
    """One measured thing. `bar` names one of BARS; what is only told has none. `findings` is the size it holds for."""

    what: str
    value: float
    unit: str = ""
    bar: str = ""
    findings: int = 0
    seconds: float = 0.0

    @property
    def kept(self) -> bool:
        return not self.bar or BARS[self.bar].kept(self.value)

    def as_dict(self) -> dict[str, Any]:
        told: dict[str, Any] = {"what": self.what, "value": significant(self.value), "unit": self.unit}
        if self.findings:
            told["findings"] = self.findings
        if self.seconds:
            told["seconds"] = significant(self.seconds)
        if self.bar:
            told |= {"bar": self.bar, "asked": str(BARS[self.bar]), "kept": self.kept}
        return told

    @classmethod
    def of(cls, told: dict[str, Any]) -> Figure:
        """The figure that `as_dict` told of."""
        names = ("what", "value", "unit", "bar", "findings", "seconds")
        return cls(**{name: told[name] for name in names if name in told})

    @classmethod
    def judged(cls, bar: str, value: float, findings: int = 0, seconds: float = 0.0, of: str = "") -> Figure:
        """A figure that has a bar, with its words."""
        its = BARS[bar]
        return cls(f"{its.what}, {of}" if of else its.what, value, its.unit, bar, findings, seconds)

    def as_cells(self) -> tuple[str, ...]:
        asked = str(BARS[self.bar]) if self.bar else ""
        kept = ("yes" if self.kept else "NO") if self.bar else ""
        each = f"{self.findings / self.seconds:,.0f}" if self.findings and self.seconds else ""
        size = f"{self.findings:,}" if self.findings else ""
        return self.what, size, in_short(self.seconds) if self.seconds else "", each, told(self), asked, kept


HEADS: Final = ("work", "findings", "seconds", "findings/s", "measured", "bar", "kept")


def told(figure: Figure) -> str:
    """The value with its unit."""
    return f"{in_short(figure.value)} {figure.unit}".rstrip()


def in_short(value: float) -> str:
    """Three digits that count, whole where it is whole."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3g}"


def significant(value: float) -> float:
    """Short enough to be compared with another run's."""
    return int(value) if value == int(value) else float(f"{value:.4g}")


def show(figures: Sequence[Figure], as_json: bool) -> int:
    """Prints them; 0 where every bar is kept, 1 where one is not."""
    if as_json:
        print(json.dumps([figure.as_dict() for figure in figures], indent=2, ensure_ascii=False))
    else:
        table = Table(*HEADS)
        for figure in figures:
            table.add_row(*figure.as_cells())
        Console(width=None if sys.stdout.isatty() else 160).print(table)
    return 0 if all(figure.kept for figure in figures) else 1


def say(text: str) -> None:
    """Tells on stderr how far it is; stdout is for the figures."""
    print(text, file=sys.stderr, flush=True)
