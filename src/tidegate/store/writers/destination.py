"""Destinations and their routes made, changed and removed. The caller has the transaction open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Now

from tidegate.rules.actor import Actor
from tidegate.store.models import Destination, DestinationRoute


def save_new_destination(actor: Actor, facts: Mapping[str, Any]) -> int:
    """Makes the row, without its secrets: they are sealed to its number. IntegrityError for a name that is taken."""
    return Destination.objects.create(created_by=str(actor), secrets=b"", **facts).pk


def lock_destination(destination_id: int) -> Destination | None:
    """The Destination until the transaction ends; None where there is none."""
    return Destination.objects.select_for_update(no_key=True).filter(pk=destination_id).first()


def change_destination(destination_id: int, facts: Mapping[str, Any]) -> None:
    """Sets these facts of the locked Destination."""
    if facts:
        Destination.objects.filter(pk=destination_id).update(**facts)


def note_checked(destination_id: int, version: str) -> None:
    """Its server was looked at just now, and is of this version."""
    Destination.objects.filter(pk=destination_id).update(version=version, checked_at=Now())


def delete_destination(destination_id: int) -> None:
    """Its routes go with it, in the database."""
    Destination.objects.filter(pk=destination_id).delete()


def save_route(actor: Actor, destination_id: int, connection_id: int | None, product_type_id: int | None) -> int:
    """IntegrityError where another route is for the same."""
    made = DestinationRoute.objects.create(
        destination_id=destination_id,
        connection_id=connection_id,
        product_type_id=product_type_id,
        created_by=str(actor),
    )
    return made.pk


def remove_route(route_id: int) -> None:
    """What it was for goes where the next best route leads, or nowhere."""
    DestinationRoute.objects.filter(pk=route_id).delete()
