"""Tests: where the findings of one Connection lie in one Product, and those that others made."""

# ruff: noqa: PT028 - a Test is where findings lie; none of these is one of pytest's

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from django.db.models import Q
from msgspec import Meta

from tidegate.reads.count import Findings, findings_by_test
from tidegate.reads.page import LIMIT, cut, number, storable
from tidegate.reads.viewer import visible
from tidegate.store import models


class TestRow(msgspec.Struct, frozen=True, kw_only=True):
    """One Test of a Product: where the findings of one Connection lie."""

    id: Annotated[int, Meta(description="Its number.")]
    engagement: Annotated[str, Meta(description="The Engagement it belongs to.")]
    engagement_id: Annotated[int, Meta(description="That Engagement's number.")]
    product: Annotated[str, Meta(description="The Product that this belongs to.")]
    product_id: Annotated[int, Meta(description="That Product's number.")]
    name: Annotated[str, Meta(description="Its name.")]
    connection: Annotated[str | None, Meta(description="The label of the Connection that writes into it.")]
    connection_id: Annotated[int | None, Meta(description="That Connection's number, or null: others made it.")]
    connection_deleted: Annotated[bool, Meta(description="That Connection was deleted; what it brought stays.")]
    findings: Annotated[Findings, Meta(description="What lies in it.")]
    created_at: Annotated[datetime, Meta(description="When it was made.")]


class TestPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of Tests, by name."""

    tests: Annotated[list[TestRow], Meta(description="The Tests of this page.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]


def tests(
    *,
    product_id: int | None = None,
    engagement_id: int | None = None,
    connection_id: int | None = None,
    search: str = "",
    cursor: str | None = None,
    limit: int = LIMIT,
) -> TestPage:
    """Tests by name. `search` looks into their names, ignoring case."""
    asked = {
        "engagement__product_id": product_id,
        "engagement_id": engagement_id,
        "connection_id": connection_id,
        "name__icontains": storable(search) or None,
    }
    query = _visible().filter(**{name: value for name, value in asked.items() if value is not None})
    found, following = cut(query, ("name", "id"), (str, int), cursor, limit)
    return TestPage(tests=_rows(found), next=following)


def test(test_id: int) -> TestRow | None:
    """One Test; None if there is none of this number."""
    found = _visible().filter(pk=test_id).first()
    return None if found is None else _rows([found])[0]


def tests_in(*, product_id: int | None = None, engagement_id: int | None = None) -> list[TestRow]:
    """All Tests of a Product or of an Engagement, by Engagement."""
    within = {"engagement__product_id": product_id} if product_id is not None else {"engagement_id": engagement_id}
    return _rows(list(_visible().filter(**within).order_by("engagement__name", "name", "id")))


def named(text: str, product_id: int | None = None) -> list[TestRow]:
    """The Tests a person may mean: the one of this number, else of this name, else ignoring case."""
    text = storable(text)
    within = _visible() if product_id is None else _visible().filter(engagement__product_id=product_id)
    by_number = [] if number(text) is None else [Q(pk=number(text))]
    for wanted in (*by_number, Q(name=text), Q(name__iexact=text)):
        if found := list(within.filter(wanted).order_by("pk")[:20]):
            return _rows(found)
    return []


def _visible() -> Any:
    tests = models.Test.objects.select_related("engagement__product", "connection")
    return tests.filter(
        visible(
            connection="connection_id",
            product="engagement__product_id",
            product_type="engagement__product__product_type_id",
        )
    )


def _rows(found: list[Any]) -> list[TestRow]:
    findings = findings_by_test([test.pk for test in found])
    return [
        TestRow(
            id=test.pk,
            engagement=test.engagement.name,
            engagement_id=test.engagement_id,
            product=test.engagement.product.name,
            product_id=test.engagement.product_id,
            name=test.name,
            connection=test.connection.label if test.connection else None,
            connection_id=test.connection_id,
            connection_deleted=bool(test.connection and test.connection.deleted_at),
            findings=findings[test.pk],
            created_at=test.created_at,
        )
        for test in found
    ]
