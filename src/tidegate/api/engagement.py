"""Routes: engagements."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tidegate.actions import engagement as actions
from tidegate.api.answer import there
from tidegate.api.product_type import TypedName
from tidegate.api.route import Routes
from tidegate.api.words import LARGEST_ID, PAGE, Cursor, Id, Limit, Named, Search
from tidegate.reads import engagement as reads
from tidegate.reads.target import StaleRecords
from tidegate.rules.actor import Actor

routes = Routes("engagement")

Name = Annotated[str, Field(max_length=1000, description="Its name, at most 255 characters; it need not be unique.")]


@routes.read("/engagements", reads.engagements, answers=reads.EngagementPage)
def engagements(
    product_id: Annotated[int | None, Field(ge=1, le=LARGEST_ID, description="Only of this Product.")] = None,
    search: Search = "",
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> reads.EngagementPage:
    return reads.engagements(product_id=product_id, search=search, cursor=cursor, limit=limit)


@routes.read("/engagements/named", reads.named, answers=reads.EngagementPage)
def named(text: Named, product_id: Id | None = None) -> reads.EngagementPage:
    return reads.EngagementPage(engagements=reads.named(text, product_id), next=None)


@routes.read("/engagements/{engagement_id}", reads.engagement, answers=reads.EngagementDetail, version="engagement")
def engagement(engagement_id: Id) -> reads.EngagementDetail:
    return there(reads.engagement(engagement_id), "Engagement", engagement_id)


@routes.act(
    "PATCH",
    "/engagements/{engagement_id}",
    actions.rename_engagement,
    answers=reads.EngagementDetail,
    version="engagement",
)
def rename_engagement(actor: Actor, engagement_id: Id, name: Name) -> reads.EngagementDetail:
    actions.rename_engagement(actor, engagement_id, name)
    return engagement(engagement_id)


@routes.act("DELETE", "/engagements/{engagement_id}", actions.delete_engagement, answers=StaleRecords)
def delete_engagement(actor: Actor, engagement_id: Id, typed_name: TypedName) -> StaleRecords:
    return StaleRecords(stale=actions.delete_engagement(actor, engagement_id, typed_name))
