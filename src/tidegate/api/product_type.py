"""Routes: product types."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tidegate.actions import product_type as actions
from tidegate.api.answer import Answered, there
from tidegate.api.route import Routes
from tidegate.api.words import PAGE, Cursor, Id, Limit, Named, Search
from tidegate.reads import product_type as reads
from tidegate.rules.actor import Actor

routes = Routes("product_type")

Name = Annotated[str, Field(max_length=1000, description="Its name: unique, at most 255 characters.")]
TypedName = Annotated[str, Field(max_length=1000, description="Its name as it stands there: this cannot be undone.")]


@routes.read("/product-types", reads.product_types, answers=reads.ProductTypePage)
def product_types(search: Search = "", cursor: Cursor = None, limit: Limit = PAGE) -> reads.ProductTypePage:
    return reads.product_types(search=search, cursor=cursor, limit=limit)


@routes.read("/product-types/named", reads.named, answers=reads.ProductTypePage)
def named(text: Named) -> reads.ProductTypePage:
    return reads.ProductTypePage(product_types=reads.named(text), next=None)


@routes.read(
    "/product-types/{product_type_id}", reads.product_type, answers=reads.ProductTypeDetail, version="product type"
)
def product_type(product_type_id: Id) -> reads.ProductTypeDetail:
    return there(reads.product_type(product_type_id), "Product Type", product_type_id)


@routes.act("POST", "/product-types", actions.add_product_type, answers=reads.ProductTypeDetail, status=201)
def add_product_type(actor: Actor, name: Name) -> Answered:
    number = actions.add_product_type(actor, name)
    return Answered(product_type(number), location=f"/product-types/{number}")


@routes.act(
    "PATCH",
    "/product-types/{product_type_id}",
    actions.rename_product_type,
    answers=reads.ProductTypeDetail,
    version="product type",
)
def rename_product_type(actor: Actor, product_type_id: Id, name: Name) -> reads.ProductTypeDetail:
    actions.rename_product_type(actor, product_type_id, name)
    return product_type(product_type_id)


@routes.act("DELETE", "/product-types/{product_type_id}", actions.delete_product_type)
def delete_product_type(actor: Actor, product_type_id: Id, typed_name: TypedName) -> None:
    actions.delete_product_type(actor, product_type_id, typed_name)
