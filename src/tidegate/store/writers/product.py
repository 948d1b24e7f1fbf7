"""Product Types, Products and what is in them, made, changed and deleted. The caller has the transaction open."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from psycopg.errors import UniqueViolation

from tidegate.rules.actor import Actor
from tidegate.rules.names import clean_name
from tidegate.store.models import Connection, Engagement, MappingRule, Product, ProductType, Test
from tidegate.store.statement import rows_of

IMPORTED = "Imported"
"""The Product Type of Products for which nobody chose one."""


def product_type_named(name: str) -> int:
    """The Product Type of exactly this name, made where there is none. Raises NameRefused."""
    return ProductType.objects.get_or_create(name=clean_name(name, "name of the Product Type"))[0].pk


def make_product_type(name: str) -> int | None:
    """The number of a new Product Type of this clean name; None where the name is taken."""
    found, made = ProductType.objects.get_or_create(name=name)
    return found.pk if made else None


def lock_product_type(product_type_id: int) -> ProductType | None:
    """Until the transaction ends nobody puts a Product into it, renames or deletes it."""
    return ProductType.objects.select_for_update().filter(pk=product_type_id).first()


def keep_product_type(product_type_id: int) -> int | None:
    """Keeps a Product Type from being deleted until the transaction ends; None where it is not there."""
    rows = rows_of("product_type_keep", product_type=product_type_id) if 0 < product_type_id < 2**63 else []
    return rows[0]["id"] if rows else None


def rename_product_type(product_type: ProductType, name: str) -> bool:
    """Also in the mapping rules that make Products in it. False where the name is taken."""
    before, product_type.name = product_type.name, name
    if not _unless_taken(lambda: product_type.save(update_fields=["name"])):
        return False
    MappingRule.objects.filter(product_type=before).update(product_type=name)
    return True


def uses_of_product_type(product_type_id: int) -> tuple[int, int]:
    """How many Products are in it, and how many Connections make theirs there."""
    products = Product.objects.filter(product_type=product_type_id).count()
    return products, Connection.objects.filter(product_type=product_type_id, deleted_at=None).count()


def delete_product_type(product_type_id: int) -> None:
    ProductType.objects.filter(pk=product_type_id).delete()


def lock_product(product_id: int) -> Product | None:
    """Until the transaction ends nobody else changes it; Records may be mapped to it all the same."""
    return Product.objects.select_for_update(no_key=True).filter(pk=product_id).first()


def change_product(product_id: int, facts: Mapping[str, Any]) -> bool:
    """Writes these columns. False where another Product has the name."""
    return _unless_taken(lambda: Product.objects.filter(pk=product_id).update(**facts)) if facts else True


def lock_named(model: type[Engagement] | type[Test], id: int) -> bool:
    """Locks it until the transaction ends. False where there is none of this number."""
    return model.objects.select_for_update().filter(pk=id).values_list("pk", flat=True).first() is not None


def rename(model: type[Engagement] | type[Test], id: int, name: str) -> bool:
    """A name that need not be unique. False where there is none of this number."""
    return model.objects.filter(pk=id).update(name=name) > 0


def _unless_taken(save: Callable[[], object]) -> bool:
    """Saves a name that is unique. False where it is taken, also by what was saved at the same moment."""
    try:
        with transaction.atomic():
            save()
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        return False
    return True


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
