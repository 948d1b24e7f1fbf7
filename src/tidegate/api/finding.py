"""Routes: findings, what happened to them, what people decide, and all of them out."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from django.http.response import HttpResponseBase
from msgspec import Meta
from pydantic import BaseModel, Field

from tidegate.actions import finding as actions
from tidegate.actions.step import BulkDone, BulkPreview
from tidegate.api.answer import Answered, bulk_answer, streamed, there
from tidegate.api.problem import FieldError, trouble_of_fields
from tidegate.api.route import STRICT, Routes
from tidegate.api.words import PAGE, Cursor, Expected, Id, Limit, Moment, NoIds, Search
from tidegate.reads import export
from tidegate.reads import finding as reads
from tidegate.reads import story as stories
from tidegate.rules.actor import Actor
from tidegate.rules.bulk import FindingFilter

routes = Routes("finding")

Word = Literal["Critical", "High", "Medium", "Unknown", "Low", "Info"]
Status = Annotated[
    Literal["active", "inactive", "open", "closed", "held", "kept open", "unwatched"] | None,
    Field(description="Only those that are so."),
]
TypeName = Annotated[str | None, Field(max_length=1000, description="Only in Products of this Product Type.")]
Tool = Annotated[str | None, Field(max_length=100, description="Only of this Tool: its slug.")]
OfSeverity = Annotated[Word | None, Field(description="Only of this severity.")]
Since = Annotated[Moment | None, Field(description="Stored from then on.")]
Until = Annotated[Moment | None, Field(description="Stored before then.")]
Cwe = Annotated[int | None, Field(ge=1, le=100_000, description="Only of this CWE.")]
Component = Annotated[str | None, Field(max_length=500, description="Only in this component.")]
KINDS = {"ndjson": "application/x-ndjson", "csv": "text/csv", "sarif": "application/sarif+json"}


Verdict = Annotated[
    Literal["false positive", "out of scope", "accepted", "real", "none"] | None,
    Field(description="`none` takes back what was said; left out, it stays."),
]
End = Annotated[Moment | None, Field(description="When an acceptance ends.")]
Worse = Annotated[Word | Literal["none"] | None, Field(description="`none` gives it back to the tool.")]
Note = Annotated[str | None, Field(max_length=10_000, description="Empty takes it back.")]
Tags = Annotated[list[Annotated[str, Field(max_length=500)]] | None, Field(max_length=100)]


class FindingsMatching(BaseModel):
    """Which findings are meant, by the filters of their list; an empty one means all of them."""

    model_config = STRICT

    product_id: Id | None = None
    product_type: TypeName = None
    connection_id: Id | None = None
    record_id: Id | None = None
    tool: Tool = None
    severity: OfSeverity = None
    status: Status = None
    since: Since = None
    until: Until = None
    cwe: Cwe = None
    component: Component = None
    search: Search = ""


Matching = Annotated[FindingsMatching | None, Field(description="Which are meant, instead of their numbers.")]


def filter_of(matching: FindingsMatching | None) -> FindingFilter | None:
    """As the actions take it."""
    return None if matching is None else FindingFilter(**matching.model_dump(exclude_none=True))


def said(**fields: Any) -> dict[str, Any]:
    """What is said of these fields, as the actions take it: what is empty is taken back, what is left out stays."""
    return {name: None if value in ("none", "", []) else value for name, value in fields.items() if value is not None}


class DecidedFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a decision."""

    finding: Annotated[reads.FindingDetail, Meta(description="The finding as it is now.")]
    branches: Annotated[int, Meta(description="On so many branches it lies; it is decided on all of them.")]


