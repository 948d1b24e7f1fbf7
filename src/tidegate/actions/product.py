"""What a person may do to Products, Engagements and Tests: delete them, by typing their name. It cannot be undone."""

from __future__ import annotations

from tidegate.actions.action import action
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.step import LARGEST_ID
from tidegate.rules.actor import Actor
from tidegate.store.acting import acting
from tidegate.store.models import Engagement, Product, Test
from tidegate.store.writers.product import delete_targets, records_writing_to
from tidegate.store.writers.record import lock_records


@action("administrator", product="product_id")
def delete_product(actor: Actor, product_id: int, typed_name: str) -> list[int]:
    """Deletes the Product with all that is in it; returns the Records that are Stale now."""
    named(Product, "Product", product_id, typed_name)
    return deleted(actor, product=product_id)


@action("administrator", engagement="engagement_id")
def delete_engagement(actor: Actor, engagement_id: int, typed_name: str) -> list[int]:
    """Deletes the Engagement with all that is in it; returns the Records that are Stale now."""
    named(Engagement, "Engagement", engagement_id, typed_name)
    return deleted(actor, engagement=engagement_id)


@action("administrator", test="test_id")
def delete_test(actor: Actor, test_id: int, typed_name: str) -> list[int]:
    """Deletes the Test with its findings; returns the Records that are Stale now."""
    named(Test, "Test", test_id, typed_name)
    return deleted(actor, test=test_id)


def named(model: type[Product] | type[Engagement] | type[Test], what: str, id: int, typed_name: str) -> None:
    """Raises NotThere where there is none, Refused where the name typed is not its name."""
    found = model.objects.filter(pk=id).first() if 0 < id <= LARGEST_ID else None
    if found is None:
        raise NotThere(f"There is no {what} {id}.", "See what there is: tidegate product list")
    if typed_name != found.name:
        raise Refused(
            f"The {what} is called «{found.name}», and something else was typed; nothing was deleted.",
            "Deleting cannot be undone, so type the name exactly.",
        )


def deleted(
    actor: Actor, *, product: int | None = None, engagement: int | None = None, test: int | None = None
) -> list[int]:
    """Locks the Records that write there, by id, before what they write to: so a Sync that applies is waited for."""
    with acting(str(actor)):
        records = records_writing_to(product=product, engagement=engagement, test=test)
        lock_records(records)
        delete_targets(product=product, engagement=engagement, test=test)
    return records
