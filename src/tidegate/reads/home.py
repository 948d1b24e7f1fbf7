"""The first page: how each Connection's last days went, and which Products which tools look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final

import msgspec
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import JSONObject
from msgspec import Meta

from tidegate.reads.share import seen_whole
from tidegate.reads.tool import tools
from tidegate.reads.viewer import visible
from tidegate.store import models
from tidegate.store.statement import rows_of

DAYS: Final = 30
COVERED: Final = 25
WORST_FIRST: Final = ("failed", "partial", "success")
TONES: Final = {"failed": "bad", "partial": "warn", "success": "good"}


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """How the Discovers and Syncs of one day went."""

    day: Annotated[date, Meta(description="The day, in UTC.")]
    tone: Annotated[str, Meta(description="`good`, `warn`, `bad` by the worst of them; `none` where none ran.")]
    words: Annotated[str, Meta(description="The same in words.")]


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """What one tool looks at in one Product."""

    records: Annotated[int, Meta(description="Records that flow from it into the Product.")]
    missing: Annotated[int, Meta(description="Those of them that are no longer in the tool.")]


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """One Product, tool by tool."""

    product: Annotated[str, Meta(description="The Product's name.")]
    product_id: Annotated[int, Meta(description="Its number.")]
    cells: Annotated[list[Cell | None], Meta(description="In the order of the tools; null where it is not looked at.")]


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Which Products which tools look at."""

    tools: Annotated[list[str], Meta(description="The names of the tools that look at any of these Products.")]
    products: Annotated[list[Covered], Meta(description="The first Products by name.")]
    more: Annotated[bool, Meta(description="There are more Products than these.")]


def days_of(connections: Sequence[int], now: datetime) -> dict[int, list[Day]]:
    """The last 30 days of each Connection, the oldest first."""
    first = datetime.combine(now.date(), time.min, UTC) - timedelta(days=DAYS - 1)
    days = [(first + timedelta(days=n)).date() for n in range(DAYS)]
    names = [f"{day:%-d %B}" for day in days]
    told = {(n, 0, 0, 0): Day(day=days[n], tone="none", words=f"{names[n]}: nothing ran") for n in range(DAYS)}
    strips = {number: list(told.values()) for number in connections}
    seen = [number for number in connections if seen_whole(number)]
    for row in rows_of("days_of_connections", connections=seen, first=first) if seen else ():
        n = row["day"]
        key = (n, *(row[status] for status in WORST_FIRST))
        if key not in told:  # most days go as others do
            ended = [(status, row[status]) for status in WORST_FIRST if row[status]]
            words = ", ".join(f"{number} {status}" for status, number in ended)
            told[key] = Day(day=days[n], tone=TONES[ended[0][0]], words=f"{names[n]}: {words}")
        strips[row["connection_id"]][n] = told[key]
    return strips


def coverage() -> Coverage:
    """The first Products by name, tool by tool: what is looked at, and what is not."""
    # By the Feed: one that is not left behind has its Record, one that is may have it too.
    here = Q(behind=False) | Exists(models.Record.objects.filter(feed=OuterRef("pk")))
    connections = models.Connection.objects.filter(deleted_at=None)
    looking = models.Feed.objects.filter(
        here, test__engagement__product_id=OuterRef("pk"), test__connection__in=connections
    )
    by_tool = looking.values("test__connection__tool").order_by("test__connection__tool")
    counted = by_tool.annotate(n=Count("pk"), missing=Count("pk", filter=Q(behind=True)))
    told = JSONObject(tool="test__connection__tool", n="n", missing="missing")
    there = models.Product.objects.filter(visible(product="pk", product_type="product_type_id"))
    found = list(
        there.annotate(looking=ArraySubquery(counted.values(json=told)))
        .order_by("name", "pk")
        .values_list("pk", "name", "looking")[: COVERED + 1]
    )
    shown = [(number, name, {one["tool"]: one for one in cells}) for number, name, cells in found[:COVERED]]
    slugs = {slug for *_, cells in shown for slug in cells}
    known = [(one.slug, one.name) for one in tools() if one.slug in slugs]
    return Coverage(
        tools=[name for _, name in known],
        products=[
            Covered(product=name, product_id=number, cells=[_cell(cells.get(slug)) for slug, _ in known])
            for number, name, cells in shown
        ],
        more=len(found) > COVERED,
    )


def _cell(counted: Mapping[str, int] | None) -> Cell | None:
    return None if counted is None else Cell(records=counted["n"], missing=counted["missing"])
