"""What happened to a Record, as sentences: read from the facts that changed, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from tidegate.reads.elsewhere import Told, quoted
from tidegate.store import models

_EARLIER: Final = "earlier_product_name"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one Record."""

    at: Annotated[datetime, Meta(description="When.")]
    what: Annotated[str, Meta(description="What happened, in one sentence.")]
    actor: Annotated[str, Meta(description="Who did it.")]
    operation: Annotated[int | None, Meta(description="The Operation that did it, or null.")]
    step: Annotated[str | None, Meta(description="The step it belongs to: what `record undo --step` takes back.")]
    before: Annotated[dict[str, Any], Meta(description="The facts that changed, as they were.")]
    after: Annotated[dict[str, Any], Meta(description="The same facts, as they were then.")]


def changes(record: Any) -> list[Change]:
    """Everything that happened to a Record since it was found, the oldest first."""
    found: list[Any] = list(models.RecordHistory.objects.filter(record_id=record.pk).order_by("id"))
    lay_in, of = _products_of_feeds(found), record.connection_id
    told = Told((of, name) for name in {*lay_in.values(), *_earlier_names(found)})
    products = {feed: told.name(of, name) for feed, name in lay_in.items()}
    by = f" by Discover {record.first_seen_operation_id}" if record.first_seen_operation_id else ""
    first = Change(
        at=record.first_seen_at, what=f"Found{by}.", actor="tidegate", operation=record.first_seen_operation_id,
        step=None, before={}, after={},
    )  # fmt: skip
    rest = [
        Change(
            at=one.at,
            what=" ".join(_told(one.before, one.after, products)) or "Its facts were changed.",
            actor=one.actor,
            operation=one.operation_id,
            step=str(one.step) if one.step else None,
            before=_facts(one.before, told, of),
            after=_facts(one.after, told, of),
        )
        for one in found
    ]
    return [first, *rest]


def _earlier_names(found: list[Any]) -> set[str]:
    return {side.get(_EARLIER) or "" for one in found for side in (one.before, one.after)}


def _facts(facts: Mapping[str, Any], told: Told, connection_id: int) -> dict[str, Any]:
    return {**facts, _EARLIER: told.name(connection_id, facts[_EARLIER])} if facts.get(_EARLIER) else dict(facts)


def _products_of_feeds(found: list[Any]) -> dict[int, str]:
    ids = {side["feed_id"] for one in found for side in (one.before, one.after) if side.get("feed_id")}
    feeds = models.Feed.objects.select_related("test__engagement__product").filter(id__in=ids)
    return {feed.pk: feed.test.engagement.product.name for feed in feeds}


def _told(before: Mapping[str, Any], after: Mapping[str, Any], products: Mapping[int, str]) -> list[str]:
    sentences = []
    if "deleted_at" in after:
        sentences.append("Deleted." if after["deleted_at"] else "Discovered again.")
    if after.get("target_lost_at"):
        sentences.append(f"Lost what it wrote to: the {after.get('target_lost') or 'target'} was deleted.")
    elif "decision" in after:
        sentences.append(_decided(before, after, products))
    elif after.get("feed_id"):
        sentences.append(f"Mapped to {_product(after, products)}; was {_product(before, products)}.")
    if "absent_since" in after:
        gone = after["absent_since"]
        sentences.append("No longer in the tool." if gone else "In the tool again.")
    for fact, title in (("name", "Renamed"), ("parent", "Moved"), ("url", "Its link changed")):
        if fact in after:
            sentences.append(f"{title}: «{before[fact] or ''}» → «{after[fact] or ''}».")
    if "attributes" in after:
        sentences.append("What else the tool says of it changed.")
    if "former_ids" in after or "vendor_id" in after:
        sentences.append("Recognised as the same thing under another id.")
    return sentences


def _decided(before: Mapping[str, Any], after: Mapping[str, Any], products: Mapping[int, str]) -> str:
    if after["decision"] == "mapped":
        return f"Mapped to {_product(after, products)}."
    if after["decision"] == "ignored":
        because = after.get("ignored_because")
        return f"Ignored: {because}" if because else "Ignored."
    return "Restored: undecided again." if before["decision"] == "ignored" else "Its mapping was taken away."


def _product(facts: Mapping[str, Any], products: Mapping[int, str]) -> str:
    name = products.get(facts.get("feed_id") or 0)
    return quoted(name) if name else "a Product that is deleted by now"
