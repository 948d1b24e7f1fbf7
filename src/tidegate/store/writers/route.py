"""Routes made, changed, switched off and removed. The caller has the transaction open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.rules.actor import Actor
from tidegate.store.models import Route


def save_new_route(actor: Actor, facts: Mapping[str, Any]) -> int:
    """Makes the row, without its address: that is sealed to its number. IntegrityError for a name that is taken."""
    return Route.objects.create(created_by=str(actor), address=b"", **facts).pk


def lock_route(route_id: int) -> Route | None:
    """The Route until the transaction ends; None where there is none."""
    return Route.objects.select_for_update(no_key=True).filter(pk=route_id).first()


def change_route(route_id: int, facts: Mapping[str, Any]) -> None:
    """Sets these facts of the locked Route."""
    if facts:
        Route.objects.filter(pk=route_id).update(**facts)


def remove_route(route_id: int) -> None:
    """Its deliveries go with it, in the database."""
    Route.objects.filter(pk=route_id).delete()
