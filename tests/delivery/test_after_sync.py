"""What a Sync brought is delivered by itself, to where routes lead it; nothing else asks for a delivery."""

from __future__ import annotations

from typing import Any

import pytest

from tests import world
from tidegate.store import models
from tidegate.store.writers.operation import claim_operation, end_operation, request_operation

pytestmark = pytest.mark.usefixtures("database")


def ended(of: models.Connection, type: str, status: Any, *, preview: bool = False) -> None:
    number = request_operation(type, of.pk, actor="alice", preview=preview)
    claim = claim_operation(number, "here", 30)
    assert claim is not None
    end_operation(claim, status, "", {})


def asked_for() -> list[tuple[int | None, str, str, dict[str, Any], bool]]:
    asked = models.Operation.objects.filter(type="deliver").order_by("id")
    return [(one.destination_id, one.status, one.trigger, one.scope, one.preview) for one in asked]


@pytest.fixture
def burp() -> models.Connection:
    """One Product of it in *Web*."""
    from tidegate.actions.record import map_records

    burp = world.connection("Burp")
    map_records(world.ALICE, [world.record(burp, "shop")], product_id=world.product("Shop", "Web"))
    models.Operation.objects.all().delete()
    return burp


def destination(name: str, **route: Any) -> int:
    made = models.Destination.objects.create(name=name, secrets=b"", created_by="alice")
    models.DestinationRoute.objects.create(destination=made, created_by="alice", **route)
    return made.pk


@pytest.mark.parametrize("status", ["success", "partial"])
def test_a_sync_that_applied_something_asks_for_one_delivery_where_a_route_leads(burp: models.Connection, status: str):
    web = models.ProductType.objects.get(name="Web")
    there = destination("Dojo", product_type=web)
    destination("the others")  # whatever no other route takes: nothing of this Connection

    ended(burp, "sync", status)
    ended(burp, "sync", status)  # the one that waits is joined

    assert asked_for() == [(there, "pending", "scheduled", {"mode": "deliver"}, False)]


@pytest.mark.parametrize(
    ("type", "status", "facts"),
    [
        ("sync", "success", {"preview": True}),
        ("sync", "failed", {}),
        ("sync", "cancelled", {}),
        ("discover", "success", {}),
    ],
)
def test_what_brought_nothing_asks_for_no_delivery(burp: models.Connection, type: str, status: str, facts: Any):
    destination("Dojo")

    ended(burp, type, status, **facts)

    assert asked_for() == []


def test_a_destination_that_is_switched_off_is_not_delivered_to(burp: models.Connection):
    destination("Dojo")
    models.Destination.objects.update(off_at=world.now())

    ended(burp, "sync", "success")

    assert asked_for() == []
