"""Products: what the team builds, what flows into them, and how much was found."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from django.db.models import Count, Q
from msgspec import Meta

from tidegate.reads.count import Findings, findings_by_product, findings_by_test
from tidegate.reads.page import LIMIT, cut, number, storable
from tidegate.reads.viewer import visible
from tidegate.store import models


class ProductRow(msgspec.Struct, frozen=True, kw_only=True):
    """One Product."""

    id: Annotated[int, Meta(description="Its number.")]
    name: Annotated[str, Meta(description="Its name, unique exactly.")]
    product_type: Annotated[str, Meta(description="The Product Type it belongs to.")]
    origin: Annotated[str, Meta(description="Who made it: a user's name, `auto-map`, or a rule.")]
    tags: Annotated[list[str], Meta(description="Its tags.")]
    records: Annotated[int, Meta(description="How many Records are mapped to it.")]
    findings: Annotated[Findings, Meta(description="What was found in it by all Connections together.")]
    created_at: Annotated[datetime, Meta(description="When it was made.")]


class ProductPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of Products, by name."""

    products: Annotated[list[ProductRow], Meta(description="The Products of this page.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]


class TestRow(msgspec.Struct, frozen=True, kw_only=True):
    """One Test of a Product: where the findings of one Connection lie."""

    id: Annotated[int, Meta(description="Its number.")]
    engagement: Annotated[str, Meta(description="The Engagement it belongs to.")]
    name: Annotated[str, Meta(description="Its name.")]
    connection: Annotated[str | None, Meta(description="The label of the Connection that writes into it.")]
    connection_deleted: Annotated[bool, Meta(description="That Connection was deleted; what it brought stays.")]
    findings: Annotated[Findings, Meta(description="What lies in it.")]


class ProductDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One Product with its Tests."""

    product: Annotated[ProductRow, Meta(description="The Product itself.")]
    tests: Annotated[list[TestRow], Meta(description="Its Tests, by Engagement.")]


def products(
    *,
    search: str = "",
    product_type: str = "",
    connection_id: int | None = None,
    cursor: str | None = None,
    limit: int = LIMIT,
) -> ProductPage:
    """Products by name. `search` looks into names and tags, ignoring case."""
    query = _visible()
    if search := storable(search):
        query = query.filter(Q(name__icontains=search) | Q(tags__icontains=search))
    if product_type:
        query = query.filter(product_type__name__iexact=storable(product_type))
    if connection_id is not None:
        tests = models.Test.objects.filter(connection_id=connection_id)
        query = query.filter(id__in=tests.values("engagement__product_id"))
    found, following = cut(query, ("name", "id"), (str, int), cursor, limit)
    return ProductPage(products=_rows(found), next=following)


def product(product_id: int) -> ProductDetail | None:
    """One Product with its Tests; None if there is none of this number."""
    found = _visible().filter(id=product_id).first()
    if found is None:
        return None
    return ProductDetail(product=_rows([found])[0], tests=_tests(found))


def named(text: str) -> list[ProductRow]:
    """The Products a person may mean: the one of this number, else those of this name, else ignoring case."""
    everything = _visible().order_by("id")
    for wanted in _meanings(text):
        if found := list(everything.filter(wanted)[:20]):
            return _rows(found)
    return []


def _visible() -> Any:
    products = models.Product.objects.select_related("product_type")
    return products.filter(visible(product="pk", product_type="product_type_id"))


def _meanings(text: str) -> list[Q]:
    text = storable(text)
    by_number = [] if number(text) is None else [Q(id=number(text))]
    return [*by_number, Q(name=text), Q(name__iexact=text)]


def _rows(found: list[Any]) -> list[ProductRow]:
    ids = [product.id for product in found]
    findings, records = findings_by_product(ids), _records_by_product(ids)
    return [
        ProductRow(
            id=product.id,
            name=product.name,
            product_type=product.product_type.name,
            origin=product.origin,
            tags=list(product.tags),
            records=records.get(product.id, 0),
            findings=findings[product.id],
            created_at=product.created_at,
        )
        for product in found
    ]


def _records_by_product(ids: list[int]) -> dict[int, int]:
    product = "feed__test__engagement__product_id"
    mapped = models.Record.objects.filter(deleted_at=None, **{f"{product}__in": ids})
    return {row[product]: row["n"] for row in mapped.values(product).annotate(n=Count("id"))}


def _tests(product: Any) -> list[TestRow]:
    found = models.Test.objects.select_related("engagement", "connection").filter(engagement__product=product)
    tests = list(found.order_by("engagement__name", "name", "id"))
    findings = findings_by_test([test.pk for test in tests])
    return [
        TestRow(
            id=test.pk,
            engagement=test.engagement.name,
            name=test.name,
            connection=test.connection.label if test.connection else None,
            connection_deleted=bool(test.connection and test.connection.deleted_at),
            findings=findings[test.pk],
        )
        for test in tests
    ]
