"""What a person may do to Engagements: rename and delete them. *Global Connectors* is known by its mark, so it may have
any name."""

from __future__ import annotations

from tidegate.actions.action import action
from tidegate.actions.step import LARGEST_ID, not_there
from tidegate.actions.target import deleted, named
from tidegate.actions.version import demand_expected
from tidegate.rules.actor import Actor
from tidegate.rules.names import clean_name
from tidegate.store.acting import acting
from tidegate.store.models import Engagement
from tidegate.store.writers.product import lock_named, rename


@action("administrator", engagement="engagement_id")
def rename_engagement(actor: Actor, engagement_id: int, name: str) -> None:
    """Another name; several Engagements may have the same. What flows into it flows on."""
    name = clean_name(name, "name of the Engagement")
    if not 0 < engagement_id <= LARGEST_ID or not lock_named(Engagement, engagement_id):
        raise not_there("Engagement", [engagement_id])
    demand_expected("engagement", engagement_id)
    rename(Engagement, engagement_id, name)


@action("administrator", engagement="engagement_id")
def delete_engagement(actor: Actor, engagement_id: int, typed_name: str) -> list[int]:
    """Deletes the Engagement with all that is in it; returns the Records that are Stale now."""
    with acting(str(actor)):
        named(Engagement, "Engagement", engagement_id, typed_name)
        return deleted(engagement=engagement_id)
