"""Products over the API: each way in which it is not done, and all of them done once."""

from __future__ import annotations

from tests.api.house import House, Sad, bad_query, forbidden, house, missing, refused, sad, undone, wrong
from tidegate.store.models import Product, Record

__all__ = ["house", "undone"]


@sad(
    missing("of the other side", "GET", "/products/{other.product}", who="reader of own"),
    missing("there is none", "GET", "/products/{nobody}", says="There is no Product"),
    bad_query("a page of nothing", "/products", limit="0"),
    bad_query("a filter that there is not", "/products", name="x"),
    Sad("a cursor of another list", "reader", "GET", "/products", None, 400, "cursor", query={"cursor": "WzFd"}),
    wrong("without a name", "POST", "/products", {}, "#/name"),
    wrong("a name that is too long", "POST", "/products", {"name": "x" * 1001}, "#/name"),
    refused("a name of nothing", "POST", "/products", {"name": " \n "}),
    refused("a name that is taken", "POST", "/products", {"name": "Own product"}, "«Own product» already"),
    missing("a Product Type that there is not", "POST", "/products", {"name": "x", "product_type_id": "{nobody}"}),
    missing(
        "one that they do not see",
        "POST",
        "/products",
        {"name": "x", "product_type_id": "{other.product_type}"},
        who="administrator of own",
    ),
    forbidden("of no Product Type of theirs", "administrator of own", "POST", "/products", {"name": "x"}),
    wrong("a tag that is too long", "POST", "/products", {"name": "x", "tags": ["y" * 1001]}, "#/tags/0"),
    refused("nothing to change", "PATCH", "/products/{own.product}", {}, "Nothing was said"),
    refused("to a name that is taken", "PATCH", "/products/{own.product}", {"name": "Own second"}),
    missing(
        "to a Product Type of others",
        "PATCH",
        "/products/{own.product}",
        {"product_type_id": "{other.product_type}"},
        who="administrator of own",
    ),
    refused(
        "another name was typed",
        "DELETE",
        "/products/{own.product}",
        {"typed_name": "own product"},
        "is called «Own product»",
    ),
    forbidden("by a mapper", "mapper", "DELETE", "/products/{own.product}", {"typed_name": "Own product"}),
)
def test_what_cannot_be_done_is_told_with_its_why_and_the_next_step(undone: House, one: Sad):
    one.check(undone)


def test_a_product_from_its_making_to_its_end(undone: House):
    asked, kind = undone.as_("administrator"), undone.own.product_type

    made = asked.post("/products", {"name": "Fresh", "product_type_id": kind, "tags": ["b", "a", "b"]})
    number = made.json["product"]["id"]
    assert (made.status, made.headers["location"]) == (201, f"/api/v1/products/{number}")
    assert (made.json["product"]["tags"], made.json["product"]["origin"]) == (["a", "b"], "administrator")

    edited = asked.patch(f"/products/{number}", {"name": "Renamed", "product_type_id": undone.other.product_type})
    assert edited.json["product"]["product_type"] == "Foreign type"
    assert [one["id"] for one in asked.get("/products", search="renam").json["products"]] == [number]

    gone = asked.delete(f"/products/{undone.own.product}", {"typed_name": "Own product"})
    assert gone.json == {"stale": [undone.own.shop, undone.own.missing]}
    assert not Product.objects.filter(pk=undone.own.product).exists()
    assert asked.get(f"/records/{undone.own.shop}").json["record"]["state"] == "Stale"
    assert Record.objects.get(pk=undone.own.shop).target_lost == "product"