@routes.read("/findings", reads.findings, answers=reads.FindingPage)
def findings(
    product_id: Id | None = None,
    product_type: TypeName = None,
    connection_id: Id | None = None,
    record_id: Id | None = None,
    tool: Tool = None,
    severity: OfSeverity = None,
    status: Status = None,
    since: Since = None,
    until: Until = None,
    cwe: Cwe = None,
    component: Component = None,
    search: Search = "",
    sort: Literal["severity", "newest", "oldest", "changed"] | None = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> reads.FindingPage:
    return reads.findings(
        product_id=product_id, product_type=product_type, connection_id=connection_id, record_id=record_id, tool=tool,
        severity=severity, status=status, since=since, until=until, cwe=cwe, component=component, search=search,
        sort=sort, cursor=cursor, limit=limit,
    )  # fmt: skip


@routes.read(
    "/findings/export",
    export.exported_findings,
    kinds={
        "application/x-ndjson": "A finding a line.",
        "text/csv": "A finding a line; no cell is a formula.",
        "application/sarif+json": "SARIF 2.1.0.",
    },
)
def exported_findings(
    actor: Actor,
    format: Literal["ndjson", "csv", "sarif"] = "ndjson",
    product_id: Id | None = None,
    product_type: TypeName = None,
    connection_id: Id | None = None,
    record_id: Id | None = None,
    tool: Tool = None,
    severity: OfSeverity = None,
    status: Status = None,
    since: Since = None,
    until: Until = None,
    cwe: Cwe = None,
    component: Component = None,
    search: Search = "",
) -> HttpResponseBase:
    pieces = export.exported_findings(
        format=format, product_id=product_id, product_type=product_type, connection_id=connection_id,
        record_id=record_id, tool=tool, severity=severity, status=status, since=since, until=until, cwe=cwe,
        component=component, search=search,
    )  # fmt: skip
    return streamed(pieces, KINDS[format], f"findings.{format}", actor.access)


@routes.read("/findings/{finding_id}", reads.finding, answers=reads.FindingDetail, version="finding")
def finding(finding_id: Id) -> reads.FindingDetail:
    return there(reads.finding(finding_id), "finding", finding_id)


@routes.read("/findings/{finding_id}/story", stories.story, answers=stories.StoryPage)
def story(finding_id: Id, cursor: Cursor = None, limit: Limit = PAGE) -> stories.StoryPage:
    return there(stories.story(finding_id, cursor=cursor, limit=limit), "finding", finding_id)


@routes.act(
    "PATCH", "/findings/{finding_id}/decisions", actions.decide_finding, answers=DecidedFinding, version="finding",
    sends={"verdict": "false positive", "note": "Only in the test data."},
)  # fmt: skip
def decide_finding(
    actor: Actor,
    finding_id: Id,
    verdict: Verdict = None,
    until: End = None,
    severity: Worse = None,
    verified: bool | None = None,
    note: Note = None,
    tags: Tags = None,
) -> DecidedFinding:
    given = said(verdict=verdict, until=until, severity=severity, verified=verified, note=note, tags=tags)
    branches = actions.decide_finding(actor, finding_id, **given)
    return DecidedFinding(finding=finding(finding_id), branches=branches)


@routes.act(
    "POST",
    "/findings/decide",
    actions.decide_findings,
    answers=BulkDone,
    sends={"matching": {"product_id": 3, "search": "jquery"}, "expected": "34", "verdict": "out of scope"},
)
def decide_findings(
    actor: Actor,
    finding_ids: NoIds = [],  # noqa: B006
    matching: Matching = None,
    expected: Expected = "",
    verdict: Verdict = None,
    until: End = None,
    severity: Worse = None,
    verified: bool | None = None,
    note: Note = None,
    tags: Tags = None,
) -> Answered:
    given = said(verdict=verdict, until=until, severity=severity, verified=verified, note=note, tags=tags)
    done = actions.decide_findings(actor, finding_ids, matching=filter_of(matching), expected=expected, **given)
    return bulk_answer(done)


@routes.act("POST", "/findings/close", actions.close_findings, answers=BulkDone)
def close_findings(
    actor: Actor,
    finding_ids: NoIds = [],  # noqa: B006
    matching: Matching = None,
    expected: Expected = "",
) -> Answered:
    return bulk_answer(actions.close_findings(actor, finding_ids, matching=filter_of(matching), expected=expected))


@routes.act("POST", "/findings/undo", actions.undo, answers=BulkDone)
def undo(
    actor: Actor,
    step: Annotated[UUID | None, Field(description="A whole step, as an answer told it.")] = None,
    finding_id: Annotated[Id | None, Field(description="The last decision on one finding.")] = None,
) -> Answered:
    if (step is None) == (finding_id is None):
        raise trouble_of_fields(
            [FieldError(place="body", pointer="#/step", sentence="Name a step or a finding, not both.")]
        )
    return bulk_answer(actions.undo(actor, step=step, finding_id=finding_id))


@routes.act("POST", "/findings/preview", actions.preview_findings, answers=BulkPreview)
def preview_findings(
    actor: Actor,
    deed: Annotated[
        Literal["decide", "close"],
        Field(description="Whether it would be decided, or what nothing watches any more would be closed."),
    ],
    finding_ids: NoIds = [],  # noqa: B006
    matching: Matching = None,
) -> BulkPreview:
    return actions.preview_findings(actor, deed, finding_ids, matching=filter_of(matching))
