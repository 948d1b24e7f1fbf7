"""All findings that are asked for, as a stream: NDJSON, CSV or SARIF, in pieces, however many there are.

They are read some hundred at a time along their numbers, the oldest first, so memory stays flat and no transaction is
held open. What is found or decided meanwhile may be in it or not; nothing is in it twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from tidegate import catalog
from tidegate.reads import sarif
from tidegate.reads.finding import FindingRow, Status, rows, wanted_of
from tidegate.reads.page import storable
from tidegate.reads.selection import Wanted, walk
from tidegate.reads.viewer import visible
from tidegate.rules.mapping_file import written
from tidegate.store import models
from tidegate_sdk import Severity

Format = Literal["ndjson", "csv", "sarif"]

KINDS: Final[dict[Format, str]] = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "sarif": "application/sarif+json",
}
"""The media type of each."""

BATCH: Final = 300
"""So many findings are read at once: their texts may be long."""

_OF_ROW: Final = (
    "id", "severity", "title", "active", "open", "why", "held", "product", "product_id", "connection", "record",
    "record_id", "family", "branch", "where", "key", "created_at", "last_seen_at", "unwatched_since",
)  # fmt: skip
_OF_FIELDS: Final = ("rule", "cwe", "ids", "component", "version", "fixed_version", "cvss_score", "url")
COLUMNS: Final = (*_OF_ROW, "severity_vendor", *_OF_FIELDS)
"""The columns of the CSV."""


class ExportedFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an export."""

    finding: Annotated[FindingRow, Meta(description="The finding, as lists show it.")]
    severity_vendor: Annotated[str, Meta(description="The tool's severity.")]
    fields: Annotated[dict[str, Any], Meta(description="Everything else the tool said.")]


def exported_findings(
    *,
    format: Format = "ndjson",
    product_id: int | None = None,
    product_type: str | None = None,
    connection_id: int | None = None,
    record_id: int | None = None,
    tool: str | None = None,
    severity: str | None = None,
    status: Status | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    cwe: int | None = None,
    component: str | None = None,
    search: str = "",
) -> Iterator[bytes]:
    """All findings that are asked for, piece by piece; of a search all hits, and not only the best. SARIF has the open
    ones unless a status is said: who reads it takes what stands in it for what is there."""
    if format == "sarif" and status is None:
        status = "open"
    wanted = wanted_of(
        product_id=product_id, product_type=product_type, connection_id=connection_id, record_id=record_id, tool=tool,
        severity=severity, status=status, since=since, until=until, cwe=cwe,
        component=component and storable(component), text=storable(search).strip(),
    )  # fmt: skip
    return {"ndjson": _ndjson, "csv": _csv, "sarif": _sarif}[format](wanted)


def _batches(wanted: Wanted) -> Iterator[list[ExportedFinding]]:
    for ids in walk(wanted, BATCH):
        told = {
            one["pk"]: one
            for one in models.Finding.objects.filter(pk__in=ids).values("pk", "severity_vendor", "fields")
        }
        yield [
            ExportedFinding(
                finding=row,
                severity_vendor=Severity.of_rank(told[row.id]["severity_vendor"]).value,
                fields=told[row.id]["fields"],
            )
            for row in rows(ids)
            if row.id in told
        ]


def _ndjson(wanted: Wanted) -> Iterator[bytes]:
    for batch in _batches(wanted):
        yield b"".join(msgspec.json.encode(one) + b"\n" for one in batch)


def _csv(wanted: Wanted) -> Iterator[bytes]:
    """Formula-safe, as mappings are: rules/mapping_file.py."""
    cells = (_cells(one) for batch in _batches(wanted) for one in batch)
    for line in written(cells, COLUMNS):
        yield line.encode()


def _cells(one: ExportedFinding) -> list[str]:
    of_row = [_cell(getattr(one.finding, name)) for name in _OF_ROW]
    return [*of_row, one.severity_vendor, *(_cell(one.fields.get(name)) for name in _OF_FIELDS)]


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat()
        case list() | tuple():
            return " ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case _:
            return str(value)


def _sarif(wanted: Wanted) -> Iterator[bytes]:
    """A run for each Connection that has something to say; within one, rules come behind the results that name them."""
    yield b'{"$schema":' + msgspec.json.encode(sarif.SCHEMA) + b',"version":"2.1.0","runs":['
    before = b""
    for connection in _connections(wanted):
        begun = False
        for piece in _run(replace(wanted, connection_id=connection.pk), connection):
            yield piece if begun else before + piece
            begun, before = True, b","
    yield b"]}\n"


def _connections(wanted: Wanted) -> list[models.Connection]:
    tests = models.Test.objects.filter(
        visible(
            connection="connection_id",
            product="engagement__product_id",
            product_type="engagement__product__product_type_id",
        ),
        connection__isnull=False,
    )
    if wanted.connection_id is not None:
        tests = tests.filter(connection_id=wanted.connection_id)
    return list(models.Connection.objects.filter(pk__in=tests.values("connection_id")).order_by("pk"))


def _run(wanted: Wanted, connection: models.Connection) -> Iterator[bytes]:
    """Nothing where it has no finding: an empty run would say that there is none any more."""
    rules, begun = sarif.Rules(), False
    for batch in _batches(wanted):
        for one in batch:
            told = msgspec.json.encode(_result(one, rules))
            about = {"id": f"tidegate/{connection.pk}/", "description": {"text": connection.label}}
            head = b'{"automationDetails":' + msgspec.json.encode(about) + b',"results":['
            yield (b"," if begun else head) + told
            begun = True
    if begun:
        kind = catalog.tool(connection.tool)
        driver = {"name": kind.name if kind else connection.tool, "rules": rules.objects()}
        yield b'],"tool":' + msgspec.json.encode({"driver": driver}) + b"}"


def _result(one: ExportedFinding, rules: sarif.Rules) -> dict[str, Any]:
    row, severity = one.finding, Severity(one.finding.severity)
    rule = sarif.rule_id(row.family, one.fields)
    rules.add(rule, severity, one.fields.get("cwe") or ())
    return sarif.result(
        rule=rule,
        title=row.title,
        severity=severity,
        open=row.open,
        active=row.active,
        why=row.why,
        fingerprint=" ".join((str(row.record_id), row.family, row.branch, row.key)),
        fields=one.fields,
        properties={"tidegate": row.id, "product": row.product, "record": row.record, "connection": row.connection},
    )
