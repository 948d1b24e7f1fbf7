"""Routes: the audit log."""

from __future__ import annotations

from typing import Annotated

from django.http.response import HttpResponseBase
from pydantic import Field

from tidegate.api.answer import streamed
from tidegate.api.route import Routes
from tidegate.api.words import PAGE, Cursor, Id, Limit, Moment
from tidegate.reads import audit as reads
from tidegate.rules.actor import Actor

routes = Routes("audit")


@routes.read("/audit", reads.audit_lines, reads.AuditPage, role="administrator")
def audit_lines(
    by: str | None = None,
    action: str | None = None,
    target: str | None = None,
    target_id: Id | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> reads.AuditPage:
    return reads.audit_lines(
        by=by, action=action, target=target, target_id=target_id, since=since, until=until, cursor=cursor,
        limit=limit,
    )  # fmt: skip


@routes.read(
    "/audit/export",
    reads.audit_export,
    role="administrator",
    kinds={"application/x-ndjson": "A line of the log a line.", "text/csv": "The same; no cell is a formula."},
)
def audit_export(
    actor: Actor,
    format: Annotated[reads.Format, Field(description="As which of the two.")] = "ndjson",
    by: str | None = None,
    action: str | None = None,
    target: str | None = None,
    target_id: Id | None = None,
    since: Moment | None = None,
    until: Moment | None = None,
) -> HttpResponseBase:
    lines = reads.audit_export(
        format=format, by=by, action=action, target=target, target_id=target_id, since=since, until=until
    )
    return streamed((line.encode() for line in lines), reads.KINDS[format], f"audit.{format}", actor.access)
