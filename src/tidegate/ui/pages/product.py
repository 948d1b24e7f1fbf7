"""Products: the tree of what the team builds, and one of them with what flows into it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse

from tidegate.actions.errors import NotThere
from tidegate.reads import product as reads
from tidegate.reads import product_type, record
from tidegate.reads.chart import open_by_day
from tidegate.rules.actor import Actor
from tidegate.ui.download import as_csv
from tidegate.ui.page import page, show
from tidegate.ui.table import Table

TYPES: Final = 200
RECORDS: Final = 100
COLUMNS: Final = {
    "findings": "Open findings", "records": "Records", "unwatched": "Unwatched", "tags": "Tags", "origin": "Made by",
    "made": "Made",
}  # fmt: skip
USUAL: Final = ("findings", "records", "unwatched")
"""The columns that are shown until somebody chooses."""
DAYS_OF_GROWTH: Final = 90


@page
def products(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """Products by name, with what was found in each; by Product Type and words."""
    types = product_type.product_types(limit=TYPES)
    filters = {"product_type": [one.name for one in types.product_types]}
    table = Table(request, "products", filters=filters, columns=COLUMNS, usual=USUAL)
    chosen = table.filter("product_type") or ""

    def rows(cursor: str | None, limit: int) -> tuple[Sequence[reads.ProductRow], str | None]:
        page = reads.products(search=table.search, product_type=chosen, cursor=cursor, limit=limit)
        return page.products, page.next

    if table.as_csv:
        return as_csv(actor, "products", reads.ProductRow, rows)
    found = reads.products(search=table.search, product_type=chosen, cursor=table.cursor, limit=table.limit)
    context = {"table": table, "found": found, "types": types.product_types, "chosen": chosen}
    return show(request, "product/list.html", context, parts={"products": "product/table.html"})


@page
def product(request: HttpRequest, actor: Actor, /, *, product_id: int) -> HttpResponse:
    """One Product: its findings, the Records that flow into it, and its Engagements and Tests."""
    found = reads.product(product_id)
    if found is None:
        raise NotThere(f"There is no Product {product_id}, or you may not see it.", "Look at all Products.")
    flowing = record.flowing_into(product_id, RECORDS + 1)
    today = datetime.now(UTC).date()
    grown = open_by_day(since=today - timedelta(days=DAYS_OF_GROWTH), until=today, product_id=product_id)
    context = {
        "found": found, "row": found.product, "grown": [day.open for day in grown],
        "records": flowing[:RECORDS], "more": len(flowing) > RECORDS,
    }  # fmt: skip
    return show(request, "product/page.html", context)
