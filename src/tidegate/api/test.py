"""Routes: tests."""

# ruff: noqa: PT028 - a Test is where findings lie; none of these is one of pytest's

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tidegate.actions import test as actions
from tidegate.api.answer import there
from tidegate.api.product_type import TypedName
from tidegate.api.route import Routes
from tidegate.api.words import LARGEST_ID, PAGE, Cursor, Id, Limit, Named, Search
from tidegate.reads import test as reads
from tidegate.reads.target import StaleRecords
from tidegate.rules.actor import Actor

routes = Routes("test")

Name = Annotated[str, Field(max_length=1000, description="Its name, at most 255 characters; it need not be unique.")]


@routes.read("/tests", reads.tests, answers=reads.TestPage)
def tests(
    product_id: Annotated[int | None, Field(ge=1, le=LARGEST_ID, description="Only of this Product.")] = None,
    engagement_id: Annotated[int | None, Field(ge=1, le=LARGEST_ID, description="Only of this Engagement.")] = None,
    connection_id: Annotated[
        int | None, Field(ge=1, le=LARGEST_ID, description="Only those that this Connection writes into.")
    ] = None,
    search: Search = "",
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> reads.TestPage:
    return reads.tests(
        product_id=product_id,
        engagement_id=engagement_id,
        connection_id=connection_id,
        search=search,
        cursor=cursor,
        limit=limit,
    )


@routes.read("/tests/named", reads.named, answers=reads.TestPage)
def named(text: Named, product_id: Id | None = None) -> reads.TestPage:
    return reads.TestPage(tests=reads.named(text, product_id), next=None)


@routes.read("/tests/{test_id}", reads.test, answers=reads.TestRow, version="test")
def test(test_id: Id) -> reads.TestRow:
    return there(reads.test(test_id), "Test", test_id)


@routes.act("PATCH", "/tests/{test_id}", actions.rename_test, answers=reads.TestRow, version="test")
def rename_test(actor: Actor, test_id: Id, name: Name) -> reads.TestRow:
    actions.rename_test(actor, test_id, name)
    return test(test_id)


@routes.act("DELETE", "/tests/{test_id}", actions.delete_test, answers=StaleRecords)
def delete_test(actor: Actor, test_id: Id, typed_name: TypedName) -> StaleRecords:
    return StaleRecords(stale=actions.delete_test(actor, test_id, typed_name))
