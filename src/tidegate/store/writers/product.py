"""Product Types and Products made and deleted. The caller has the transaction open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from tidegate.rules.actor import Actor
from tidegate.rules.names import clean_name
from tidegate.store.models import Engagement, Product, ProductType, Test
from tidegate.store.statement import rows_of

IMPORTED = "Imported"
"""The Product Type of Products for which nobody chose one."""


def product_type_named(name: str) -> int:
    """The Product Type of exactly this name, made where there is none. Raises NameRefused."""
    return ProductType.objects.get_or_create(name=clean_name(name, "name of the Product Type"))[0].pk


def make_products(actor: Actor, names: Sequence[str], product_type_id: int, tags: Sequence[str] = ()) -> dict[str, int]:
    """Makes Products of these clean names; the id by name. A name that is taken is not in the answer."""
    how = {"product_type": product_type_id, "origin": str(actor), "tags": list(tags)}
    made = rows_of("products_make", names=list(names), **how)
    return {row["name"]: row["id"] for row in made}


def products_named(names: Collection[str]) -> dict[str, int]:
    """The id of each of these names that a Product has."""
    return dict(Product.objects.filter(name__in=names).values_list("name", "pk"))


def all_product_names() -> set[str]:
    return set(Product.objects.values_list("name", flat=True))


def keep_products(products: Iterable[int]) -> set[int]:
    """Keeps Products from being deleted until the transaction ends; returns those that are there."""
    wanted = sorted(id for id in set(products) if 0 < id < 2**63)
    return {row["id"] for row in rows_of("products_keep", products=wanted)}


def records_writing_to(
    *, product: int | None = None, engagement: int | None = None, test: int | None = None
) -> list[int]:
    """The Records whose findings go there, to be locked before it is deleted; by id."""
    rows = rows_of("records_writing_to", product=product, engagement=engagement, test=test)
    return [row["id"] for row in rows]


def delete_targets(*, product: int | None = None, engagement: int | None = None, test: int | None = None) -> int:
    """Deletes one of the three with all that is in it; the database cascades, and its Records lose their target."""
    for model, key in ((Product, product), (Engagement, engagement), (Test, test)):
        if key is not None:
            return model.objects.filter(pk=key).delete()[0]
    raise ValueError("Say which Product, Engagement or Test.")
