"""Routes: products."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tidegate.actions import operation as operations
from tidegate.actions import product as actions
from tidegate.api.answer import Answered, there
from tidegate.api.product_type import Name, TypedName
from tidegate.api.route import Routes
from tidegate.api.words import LARGEST_ID, PAGE, Cursor, Id, Limit, Named, Search
from tidegate.reads import operation as operation_reads
from tidegate.reads import product as reads
from tidegate.reads.target import StaleRecords
from tidegate.rules.actor import Actor

routes = Routes("product")

OfType = Annotated[
    int | None, Field(ge=1, le=LARGEST_ID, description="The number of a Product Type; without it: *Imported*.")
]
ToType = Annotated[
    int | None, Field(ge=1, le=LARGEST_ID, description="The number of another Product Type: it moves there.")
]
Tag = Annotated[str, Field(max_length=1000)]
Tags = Annotated[list[Tag], Field(max_length=100, description="All its tags.")]


@routes.read("/products", reads.products, answers=reads.ProductPage)
def products(
    search: Search = "",
    product_type: Annotated[str, Field(max_length=500, description="Only of the Product Type of this name.")] = "",
    connection_id: Annotated[
        int | None, Field(ge=1, le=LARGEST_ID, description="Only those that this Connection writes into.")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> reads.ProductPage:
    return reads.products(
        search=search, product_type=product_type, connection_id=connection_id, cursor=cursor, limit=limit
    )


@routes.read("/products/named", reads.named, answers=reads.ProductPage)
def named(text: Named) -> reads.ProductPage:
    return reads.ProductPage(products=reads.named(text), next=None)


@routes.read("/products/{product_id}", reads.product, answers=reads.ProductDetail, version="product")
def product(product_id: Id) -> reads.ProductDetail:
    return there(reads.product(product_id), "Product", product_id)


@routes.act("POST", "/products", actions.add_product, answers=reads.ProductDetail, status=201)
def add_product(actor: Actor, name: Name, product_type_id: OfType = None, tags: Tags = []) -> Answered:  # noqa: B006 - it is read only
    number = actions.add_product(actor, name, product_type_id=product_type_id, tags=tags)
    return Answered(product(number), location=f"/products/{number}")


@routes.act("PATCH", "/products/{product_id}", actions.edit_product, answers=reads.ProductDetail, version="product")
def edit_product(
    actor: Actor, product_id: Id, name: Name | None = None, product_type_id: ToType = None, tags: Tags | None = None
) -> reads.ProductDetail:
    actions.edit_product(actor, product_id, name=name, product_type_id=product_type_id, tags=tags)
    return product(product_id)


@routes.act(
    "POST", "/products/{product_id}/sync", operations.request_sync_of_product, answers=operation_reads.SyncedProduct,
    status=202,
)  # fmt: skip
def request_sync_of_product(actor: Actor, product_id: Id) -> operation_reads.SyncedProduct:
    numbers = operations.request_sync_of_product(actor, product_id)
    found = [there(operation_reads.operation(number), "Operation", number) for number in numbers]
    return operation_reads.SyncedProduct(operations=found)


@routes.act("DELETE", "/products/{product_id}", actions.delete_product, answers=StaleRecords)
def delete_product(actor: Actor, product_id: Id, typed_name: TypedName) -> StaleRecords:
    return StaleRecords(stale=actions.delete_product(actor, product_id, typed_name))
