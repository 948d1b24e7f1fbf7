"""What deleting a Product, an Engagement and a Test have in common: the name typed, and Records that lose their target.
It cannot be undone."""

from __future__ import annotations

from tidegate.actions.errors import Refused
from tidegate.actions.step import LARGEST_ID, not_there
from tidegate.store.models import Engagement, Product, ProductType, Test
from tidegate.store.writers.product import delete_targets, records_writing_to
from tidegate.store.writers.record import lock_records

Model = type[Product] | type[ProductType] | type[Engagement] | type[Test]


def named(model: Model, what: str, id: int, typed_name: str) -> None:
    """Raises NotThere where there is none, Refused where the name typed is not its name."""
    found = model.objects.filter(pk=id).first() if 0 < id <= LARGEST_ID else None
    if found is None:
        raise not_there(what, [id])
    if typed_name != found.name:
        raise Refused(
            f"The {what} is called «{found.name}», and something else was typed; nothing was deleted.",
            "Deleting cannot be undone, so type the name exactly.",
        )


def deleted(*, product: int | None = None, engagement: int | None = None, test: int | None = None) -> list[int]:
    """Locks the Records that write there, by id, before what they write to: so a Sync that applies is waited for."""
    records = records_writing_to(product=product, engagement=engagement, test=test)
    lock_records(records)
    delete_targets(product=product, engagement=engagement, test=test)
    return records
