"""The first page: how each Connection's last days went, and which Products which tools look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Final

import msgspec
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, Q
from django.db.models.functions import JSONObject, TruncDate
from msgspec import Meta

from tidegate.reads.share import visible_operations
from tidegate.reads.tool import tools
from tidegate.reads.viewer import visible
from tidegate.store import models

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
    first = now.date() - timedelta(days=DAYS - 1)
    ran = visible_operations().filter(
        connection_id__in=connections, preview=False, type__in=("discover", "sync"), status__in=WORST_FIRST,
        requested_at__gte=now - timedelta(days=DAYS),
    )  # fmt: skip
    counted = ran.values("connection_id", "status", day=TruncDate("requested_at")).annotate(n=Count("id")).order_by()
    by_day: dict[tuple[int, date], dict[str, int]] = {}
    for row in counted:
        by_day.setdefault((row["connection_id"], row["day"]), {})[row["status"]] = row["n"]
    all_days = [first + timedelta(days=n) for n in range(DAYS)]
    return {number: [_day(day, by_day.get((number, day), {})) for day in all_days] for number in connections}


def _day(day: date, counts: dict[str, int]) -> Day:
    worst = next((status for status in WORST_FIRST if counts.get(status)), "")
    said = ", ".join(f"{counts[status]} {status}" for status in WORST_FIRST if counts.get(status)) or "nothing ran"
    return Day(day=day, tone=TONES.get(worst, "none"), words=f"{day:%-d %B}: {said}")


def coverage() -> Coverage:
    """The first Products by name, tool by tool: what is looked at, and what is not."""
    looking = models.Record.objects.filter(
        deleted_at=None, decision="mapped", connection__deleted_at=None,
        feed__test__engagement__product_id=OuterRef("pk"),
    )  # fmt: skip
    by_tool = looking.values("connection__tool").order_by("connection__tool")
    counted = by_tool.annotate(n=Count("pk"), missing=Count("pk", filter=Q(absent_since__isnull=False)))
    told = JSONObject(tool="connection__tool", n="n", missing="missing")
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
