"""Engagements of Products: the one that Tidegate writes into, and those that others made."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from msgspec import Meta

from tidegate.reads.page import LIMIT, cut, number, storable
from tidegate.reads.test import TestRow, tests_in
from tidegate.reads.viewer import visible
from tidegate.store import models


class EngagementRow(msgspec.Struct, frozen=True, kw_only=True):
    """One Engagement."""

    id: Annotated[int, Meta(description="Its number.")]
    name: Annotated[str, Meta(description="Its name; others may have the same.")]
    product: Annotated[str, Meta(description="The Product it belongs to.")]
    product_id: Annotated[int, Meta(description="That Product's number.")]
    ours: Annotated[bool, Meta(description="Tidegate writes into it, whatever its name; into no other.")]
    tests: Annotated[int, Meta(description="How many Tests are in it.")]
    created_at: Annotated[datetime, Meta(description="When it was made.")]


class EngagementPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of Engagements, by name."""

    engagements: Annotated[list[EngagementRow], Meta(description="The Engagements of this page.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]


class EngagementDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One Engagement with its Tests."""

    engagement: Annotated[EngagementRow, Meta(description="The Engagement itself.")]
    tests: Annotated[list[TestRow], Meta(description="Its Tests, by name.")]


def engagements(
    *, product_id: int | None = None, search: str = "", cursor: str | None = None, limit: int = LIMIT
) -> EngagementPage:
    """Engagements by name. `search` looks into their names, ignoring case."""
    query = _visible()
    if product_id is not None:
        query = query.filter(product_id=product_id)
    if search := storable(search):
        query = query.filter(name__icontains=search)
    found, following = cut(query, ("name", "id"), (str, int), cursor, limit)
    return EngagementPage(engagements=[_row(one) for one in found], next=following)


def engagement(engagement_id: int) -> EngagementDetail | None:
    """One Engagement with its Tests; None if there is none of this number."""
    found = _visible().filter(pk=engagement_id).first()
    if found is None:
        return None
    return EngagementDetail(engagement=_row(found), tests=tests_in(engagement_id=engagement_id))


def named(text: str, product_id: int | None = None) -> list[EngagementRow]:
    """The Engagements a person may mean: the one of this number, else those of this name, else ignoring case."""
    text = storable(text)
    within = _visible() if product_id is None else _visible().filter(product_id=product_id)
    by_number = [] if number(text) is None else [Q(pk=number(text))]
    for wanted in (*by_number, Q(name=text), Q(name__iexact=text)):
        if found := list(within.filter(wanted).order_by("pk")[:20]):
            return [_row(one) for one in found]
    return []


def _visible() -> Any:
    of = models.Test.objects.filter(engagement=OuterRef("pk")).order_by()
    many = of.values("engagement").annotate(n=Count("pk")).values("n")
    seen = visible(product="product_id", product_type="product__product_type_id")
    there = models.Engagement.objects.select_related("product").filter(seen)
    return there.annotate(many=Coalesce(Subquery(many), 0))


def _row(one: Any) -> EngagementRow:
    return EngagementRow(
        id=one.pk,
        name=one.name,
        product=one.product.name,
        product_id=one.product_id,
        ours=one.kind == models.Engagement.CONNECTORS,
        tests=one.many,
        created_at=one.created_at,
    )
