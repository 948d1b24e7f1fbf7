"""What a person may ask of deliveries: deliver, compare, preview, repair; and which Product there is one of ours."""

from __future__ import annotations

from typing import Literal

from tidegate.actions.action import action
from tidegate.actions.connection import existing as existing_connection
from tidegate.actions.destination import PATIENCE, existing
from tidegate.actions.errors import NotThere, Refused
from tidegate.catalog import Unusable
from tidegate.delivery.defectdojo import products
from tidegate.delivery.defectdojo.deliver import tests_for
from tidegate.delivery.defectdojo.destination import dojo_of
from tidegate.delivery.defectdojo.errors import DojoError
from tidegate.rules.actor import Actor
from tidegate.store.models import Destination, Product
from tidegate.store.writers.operation import request_deliver


@action("operator", connection="connection_id")
def request_delivery(
    actor: Actor, connection_id: int, destination_id: int, *, mode: Literal["deliver", "reconcile"] = "deliver"
) -> int:
    """Asks that what the Connection brought goes to the Destination, or (*reconcile*) that all of it is read there and
    compared, and nothing written; returns the Operation's id.

    Raises NotThere; Refused where no route leads what it brought there, or the Destination is switched off.
    """
    return _asked(actor, connection_id, destination_id, mode)


@action("operator", connection="connection_id")
def request_delivery_preview(actor: Actor, connection_id: int, destination_id: int) -> int:
    """Asks what a delivery would create, change and close there; returns the Operation's id. Nobody else is asked, and
    nothing is changed. Raises as `request_delivery` does."""
    return _asked(actor, connection_id, destination_id, "deliver", preview=True)


@action("operator", connection="connection_id")
def request_repair(actor: Actor, connection_id: int, destination_id: int) -> int:
    """Asks that what stands there becomes as it is here, also what deliveries leave alone: what was deleted there is
    made again, and a Test that others wrote into is written again. Returns the Operation's id.

    Raises as `request_delivery` does.
    """
    return _asked(actor, connection_id, destination_id, "repair")


@action("administrator", at_once=False, destination="destination_id")
def join_product(actor: Actor, destination_id: int, product_id: int, their_id: int) -> None:
    """Says that the Product of this number there is this Product of ours; from then on findings are delivered into it.

    Raises NotThere; Refused where it is another one already, or where the server does not show it.
    """
    destination = existing(destination_id)
    product = Product.objects.filter(pk=product_id).first()
    if product is None:
        raise NotThere(f"There is no Product {product_id}.", "List them with: tidegate product list")
    try:
        with dojo_of(destination, limits=PATIENCE) as dojo:
            products.join(dojo, destination, product, their_id, str(actor))
    except products.NotDelivered as refused:
        raise Refused(str(refused), "Look which Product there is meant.") from refused
    except DojoError as error:
        raise Refused(error.what, error.next_step) from error
    except Unusable as error:
        raise Refused(str(error), "Correct it with: tidegate destination edit") from error


def _asked(actor: Actor, connection_id: int, destination_id: int, mode: str, *, preview: bool = False) -> int:
    connection = existing_connection(connection_id)
    destination = _on(existing(destination_id))
    if not any(True for _ in tests_for(destination.pk, connection.pk)):
        raise Refused(
            f"Nothing that «{connection.label}» brought goes to {destination.name}.",
            f"Say what goes there: tidegate destination take {destination.pk} --connection {connection.pk}",
        )
    return request_deliver(
        destination.pk, connection.pk, actor=str(actor), trigger=actor.trigger, mode=mode, preview=preview
    )


def _on(destination: Destination) -> Destination:
    if destination.off_at is not None:
        raise Refused(
            f"{destination.name} is switched off.", f"Switch it on: tidegate destination edit {destination.pk} --on"
        )
    return destination
