"""What a person may do to Product Types: add, rename, and delete those that are empty."""

from __future__ import annotations

from tidegate.actions.action import action
from tidegate.actions.errors import Refused
from tidegate.actions.step import not_there
from tidegate.actions.target import named
from tidegate.actions.version import demand_expected
from tidegate.rules.actor import Actor
from tidegate.rules.names import clean_name
from tidegate.store.models import ProductType
from tidegate.store.writers import product as writer

TAKEN = "Names of Product Types are unique: choose another."


@action("administrator")
def add_product_type(actor: Actor, name: str) -> int:
    """Makes a Product Type; returns its number. Raises Refused for a name that is taken or cannot be used."""
    name = clean_name(name, "name of the Product Type")
    made = writer.make_product_type(name)
    if made is None:
        raise Refused(f"There is a Product Type «{name}» already.", TAKEN)
    return made


@action("administrator", product_type="product_type_id")
def rename_product_type(actor: Actor, product_type_id: int, name: str) -> None:
    """Another name; mapping rules that make Products in it follow. Raises NotThere, or Refused for the name."""
    name = clean_name(name, "name of the Product Type")
    found = writer.lock_product_type(product_type_id)
    if found is None:
        raise not_there("Product Type", [product_type_id])
    demand_expected("product type", product_type_id)
    if not writer.rename_product_type(found, name):
        raise Refused(f"There is a Product Type «{name}» already.", TAKEN)


@action("administrator", product_type="product_type_id")
def delete_product_type(actor: Actor, product_type_id: int, typed_name: str) -> None:
    """Deletes an empty Product Type; roles for it go too.

    Raises NotThere; Refused where something is in it, or will be: a Connection makes its Products there.
    """
    named(ProductType, "Product Type", product_type_id, typed_name)
    writer.lock_product_type(product_type_id)
    products, connections = writer.uses_of_product_type(product_type_id)
    if products:
        raise Refused(
            f"{products:,} Products are in «{typed_name}», so it was not deleted.",
            "Move them to another, or delete them first: tidegate product edit NAME --product-type OTHER",
        )
    if connections:
        raise Refused(
            f"{connections:,} Connections make their Products in «{typed_name}», so it was not deleted.",
            "Say another one there first: tidegate connection edit LABEL --product-type OTHER",
        )
    writer.delete_product_type(product_type_id)
