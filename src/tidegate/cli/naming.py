"""Finding the one thing a person named: by its number, or by its label or name where that is unique."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from tidegate.cli.failure import Failure, usage
from tidegate.cli.house import reads

if TYPE_CHECKING:
    from tidegate.reads.connection import ConnectionRow
    from tidegate.reads.destination import DestinationRow
    from tidegate.reads.engagement import EngagementRow
    from tidegate.reads.product import ProductRow
    from tidegate.reads.product_type import ProductTypeRow
    from tidegate.reads.record import RecordRow
    from tidegate.reads.route import RouteRow
    from tidegate.reads.test import TestRow
    from tidegate.reads.user import UserRow


def the_connection(text: str) -> ConnectionRow:
    """The Connection of this label or number."""
    return _one("Connection", text, reads.connection.named(text), lambda row: f"{row.label} ({row.id})")


def the_destination(text: str) -> DestinationRow:
    """The Destination of this name or number."""
    return _one("Destination", text, reads.destination.named(text), lambda row: f"{row.name} ({row.id})")


def the_product(text: str) -> ProductRow:
    """The Product of this name or number."""
    return _one("Product", text, reads.product.named(text), lambda row: f"{row.name} ({row.id})")


def the_product_type(text: str) -> ProductTypeRow:
    """The Product Type of this name or number."""
    found = reads.product_type.named(text)
    return _one("Product Type", text, found, lambda row: f"{row.name} ({row.id})")


def the_engagement(text: str, product: str | None = None) -> EngagementRow:
    """The Engagement of this name or number, in this Product or in any."""
    within = None if product is None else the_product(product).id
    found = reads.engagement.named(text, within)
    return _one("Engagement", text, found, lambda row: f"{row.id} ({row.product})")


def the_test(text: str, product: str | None = None) -> TestRow:
    """The Test of this name or number, in this Product or in any."""
    within = None if product is None else the_product(product).id
    found = reads.test.named(text, within)
    return _one("Test", text, found, lambda row: f"{row.id} ({row.product})")


def the_record(text: str, connection_id: int | None = None) -> RecordRow:
    """The Record of this name or number, in this Connection or in any."""
    found = reads.record.named(text, connection_id)
    return _one("Record", text, found, lambda row: f"{row.id} ({row.connection} › {row.name})")


def the_route(text: str) -> RouteRow:
    """The route of this name or number."""
    found = reads.route.named(text)
    if not found:
        raise Failure(f"There is no route {_shown(text)}.", "See what there is: tidegate notify list")
    return _one("route", text, found, lambda row: f"{row.name} ({row.id})")


def the_user(text: str) -> UserRow:
    """The user of this name or number."""
    return _one("User", text, reads.user.named(text), lambda row: f"{row.name} ({row.id})")


def the_records(texts: Sequence[str], connection: str | None = None) -> list[RecordRow]:
    """Each of these Records, once."""
    within = None if connection is None else the_connection(connection).id
    found = [the_record(text, within) for text in texts]
    return list({row.id: row for row in found}.values())


def the_number(text: str, what: str) -> int:
    """The number of a finding or an Operation; these have no names."""
    if not (text.isascii() and text.isdigit()):
        raise usage(f"{_shown(text)} is not the number of {what}.", "Numbers stand first in every list.")
    if len(text) >= 19:  # more than the database counts to
        raise not_there(what.rpartition(" ")[2].capitalize(), text)
    return int(text)


def not_there(what: str, text: object) -> Failure:
    """There is nothing of that name or number."""
    listed = what.lower().replace(" ", "-")
    return Failure(f"There is no {what} {_shown(text)}.", f"See what there is: tidegate {listed} list")


def confirmed(given: str | None, name: str, what: str) -> str:
    """The name as the person typed it: given, or asked for where somebody is there to answer."""
    if given is not None:
        return given
    import sys

    if not sys.stdin.isatty():
        raise usage(f"Deleting {what} cannot be undone, so its name has to be given.", f"Add: --confirm {name!r}")
    return typer.prompt(f"Deleting {what} cannot be undone. Type its name to go on", err=True)


def _one(what: str, text: str, found: Sequence[Any], told: Any) -> Any:
    if not found:
        raise not_there(what, text)
    if len(found) > 1:
        them = ", ".join(told(row) for row in found[:10]) + (", …" if len(found) > 10 else "")
        raise usage(f"{len(found)} {what}s are called {_shown(text)}: {them}.", "Say which by its number.")
    return found[0]


def _shown(text: object) -> str:
    shown = str(text)
    return f"«{shown}»" if len(shown) <= 80 else f"«{shown[:77]}…»"
