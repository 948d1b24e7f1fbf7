"""Products: what the team builds, what flows into them, and how much was found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from django.db.models import Q
from django.db.models.functions import Lower
from msgspec import Meta

from tidegate.reads.count import Findings, findings_by_product
from tidegate.reads.managed import file_of
from tidegate.reads.page import LIMIT, cut, number, storable
from tidegate.reads.test import TestRow, tests_in
from tidegate.reads.viewer import visible
from tidegate.rules.names import near_twins
from tidegate.store import models


class ProductRow(msgspec.Struct, frozen=True, kw_only=True):
    """One Product."""

    id: Annotated[int, Meta(description="Its number.")]
    name: Annotated[str, Meta(description="Its name, unique exactly.")]
    product_type: Annotated[str, Meta(description="The Product Type it belongs to.")]
    product_type_id: Annotated[int, Meta(description="That Product Type's number.")]
    origin: Annotated[str, Meta(description="Who made it: a user's name, `auto-map`, or a rule.")]
    tags: Annotated[list[str], Meta(description="Its tags.")]
    records: Annotated[int, Meta(description="How many Records are mapped to it.")]
    findings: Annotated[Findings, Meta(description="What was found in it by all Connections together.")]
    created_at: Annotated[datetime, Meta(description="When it was made.")]
    managed_by: Annotated[str | None, Meta(description="The configuration file that manages it, or null.")]


class ProductNamed(msgspec.Struct, frozen=True, kw_only=True):
    """A Product by its name."""

    id: Annotated[int, Meta(description="Its number.")]
    name: Annotated[str, Meta(description="Its name.")]


class ProductPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of Products, by name."""

    products: Annotated[list[ProductRow], Meta(description="The Products of this page.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]


class ProductDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One Product with its Tests."""

    product: Annotated[ProductRow, Meta(description="The Product itself.")]
    tests: Annotated[list[TestRow], Meta(description="Its Tests, by Engagement.")]
    near_twins: Annotated[list[str], Meta(description="Others whose name differs in case, spaces or forms only.")]


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
    # Two steps: which, without what they refer to; then these alone. A search would look that up for all it passes.
    found, following = cut(query.values("id", "name"), ("name", "id"), (str, int), cursor, limit)
    rows = {one.pk: one for one in _visible().filter(id__in=[row["id"] for row in found])}
    return ProductPage(products=_rows([rows[row["id"]] for row in found if row["id"] in rows]), next=following)


def product(product_id: int) -> ProductDetail | None:
    """One Product with its Tests; None if there is none of this number."""
    found = _visible().filter(id=product_id).first()
    if found is None:
        return None
    alike = _visible().filter(name__iexact=found.name).values_list("name", flat=True)
    return ProductDetail(
        product=_rows([found])[0], tests=tests_in(product_id=product_id), near_twins=near_twins(found.name, alike)
    )


def named(text: str) -> list[ProductRow]:
    """The Products a person may mean: the one of this number, else those of this name, else ignoring case."""
    everything = _visible().order_by("id")
    for wanted in _meanings(text):
        if found := list(everything.filter(wanted)[:20]):
            return _rows(found)
    return []


def _visible() -> Any:
    products = models.Product.objects.select_related("product_type")
    return products.filter(visible(product="pk", product_type="product_type_id")).annotate(file=file_of("product"))


def _meanings(text: str) -> list[Q]:
    text = storable(text)
    by_number = [] if number(text) is None else [Q(id=number(text))]
    return [*by_number, Q(name=text), Q(name__iexact=text)]


def _rows(found: list[Any]) -> list[ProductRow]:
    held = findings_by_product([product.id for product in found]) if found else {}
    return [
        ProductRow(
            id=product.id,
            name=product.name,
            product_type=product.product_type.name,
            product_type_id=product.product_type_id,
            origin=product.origin,
            tags=list(product.tags),
            records=held[product.id][1],
            findings=held[product.id][0],
            created_at=product.created_at,
            managed_by=product.file,
        )
        for product in found
    ]


def with_numbers(ids: Sequence[int]) -> list[ProductNamed]:
    """These, by name."""
    found = _visible().filter(id__in=list(ids)).order_by("name", "id").values_list("id", "name")
    return [ProductNamed(id=id, name=name) for id, name in found]


def of_names(names: Sequence[str]) -> dict[str, ProductNamed]:
    """By each of these names the Product that has it, whatever the case; names that none has are left out."""
    wanted = {storable(name).casefold(): name for name in names}
    said = [storable(name).lower() for name in names]
    query = _visible().annotate(said=Lower("name")).filter(said__in=said).order_by("-id").values_list("id", "name")
    found = {name.casefold(): ProductNamed(id=id, name=name) for id, name in (query[: len(wanted) * 2] if said else [])}
    return {name: found[said] for said, name in wanted.items() if said in found}
