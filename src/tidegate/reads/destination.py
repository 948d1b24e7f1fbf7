"""Destinations, and what is delivered where. They are of the whole house: who sees all of it sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from django.db.models import Q
from msgspec import Meta

from tidegate.reads.managed import managed_by
from tidegate.reads.page import number, storable
from tidegate.reads.viewer import visible
from tidegate.store import models
from tidegate_sdk.tool import UNVERIFIED


class DestinationRouteRow(msgspec.Struct, frozen=True, kw_only=True):
    """One route: what it takes to its Destination."""

    id: Annotated[int, Meta(description="Its number.")]
    takes: Annotated[
        Literal["connection", "product type", "the rest"],
        Meta(description="`connection`, `product type`, or `the rest`: whatever no other route takes."),
    ]
    connection: Annotated[str | None, Meta(description="The label of the Connection whose findings it takes, or null.")]
    connection_id: Annotated[int | None, Meta(description="That Connection's number, or null.")]
    product_type: Annotated[str | None, Meta(description="The Product Type whose findings it takes, or null.")]
    product_type_id: Annotated[int | None, Meta(description="That Product Type's number, or null.")]
    created_at: Annotated[datetime, Meta(description="When it was made.")]
    created_by: Annotated[str, Meta(description="Who made it.")]


class DestinationRow(msgspec.Struct, frozen=True, kw_only=True):
    """One Destination, and what is delivered to it."""

    id: Annotated[int, Meta(description="Its number.")]
    name: Annotated[str, Meta(description="What you call it; unique.")]
    kind: Annotated[str, Meta(description="What server it is: `defectdojo`.")]
    url: Annotated[str, Meta(description="Where it is.")]
    state: Annotated[Literal["on", "off"], Meta(description="`on`, or `off`: nothing is delivered.")]
    why: Annotated[str, Meta(description="Why it is so, in one sentence.")]
    version: Annotated[str, Meta(description="The server's version when it was last tested; empty before.")]
    checked_at: Annotated[datetime | None, Meta(description="When it was last tested with success, or null.")]
    product_type: Annotated[
        str, Meta(description="The product type there, by name, in which Products are made; empty where none are.")
    ]
    engagement_name: Annotated[str, Meta(description="What the Engagement is called that is made in a Product there.")]
    join_products: Annotated[
        Literal["ask", "same name"],
        Meta(description="An existing Product is joined when a person says so (`ask`), or by its name (`same name`)."),
    ]
    writes_per_minute: Annotated[int, Meta(description="So many writes a minute it is burdened with at most.")]
    settings: Annotated[dict[str, Any], Meta(description="Its settings, without secrets.")]
    warning: Annotated[str, Meta(description="What to know of the way there; empty where nothing.")]
    routes: Annotated[list[DestinationRouteRow], Meta(description="What is delivered to it.")]
    created_at: Annotated[datetime, Meta(description="When it was made.")]
    created_by: Annotated[str, Meta(description="Who made it.")]
    managed_by: Annotated[str | None, Meta(description="The configuration file that manages it, or null.")]


class DestinationList(msgspec.Struct, frozen=True, kw_only=True):
    """All Destinations, by name."""

    destinations: Annotated[list[DestinationRow], Meta(description="The Destinations.")]


def destinations() -> DestinationList:
    """Every Destination, by name."""
    return DestinationList(destinations=_rows(_visible().order_by("name", "pk")))


def destination(destination_id: int) -> DestinationRow | None:
    """One Destination; None if there is none of this number."""
    return next(iter(_rows(_visible().filter(pk=destination_id))), None)


def named(text: str) -> list[DestinationRow]:
    """The Destinations a person may mean: the one of this number, else of this name, else ignoring case."""
    text = storable(text)
    by_number = [] if number(text) is None else [Q(id=number(text))]
    for wanted in (*by_number, Q(name=text), Q(name__iexact=text)):
        if found := _rows(_visible().filter(wanted).order_by("pk")[:20]):
            return found
    return []


def _visible() -> Any:
    return models.Destination.objects.filter(visible())


def _rows(found: Any) -> list[DestinationRow]:
    rows = list(found)
    routes: dict[int, list[DestinationRouteRow]] = {}
    query = models.DestinationRoute.objects.select_related("connection", "product_type")
    query = query.filter(destination__in=[one.pk for one in rows]).exclude(connection__deleted_at__isnull=False)
    for one in query.order_by("connection__label", "product_type__name", "pk"):
        routes.setdefault(one.destination_id, []).append(_route(one))
    files = managed_by("destination", [one.pk for one in rows])
    return [_row(one, routes.get(one.pk, []), files.get(one.pk)) for one in rows]


def _row(one: models.Destination, routes: list[DestinationRouteRow], file: str | None) -> DestinationRow:
    state, why = _state(one, routes)
    verified = one.settings.get("verify_tls", True) or one.settings.get("certificate_pins")
    return DestinationRow(
        id=one.pk,
        name=one.name,
        kind=one.kind,
        url=str(one.settings.get("url", "")),
        state=state,
        why=why,
        version=one.version,
        checked_at=one.checked_at,
        product_type=one.product_type,
        engagement_name=one.engagement_name,
        join_products="ask" if one.join_products == "ask" else "same name",
        writes_per_minute=one.writes_per_minute,
        settings=one.settings,
        warning="" if verified else UNVERIFIED,
        routes=routes,
        created_at=one.created_at,
        created_by=one.created_by,
        managed_by=file,
    )


def _state(one: models.Destination, routes: list[DestinationRouteRow]) -> tuple[Literal["on", "off"], str]:
    if one.off_at is not None:
        return "off", f"Switched off on {one.off_at:%Y-%m-%d}: nothing is delivered."
    if not routes:
        return "on", "No route leads to it, so nothing is delivered."
    return "on", f"{len(routes)} {'route leads' if len(routes) == 1 else 'routes lead'} to it."


def _route(one: models.DestinationRoute) -> DestinationRouteRow:
    return DestinationRouteRow(
        id=one.pk,
        takes="connection" if one.connection_id else "product type" if one.product_type_id else "the rest",
        connection=one.connection.label if one.connection_id else None,
        connection_id=one.connection_id,
        product_type=one.product_type.name if one.product_type_id else None,
        product_type_id=one.product_type_id,
        created_at=one.created_at,
        created_by=one.created_by,
    )
