"""The audit log: who did what through which door, and what was forbidden. For administrators of everything only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from tidegate.reads.page import LIMIT, cut, storable
from tidegate.reads.viewer import demand_everywhere
from tidegate.rules.mapping_file import guarded
from tidegate.store import models

BATCH: Final = 1000
Format = Literal["ndjson", "csv"]
KINDS: Final[dict[Format, str]] = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
"""The media type of each."""
COLUMNS: Final = (
    "id", "at", "actor", "user_id", "through", "token", "address", "action", "outcome", "target", "target_ids", "facts",
)  # fmt: skip


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the audit log."""

    id: Annotated[int, Meta(description="Its number.")]
    at: Annotated[datetime, Meta(description="When it was written.")]
    actor: Annotated[str, Meta(description="Who acted: a person, or a part of Tidegate.")]
    user_id: Annotated[int | None, Meta(description="Their number, or null where they have none.")]
    through: Annotated[str, Meta(description="`command line`, `API`, `page`, `trigger` or `itself`.")]
    token: Annotated[str, Meta(description="The name of the token they came with; empty where none.")]
    address: Annotated[str, Meta(description="The address they came from; empty where that is this machine.")]
    action: Annotated[str, Meta(description="What was done: `record.map_records`.")]
    outcome: Annotated[str, Meta(description="`done`, `forbidden`, or `begun` for what commits bit by bit.")]
    target: Annotated[str, Meta(description="The kind of thing it was done to.")]
    target_ids: Annotated[list[int], Meta(description="The numbers of these things, the first hundred.")]
    facts: Annotated[dict[str, Any], Meta(description="Arguments and answer, without secrets, in short.")]


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the audit log, the newest first."""

    lines: Annotated[list[AuditRow], Meta(description="The lines of this page.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]


def audit_lines(
    *,
    by: str | None = None,
    action: str | None = None,
    target: str | None = None,
    target_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    cursor: str | None = None,
    limit: int = LIMIT,
) -> AuditPage:
    """Lines of the audit log, the newest first. Raises NotShown for anybody but an administrator of everything."""
    query = _chosen(by, action, target, target_id, since, until)
    found, following = cut(query, ("-id",), (int,), cursor, limit)
    return AuditPage(lines=[_row(line) for line in found], next=following)


def audit_export(
    *,
    format: Format = "ndjson",
    by: str | None = None,
    action: str | None = None,
    target: str | None = None,
    target_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[str]:
    """All these lines, the oldest first, read batch by batch: a JSON object a line, or CSV in which no cell is a
    formula. Raises NotShown for anybody but an administrator of everything."""
    rows = _all_of(_chosen(by, action, target, target_id, since, until).order_by("id"))
    return _as_csv(rows) if format == "csv" else (msgspec.json.encode(row).decode() + "\n" for row in rows)


def _as_csv(rows: Iterator[AuditRow]) -> Iterator[str]:
    """As a spreadsheet reads it: no cell is a formula, nothing in one begins another."""
    yield _line(COLUMNS)
    for row in rows:
        facts = msgspec.to_builtins(row)
        yield _line([_cell(facts[name]) for name in COLUMNS])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _line(cells: Any) -> str:
    return ",".join('"' + guarded(cell).replace('"', '""') + '"' for cell in cells) + "\r\n"


def _all_of(query: Any) -> Iterator[AuditRow]:
    after = 0
    while found := list(query.filter(pk__gt=after)[:BATCH]):
        yield from map(_row, found)
        after = found[-1].pk


def _chosen(
    by: str | None,
    action: str | None,
    target: str | None,
    target_id: int | None,
    since: datetime | None,
    until: datetime | None,
) -> Any:
    demand_everywhere("administrator", "The audit log")
    query = models.AuditLine.objects.all()
    for column, text in (("actor", by), ("action", action), ("target", target)):
        if text is not None:
            query = query.filter(**{column: storable(text)})
    if target_id is not None:
        query = query.filter(target_ids__contains=[target_id])
    if since is not None:
        query = query.filter(at__gte=since)
    if until is not None:
        query = query.filter(at__lt=until)
    return query


def _row(line: Any) -> AuditRow:
    return AuditRow(**{name: getattr(line, name) for name in COLUMNS})
