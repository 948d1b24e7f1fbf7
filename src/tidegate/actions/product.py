"""What a person may do to Products: add, edit, and delete one by typing its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tidegate.actions.action import action, demand
from tidegate.actions.errors import Forbidden, Refused
from tidegate.actions.step import not_there
from tidegate.actions.target import deleted, named
from tidegate.actions.version import demand_expected
from tidegate.rules.access import Place
from tidegate.rules.actor import Actor
from tidegate.rules.mapping import LONGEST_TAG, MOST_TAGS
from tidegate.rules.names import clean_name
from tidegate.store.acting import acting
from tidegate.store.models import Product
from tidegate.store.writers import product as writer

FOR_NOBODY_ELSE = "Names of Products are unique: choose another."


@action("administrator", product_type="product_type_id")
def add_product(actor: Actor, name: str, *, product_type_id: int | None = None, tags: Sequence[str] = ()) -> int:
    """Makes a Product in this Product Type, or in *Imported*; returns its number.

    Raises NotThere for an unknown Product Type, Refused for a name that is taken or cannot be used.
    """
    name = clean_name(name, "name of the Product")
    if product_type_id is None:
        product_type_id = writer.product_type_named(writer.IMPORTED)
    elif writer.keep_product_type(product_type_id) is None:
        raise not_there("Product Type", [product_type_id])
    made = writer.make_products(actor, [name], product_type_id, clean_tags(tags))
    if name not in made:
        raise Refused(f"There is a Product «{name}» already.", FOR_NOBODY_ELSE)
    return made[name]


@action("administrator", product="product_id")
def edit_product(
    actor: Actor,
    product_id: int,
    *,
    name: str | None = None,
    product_type_id: int | None = None,
    tags: Sequence[str] | None = None,
) -> None:
    """Renames a Product, moves it to another Product Type, or tags it anew; what is not said stays. What flows into it
    flows on.

    A move takes the role in both Product Types. Raises NotThere, Forbidden, or Refused for a name.
    """
    if name is None and product_type_id is None and tags is None:
        raise Refused("Nothing was said.", "Say a name, a Product Type or tags.")
    facts: dict[str, object] = {}
    product = writer.lock_product(product_id)
    if product is None:
        raise not_there("Product", [product_id])
    demand_expected("product", product_id)
    if name is not None:
        facts["name"] = clean_name(name, "name of the Product")
    if tags is not None:
        facts["tags"] = clean_tags(tags)
    if product_type_id is not None and product_type_id != product.product_type_id:
        may_move(actor, product, product_type_id)
        facts["product_type_id"] = product_type_id
    if not writer.change_product(product_id, facts):
        raise Refused(f"There is a Product «{facts['name']}» already.", FOR_NOBODY_ELSE)


@action("administrator", product="product_id")
def delete_product(actor: Actor, product_id: int, typed_name: str) -> list[int]:
    """Deletes the Product with all that is in it; returns the Records that are Stale now."""
    with acting(str(actor)):
        named(Product, "Product", product_id, typed_name)
        return deleted(product=product_id)


def may_move(actor: Actor, product: Product, product_type_id: int) -> None:
    """Whether somebody may take a Product out of its Product Type and into this one. Raises NotThere or Forbidden."""
    demand(actor, "administrator", "product type", [product_type_id], "move a Product there")
    if writer.keep_product_type(product_type_id) is None:
        raise not_there("Product Type", [product_type_id])
    if not actor.access.may("administrator", Place(product_type_id=product.product_type_id)):
        raise Forbidden(
            f"{actor} may not take «{product.name}» out of its Product Type: it takes the role administrator there.",
            "Ask an administrator of that Product Type.",
        )


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Tags as they are stored: each once, by name."""
    names = sorted({clean_name(tag, "tag") for tag in tags})
    if len(names) > MOST_TAGS or any(len(name) > LONGEST_TAG for name in names):
        raise Refused("These tags cannot be kept.", f"Give at most {MOST_TAGS}, each of 1 to {LONGEST_TAG} characters.")
    return names
