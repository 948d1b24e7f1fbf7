"""Product Types: what Products are sorted into."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from msgspec import Meta

from tidegate.reads.managed import file_of
from tidegate.reads.page import LIMIT, cut, number, storable
from tidegate.reads.viewer import visible
from tidegate.rules.names import near_twins
from tidegate.store import models


class ProductTypeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One Product Type."""

    id: Annotated[int, Meta(description="Its number.")]
    name: Annotated[str, Meta(description="Its name, unique exactly.")]
    products: Annotated[int, Meta(description="How many Products are in it.")]
    created_at: Annotated[datetime, Meta(description="When it was made.")]
    managed_by: Annotated[str | None, Meta(description="The configuration file that manages it, or null.")]


class ProductTypePage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of Product Types, by name."""

    product_types: Annotated[list[ProductTypeRow], Meta(description="The Product Types of this page.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]


class ProductTypeDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One Product Type, and what it could be taken for."""

    product_type: Annotated[ProductTypeRow, Meta(description="The Product Type itself.")]
    near_twins: Annotated[list[str], Meta(description="Others whose name differs in case, spaces or forms only.")]


def product_types(*, search: str = "", cursor: str | None = None, limit: int = LIMIT) -> ProductTypePage:
    """Product Types by name. `search` looks into names, ignoring case."""
    query = _visible()
    if search := storable(search):
        query = query.filter(name__icontains=search)
    found, following = cut(query, ("name", "id"), (str, int), cursor, limit)
    return ProductTypePage(product_types=_rows(found), next=following)


def product_type(product_type_id: int) -> ProductTypeDetail | None:
    """One Product Type; None if there is none of this number."""
    found = _visible().filter(pk=product_type_id).first()
    if found is None:
        return None
    alike = _visible().filter(name__iexact=found.name).values_list("name", flat=True)
    return ProductTypeDetail(product_type=_rows([found])[0], near_twins=near_twins(found.name, alike))


def named(text: str) -> list[ProductTypeRow]:
    """The Product Types a person may mean: the one of this number, else of this name, else ignoring case."""
    text = storable(text)
    by_number = [] if number(text) is None else [Q(pk=number(text))]
    for wanted in (*by_number, Q(name=text), Q(name__iexact=text)):
        if found := list(_visible().filter(wanted).order_by("pk")[:20]):
            return _rows(found)
    return []


def _visible() -> Any:
    of = models.Product.objects.filter(product_type=OuterRef("pk")).order_by()
    many = of.values("product_type").annotate(n=Count("pk")).values("n")
    there = models.ProductType.objects.filter(visible(product_type="pk"))
    return there.annotate(many=Coalesce(Subquery(many), 0), file=file_of("product type"))


def _rows(found: list[Any]) -> list[ProductTypeRow]:
    return [
        ProductTypeRow(
            id=one.pk,
            name=one.name,
            products=one.many,
            created_at=one.created_at,
            managed_by=one.file,
        )
        for one in found
    ]
