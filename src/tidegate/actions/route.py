"""What a person may do to the routes that news take: add, try, edit, switch off, remove."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from pydantic import SecretStr

from tidegate.actions.action import action, demand, demand_everywhere
from tidegate.actions.connection import existing as existing_connection
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.step import LARGEST_ID
from tidegate.config import load_settings
from tidegate.delivery.courier import AddressRefused, Courier, Described, Outcome
from tidegate.delivery.deliver import address_of
from tidegate.guard.keys import KeyProblem
from tidegate.guard.secrets import seal
from tidegate.rules.actor import Actor
from tidegate.rules.names import clean_name
from tidegate.rules.news import KINDS, test_words
from tidegate.store.acting import acting
from tidegate.store.models import Route
from tidegate.store.writers import route as writer
from tidegate.store.writers.notification import drop_waiting

T = TypeVar("T")

EVERY_CONNECTION = 0
"""Said to edit_route() as a Connection's number: the route is for all of them again."""


@action("administrator", connection="connection_id")
def add_route(
    actor: Actor,
    name: str,
    address: SecretStr,
    *,
    kinds: Sequence[str] = (),
    connection_id: int | None = None,
) -> int:
    """Sends news there from now on; returns the route's id. Without kinds every kind, without Connection all of them.

    Nothing is sent here; see try_address(). Raises Refused with what cannot be used.
    """
    facts = {"name": clean_name(name), "kinds": the_kinds(kinds), "shown": shown(address)}
    with acting(str(actor)):
        if connection_id is not None:
            facts["connection_id"] = existing_connection(connection_id).pk
        route_id = unique_name(facts["name"], lambda: writer.save_new_route(actor, facts))
        writer.change_route(route_id, {"address": sealed(address, route_id)})
    return route_id


@action("administrator", route="route_id")
def edit_route(
    actor: Actor,
    route_id: int,
    *,
    name: str | None = None,
    address: SecretStr | None = None,
    kinds: Sequence[str] | None = None,
    connection_id: int | None = None,
    on: bool | None = None,
) -> None:
    """Changes what is named and leaves the rest. No kinds mean every kind; EVERY_CONNECTION means all of them. What
    waits for a route that is switched off is given up."""
    facts: dict[str, Any] = {} if address is None else {"shown": shown(address), **FORGIVEN}
    if name is not None:
        facts["name"] = clean_name(name)
    if kinds is not None:
        facts["kinds"] = the_kinds(kinds)
    with acting(str(actor)):
        route = locked(route_id)
        if connection_id is not None:
            every = connection_id == EVERY_CONNECTION
            if every:
                demand_everywhere(actor, "administrator", "have news of all Connections sent")
            else:
                demand(actor, "administrator", "connection", [connection_id], "have its news sent")
            facts["connection_id"] = None if every else existing_connection(connection_id).pk
        if address is not None:
            facts["address"] = sealed(address, route_id)
        if on is not None:
            facts |= switched(route, on)
        unique_name(facts.get("name", route.name), lambda: writer.change_route(route_id, facts))
        if on is False:
            drop_waiting(route_id, f"The route was switched off by {actor}.")


@action("administrator", route="route_id")
def remove_route(actor: Actor, route_id: int) -> str:
    """Nothing is sent there any more, also not what waits; its part of the log goes. Returns its name."""
    with acting(str(actor)):
        name = locked(route_id).name
        writer.remove_route(route_id)
    return name


@action("administrator", at_once=False, route="route_id")
def test_route(actor: Actor, route_id: int) -> Outcome:
    """Sends one message now, and says how that went."""
    route = Route.objects.filter(pk=route_id).first() if 0 < route_id <= LARGEST_ID else None
    if route is None:
        raise no_route(route_id)
    settings = load_settings()
    try:
        address = address_of(route, settings)
    except KeyProblem as problem:
        return Outcome(False, str(problem))
    with Courier(settings.private_networks, settings.proxy) as courier:
        return courier.send(address, test_words(route.name))


@dataclass(frozen=True)
class Tried:
    """How an address did that is not saved yet; `warning` is what its owner should know all the same."""

    outcome: Outcome
    warning: str


@action("administrator", at_once=False, anywhere=True)
def try_address(actor: Actor, name: str, address: SecretStr, *, send: bool = True) -> Tried:
    """Looks at the address and sends the test message there. Raises Refused where it cannot be used at all."""
    words, settings = test_words(clean_name(name)), load_settings()
    with Courier(settings.private_networks, settings.proxy) as courier:
        warning = looked_at(courier, address).warning
        return Tried(courier.send(address, words) if send else Outcome(True), warning)


# What the actions share

FORGIVEN: dict[str, Any] = {"failing_since": None, "last_error": ""}


def shown(address: SecretStr) -> str:
    """What may be shown of an address. Raises Refused where it cannot be used."""
    with Courier(load_settings().private_networks) as courier:
        return looked_at(courier, address).shown


def looked_at(courier: Courier, address: SecretStr) -> Described:
    try:
        return courier.describe(address)
    except AddressRefused as refused:
        raise Refused(str(refused), "See how addresses look: docs/guide/notifications.md") from refused


def switched(route: Route, on: bool) -> dict[str, Any]:
    if on == (route.off_at is None):
        raise Refused(f"{route.name} is switched {'on' if on else 'off'} already.", "There is nothing to do.")
    return {"off_at": None, **FORGIVEN} if on else {"off_at": Now()}


def locked(route_id: int) -> Route:
    route = writer.lock_route(route_id) if 0 < route_id <= LARGEST_ID else None
    if route is None:
        raise no_route(route_id)
    return route


def no_route(route_id: int) -> NotThere:
    return NotThere(f"There is no route {route_id}.", "See what there is: tidegate notify list")


def the_kinds(kinds: Sequence[str]) -> list[str]:
    for kind in kinds:
        if kind not in KINDS:
            raise Refused(f"There is no kind of news «{kind}».", f"The kinds are: {', '.join(KINDS)}.")
    return [kind for kind in KINDS if kind in kinds]


def sealed(address: SecretStr, route_id: int) -> bytes:
    try:
        return seal({"address": address}, f"route {route_id}", load_settings())
    except KeyProblem as problem:
        raise Refused(problem.cause, problem.next_step) from problem


def unique_name(name: str, save: Callable[[], T]) -> T:
    """Saves. Raises Refused where another route has the name, also one that was added at the same moment."""
    try:
        with transaction.atomic():
            return save()
    except IntegrityError as error:
        if "route_name" not in str(error):
            raise
        raise Refused(f"There is a route «{name}» already.", "Choose another name.") from error
