"""Products and the Engagement of ours inside them: linked by DefectDojo's number, found again by the mark of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any, Final

from django.db import transaction

from tidegate.store.models import DeliveredProduct, DeliveredTest, Destination, Product

from .client import Dojo, Row
from .errors import NotThere, Refused, Unknown

LASTS: Final = 10
"""Years that an Engagement is planned for: it stays open as long as the Product does."""


class NotDelivered(Exception):
    """A Product, and what lies in it, is not delivered until a person does something; a sentence with the next step."""


class Lost(Exception):
    """What was delivered into is gone there, or the token's user may not see it any more: product, engagement, test."""


def linked(dojo: Dojo, destination: Destination, product: Product, actor: str) -> DeliveredProduct:
    """The Product there, and our Engagement inside it; both made where they are not there yet. Nothing that was there
    and is gone is made again. Raises NotDelivered, and what the server answers."""
    link, _ = DeliveredProduct.objects.get_or_create(destination=destination, product=product, defaults={"by": actor})
    if link.their_id is None:
        _keep(link, **_found_or_made(dojo, destination, product, link))
    if link.name != product.name and link.how == "made":
        _rename(dojo, product, link)
    if link.their_engagement is None:
        _keep(link, their_engagement=_engagement(dojo, destination, link))
    return link


def join(dojo: Dojo, destination: Destination, product: Product, their_id: int, actor: str) -> DeliveredProduct:
    """A person says that a Product there is this one of ours. Raises NotDelivered, NotThere."""
    row = dojo.get(f"products/{their_id}/")
    _refuse_another(destination, product, row)
    link, _ = DeliveredProduct.objects.get_or_create(destination=destination, product=product, defaults={"by": actor})
    another = link.their_id not in (None, their_id)
    if another and not what_is_lost_of_product(dojo, link):
        raise NotDelivered(f"«{product.name}» is the Product {link.their_id} there already.")
    facts = _facts(row, "joined") | {"by": actor, "at": datetime.now(UTC)}
    with transaction.atomic():
        if another:
            # What was delivered went with the Product that is gone: in this one all of it is made anew.
            DeliveredTest.objects.filter(destination=destination, test__engagement__product=product).delete()
            facts["their_engagement"] = None
        _keep(link, **facts)
    return link


def back(dojo: Dojo, destination: Destination, there: DeliveredTest) -> bool:
    """Whether what was lost there stands there again: a right was given back, or a backup was read in. Then it is
    forgotten that it was lost."""
    if there.their_id is not None:
        try:
            dojo.get(f"tests/{there.their_id}/")
        except NotThere:
            return False
    else:
        link = DeliveredProduct.objects.filter(destination=destination, product=there.test.engagement.product).first()
        if link is None or link.their_engagement is None or what_is_lost(dojo, link) != "test":
            return False
    there.lost, there.lost_at = "", None
    DeliveredTest.objects.filter(pk=there.pk).update(lost="", lost_at=None)
    return True


def what_is_lost(dojo: Dojo, link: DeliveredProduct) -> str:
    """Which of them is gone there, where a Test is."""
    for word, path in (
        ("product", f"products/{link.their_id}/"),
        ("engagement", f"engagements/{link.their_engagement}/"),
    ):
        try:
            dojo.get(path)
        except NotThere:
            return word
    return "test"


def _found_or_made(dojo: Dojo, destination: Destination, product: Product, link: DeliveredProduct) -> dict[str, Any]:
    if found := _named(dojo, product.name):
        return _taken(destination, product, link, found)
    told = {
        "name": product.name,
        "description": f"Findings of «{product.name}» come from Tidegate. {_mark(link)}",
        "prod_type": _product_type(dojo, destination, product),
        "enable_simple_risk_acceptance": True,
    }
    made = _made(dojo, "products/", told, lambda: _named(dojo, product.name))
    return _taken(destination, product, link, made)


def _taken(destination: Destination, product: Product, link: DeliveredProduct, row: Row) -> dict[str, Any]:
    """A Product of that name. Ours where it bears our mark: an answer was lost; else somebody's word is needed."""
    if _mark(link) in str(row.get("description") or ""):
        return _facts(row, "made")
    _refuse_another(destination, product, row)
    if destination.join_products == "same name":
        return _facts(row, "joined")
    raise NotDelivered(
        f"A Product «{product.name}» is there already (number {row['id']}), and nobody said that it is this one. "
        f"Say so with: tidegate destination join {destination.pk} {product.pk} {row['id']}"
    )


