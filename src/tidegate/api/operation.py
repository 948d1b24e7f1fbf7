"""Routes: Operations, what they did and why, and what they held."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from pydantic import Field

from tidegate.actions import operation as actions
from tidegate.actions import undo
from tidegate.api.answer import Answered, there
from tidegate.api.route import Routes
from tidegate.api.words import PAGE, Cursor, Id, Ids, Limit, Search
from tidegate.reads import operation as reads
from tidegate.reads import preview as previews
from tidegate.reads import progress as followed
from tidegate.rules.actor import Actor

routes = Routes("operation")

Type = Annotated[Literal["discover", "sync", "change", "deliver"] | None, Field(description="Only of this type.")]
Status = Annotated[
    Literal["pending", "running", "success", "partial", "failed", "cancelled"] | None,
    Field(description="Only in this status."),
]
Level = Annotated[Literal["debug", "info", "warning", "error"], Field(description="Only lines of this level or worse.")]
Line = Annotated[int, Field(ge=0, le=2**31 - 1, description="Only lines after the one of this number.")]


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a decision about what was held."""

    operation_id: Annotated[int, Meta(description="The Operation's number.")]
    settled: Annotated[int, Meta(description="How many closings and absences were decided.")]


class PreviewCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What a preview would do, counted."""

    counts: Annotated[list[previews.PreviewCount], Meta(description="By kind and Record; none for what is no preview.")]


def asked(number: int) -> Answered:
    """The answer to a request for an Operation."""
    return Answered(there(reads.operation(number), "Operation", number), 202, f"/operations/{number}")


@routes.read("/operations", reads.operations, answers=reads.OperationPage)
def operations(
    connection_id: Id | None = None,
    type: Type = None,
    status: Status = None,
    held: bool = False,
    preview: bool | None = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> reads.OperationPage:
    return reads.operations(
        connection_id=connection_id, type=type, status=status, held=held, preview=preview, cursor=cursor, limit=limit
    )


@routes.read("/operations/{operation_id}", reads.operation, answers=reads.OperationDetail)
def operation(operation_id: Id) -> reads.OperationDetail:
    return there(reads.operation(operation_id), "Operation", operation_id)


@routes.read("/operations/{operation_id}/log", reads.log, answers=reads.LogPage)
def log(
    operation_id: Id, search: Search = "", level: Level = "debug", after: Line = 0, limit: Limit = PAGE
) -> reads.LogPage:
    there(followed.progress(operation_id), "Operation", operation_id)
    return reads.log(operation_id, search=search, level=level, after=after, limit=limit)


@routes.read("/operations/{operation_id}/progress", followed.progress, answers=followed.ProgressRow)
def progress(operation_id: Id) -> followed.ProgressRow:
    return there(followed.progress(operation_id), "Operation", operation_id)


@routes.read("/operations/{operation_id}/differences", previews.differences, answers=previews.DifferencePage)
def differences(
    operation_id: Id,
    kind: Annotated[str | None, Field(max_length=50, description="Only of this kind.")] = None,
    record_id: Id | None = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> previews.DifferencePage:
    found = previews.differences(operation_id, kind=kind, record_id=record_id, cursor=cursor, limit=limit)
    return there(found, "Operation", operation_id)


@routes.read("/operations/{operation_id}/differences/counts", previews.preview_counts, answers=PreviewCounts)
def preview_counts(operation_id: Id) -> PreviewCounts:
    return PreviewCounts(counts=previews.preview_counts(operation_id))


@routes.act("POST", "/operations/{operation_id}/cancel", actions.cancel, answers=reads.OperationDetail)
def cancel(actor: Actor, operation_id: Id) -> reads.OperationDetail:
    actions.cancel(actor, operation_id)
    return there(reads.operation(operation_id), "Operation", operation_id)


@routes.act("POST", "/operations/{operation_id}/approve", actions.approve, answers=Settled)
def approve(actor: Actor, operation_id: Id) -> Settled:
    return Settled(operation_id=operation_id, settled=actions.approve(actor, operation_id))


@routes.act("POST", "/operations/{operation_id}/keep-open", actions.keep_open, answers=Settled)
def keep_open(actor: Actor, operation_id: Id) -> Settled:
    return Settled(operation_id=operation_id, settled=actions.keep_open(actor, operation_id))


@routes.act(
    "POST", "/operations/{operation_id}/again", actions.request_again, answers=reads.OperationDetail, status=202
)
def request_again(actor: Actor, operation_id: Id) -> Answered:
    return asked(actions.request_again(actor, operation_id))


@routes.act("POST", "/operations/{operation_id}/undo", undo.undo_sync, answers=reads.OperationDetail, status=202)
def undo_sync(actor: Actor, operation_id: Id, record_ids: Ids | None = None) -> Answered:
    return asked(undo.undo_sync(actor, operation_id, record_ids))
