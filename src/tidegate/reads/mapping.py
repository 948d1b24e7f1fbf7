"""Mappings, Record by Record: what is decided of each, for a spreadsheet or a script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
from django.db.models import Q
from msgspec import Meta

from tidegate.reads.record import visible_records
from tidegate.rules.mapping_file import DECISIONS, written
from tidegate.store import models

BATCH: Final = 5_000
_WORDS: Final = {stored: word for word, stored in DECISIONS.items()}
_PRODUCT: Final = "feed__test__engagement__product"
_COLUMNS: Final = {
    "id": "pk",
    "epoch": "epoch",
    "connection": "connection__label",
    "vendor_id": "vendor_id",
    "name": "name",
    "parent": "parent",
    "decision": "decision",
    "product_type": f"{_PRODUCT}__product_type__name",
    "product": f"{_PRODUCT}__name",
    "reason": "ignored_because",
}


class MappingRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided of one Record."""

    id: Annotated[int, Meta(description="The Record's number.")]
    connection: Annotated[str, Meta(description="The label of its Connection.")]
    vendor_id: Annotated[str, Meta(description="The tool's own id for what it stands for.")]
    name: Annotated[str, Meta(description="The name in the tool.")]
    parent: Annotated[str, Meta(description="What it lies in; empty where nothing.")]
    decision: Annotated[str, Meta(description="`new`, `mapped` or `ignored`.")]
    product_type: Annotated[str, Meta(description="The Product Type of its Product; empty where it has none.")]
    product: Annotated[str, Meta(description="The Product it is mapped to; empty where none, or it was deleted.")]
    reason: Annotated[str, Meta(description="Why it is ignored; else empty.")]
    epoch: Annotated[int, Meta(description="Rises with every decision about it.")]


class MappingList(msgspec.Struct, frozen=True, kw_only=True):
    """The mappings of a Connection, or of all."""

    mappings: Annotated[list[MappingRow], Meta(description="Record by Record, Connection by Connection.")]


def mappings(connection_id: int | None = None) -> Iterator[MappingRow]:
    """All Records that are there, of one Connection or of all; read batch by batch."""
    there = models.Connection.objects.filter(deleted_at=None).order_by("label")
    if connection_id is not None:
        there = there.filter(pk=connection_id)
    for connection in list(there.values_list("pk", flat=True)):
        after = 0
        records = models.Record.objects.filter(visible_records(), connection_id=connection, deleted_at=None)
        records = records.order_by("pk")
        while rows := _rows(records.filter(pk__gt=after)[:BATCH]):
            yield from rows
            after = rows[-1].id


def mappings_csv(connection_id: int | None = None) -> Iterator[str]:
    """The same as CSV, line by line."""
    return written(
        (row.connection, row.vendor_id, row.name, row.parent, row.decision, row.product_type, row.product, row.reason)
        for row in mappings(connection_id)
    )


def mappings_of(wanted: Sequence[tuple[int, str]]) -> Mapping[tuple[int, str], MappingRow]:
    """Those of these Records, named by Connection and the tool's own id."""
    ids: dict[int, list[str]] = {}
    for connection, vendor_id in wanted:
        ids.setdefault(connection, []).append(vendor_id)
    found: dict[tuple[int, str], MappingRow] = {}
    for connection, vendor_ids in ids.items():
        there = Q(connection_id=connection, vendor_id__in=vendor_ids, deleted_at=None)
        records = models.Record.objects.filter(visible_records() & there)
        found |= {(connection, row.vendor_id): row for row in _rows(records)}
    return found


def _rows(records: Any) -> list[MappingRow]:
    rows = []
    for row in records.values(*_COLUMNS.values()):
        facts: dict[str, Any] = {name: row[column] for name, column in _COLUMNS.items()}
        facts |= {name: facts[name] or "" for name in ("product", "product_type")}
        facts["decision"] = _WORDS[row["decision"]]
        rows.append(MappingRow(**facts))
    return rows