def _refuse_another(destination: Destination, product: Product, row: Row) -> None:
    other = DeliveredProduct.objects.filter(destination=destination, their_id=row["id"]).exclude(product=product)
    if (taken := other.select_related("product").first()) is not None:
        raise NotDelivered(f"The Product {row['id']} there is «{taken.product.name}» of Tidegate already.")


def _facts(row: Row, how: str) -> dict[str, Any]:
    simple = bool(row.get("enable_simple_risk_acceptance"))
    return {"their_id": row["id"], "how": how, "name": row["name"], "simple_acceptance": simple}


def _named(dojo: Dojo, name: str) -> Row | None:
    """The Product of exactly this name: the server's filter takes any case, and an older one might ignore it."""
    return _first(dojo.pages("products/", name_exact=name), lambda row: row["name"] == name)


def _product_type(dojo: Dojo, destination: Destination, product: Product) -> int:
    """The product type in which Products are made there: it is there, and a person said which."""
    name = destination.product_type
    named = f"There is no Product «{product.name}» there"
    if not name:
        raise NotDelivered(
            f"{named}, and none is made: {destination.name} does not say in which product type. "
            f"Say it with: tidegate destination edit {destination.pk} --product-type"
        )
    found = _first(dojo.pages("product_types/", name=name), lambda row: row["name"] == name)
    if found is None:
        raise NotDelivered(
            f"{named}, and none is made: its product type «{name}» is not there either, letter by letter. "
            f"Make it there, or say another with: tidegate destination edit {destination.pk} --product-type"
        )
    return found["id"]


def _rename(dojo: Dojo, product: Product, link: DeliveredProduct) -> None:
    try:
        dojo.patch(f"products/{link.their_id}/", {"name": product.name})
    except Refused as refused:
        raise NotDelivered(
            f"«{link.name}» there cannot be renamed to «{product.name}». {refused} Rename one of the two."
        ) from refused
    except NotThere:
        return  # its Tests say so, each
    _keep(link, name=product.name)


def _engagement(dojo: Dojo, destination: Destination, link: DeliveredProduct) -> int:
    def there() -> Row | None:
        rows = dojo.pages("engagements/", product=link.their_id)
        return _first(rows, lambda row: _mark(link) in str(row.get("description") or ""))

    today = datetime.now(UTC).date()
    told = {
        "name": destination.engagement_name,
        "description": f"Made by Tidegate, and written by it alone. {_mark(link)}",
        "product": link.their_id,
        "target_start": today.isoformat(),
        "target_end": date(today.year + LASTS, 12, 31).isoformat(),
        "engagement_type": "CI/CD",
        "status": "In Progress",
        # Else what another scanner found in the Product makes ours a duplicate of it, born inactive.
        "deduplication_on_engagement": True,
    }
    try:
        return (there() or _made(dojo, "engagements/", told, there))["id"]
    except (NotThere, Refused) as error:
        if what_is_lost_of_product(dojo, link):
            raise Lost("product") from error
        raise


def what_is_lost_of_product(dojo: Dojo, link: DeliveredProduct) -> bool:
    """Whether the Product itself is gone there."""
    try:
        dojo.get(f"products/{link.their_id}/")
    except NotThere:
        return True
    return False


def _made(dojo: Dojo, path: str, told: dict[str, Any], there: Callable[[], Row | None]) -> Row:
    """Made once: where the answer is lost, or somebody was faster, what is there now tells."""
    try:
        return dojo.post(path, told)
    except (Unknown, Refused):
        if (found := there()) is not None:
            return found
        raise


def _mark(link: DeliveredProduct) -> str:
    return f"(tidegate {link.mark})"


def _first(rows: Iterable[Row], wanted: Callable[[Row], bool]) -> Row | None:
    """The first that is wanted; the others are read too, since only then a list proves itself."""
    return next((row for row in [*rows] if wanted(row)), None)


def _keep(link: DeliveredProduct, **facts: Any) -> None:
    for name, value in facts.items():
        setattr(link, name, value)
    DeliveredProduct.objects.filter(pk=link.pk).update(**facts)
