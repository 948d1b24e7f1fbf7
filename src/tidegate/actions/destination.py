"""What a person may do to Destinations: add, try, edit, switch off, delete, and say what is delivered where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from pydantic import SecretStr

from tidegate.actions.action import action
from tidegate.actions.connection import existing as existing_connection
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.saving import sealed_to, unique_name
from tidegate.actions.step import LARGEST_ID, not_there
from tidegate.actions.version import demand_expected
from tidegate.catalog import SettingsRefused, Unusable
from tidegate.delivery.defectdojo import destination as stored
from tidegate.delivery.defectdojo.preflight import Preflight, Remark, preflight
from tidegate.delivery.defectdojo.settings import DefectDojoSettings
from tidegate.guard.keys import KeyProblem
from tidegate.rules.actor import Actor
from tidegate.rules.configuration import JOINS, MOST_WRITES
from tidegate.rules.names import NameRefused, clean_name
from tidegate.store.acting import acting
from tidegate.store.models import Destination, DestinationRoute
from tidegate.store.writers import destination as writer
from tidegate.store.writers.product import keep_product_type
from tidegate.store.writers.secret import DESTINATION
from tidegate_sdk.limits import Limits

PATIENCE: Final = Limits(tries=2)
"""Of a pre-flight: somebody waits for its answer."""

SEE: Final = "See what it needs: docs/guide/defectdojo.md"


@action("administrator")
def add_destination(
    actor: Actor,
    name: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, SecretStr],
    *,
    product_type: str = "",
    engagement_name: str = "Global Connectors",
    join_products: str = "ask",
    writes_per_minute: int = 120,
) -> int:
    """Makes a Destination; returns its number. Nothing is delivered until a route leads to it, and nothing is asked of
    the server here: see try_destination().

    `product_type` is the one there in which Products are made; empty for none. Raises Refused with what cannot be used.
    """
    filled = the_filled(settings, secrets)
    facts = own_facts(
        name=name,
        product_type=product_type,
        engagement_name=engagement_name,
        join_products=join_products,
        writes_per_minute=writes_per_minute,
    )
    facts["settings"] = stored.stored_settings(filled)
    with acting(str(actor)):
        destination_id = unique_name("Destination", facts["name"], lambda: writer.save_new_destination(actor, facts))
        writer.change_destination(destination_id, {"secrets": sealed(secrets, destination_id)})
    return destination_id


@action("administrator", destination="destination_id")
def edit_destination(
    actor: Actor,
    destination_id: int,
    *,
    name: str | None = None,
    settings: Mapping[str, Any] | None = None,
    secrets: Mapping[str, SecretStr] | None = None,
    product_type: str | None = None,
    engagement_name: str | None = None,
    join_products: str | None = None,
    writes_per_minute: int | None = None,
    on: bool | None = None,
) -> None:
    """Changes what is named and leaves the rest; of `settings`, None sets a field back to its default. While it is off
    nothing is delivered to it. What is there already keeps its names."""
    facts = own_facts(
        name=name,
        product_type=product_type,
        engagement_name=engagement_name,
        join_products=join_products,
        writes_per_minute=writes_per_minute,
    )
    with acting(str(actor)):
        found = locked(destination_id)
        if settings is not None or secrets is not None:
            facts |= refilled(found, settings or {}, secrets or {})
        if on is not None:
            facts["off_at"] = None if on else found.off_at or Now()
        unique_name(
            "Destination", facts.get("name", found.name), lambda: writer.change_destination(destination_id, facts)
        )


@action("administrator", destination="destination_id")
def delete_destination(actor: Actor, destination_id: int, typed_name: str) -> None:
    """Forgets it with its token, its routes, and what was delivered to it; on the server everything stays as it is."""
    with acting(str(actor)):
        found = locked(destination_id)
        if typed_name != found.name:
            why = f"The Destination is called «{found.name}», and something else was typed; nothing was deleted."
            raise Refused(why, "Type the name exactly.", {"typed_name": why})
        writer.delete_destination(destination_id)


@action("administrator", at_once=False, destination="destination_id")
def test_destination(actor: Actor, destination_id: int) -> Preflight:
    """The pre-flight: version, user, rights, deduplication, clock, each with what follows and what to do. Nothing is
    written there."""
    found = existing(destination_id)
    try:
        settings = stored.settings_of(found)
    except Unusable as broken:
        return Preflight((Remark("settings", "problem", broken.cause, do=broken.next_step),))
    looked = looked_at(settings, found.product_type)
    if looked.server is not None:
        with transaction.atomic():
            writer.note_checked(destination_id, looked.server.version)
    return looked


@action("administrator", at_once=False)
def try_destination(
    actor: Actor,
    settings: Mapping[str, Any],
    secrets: Mapping[str, SecretStr],
    *,
    product_type: str = "",
    destination_id: int | None = None,
) -> Preflight:
    """The same for what was entered and is not saved yet. With the number of a Destination what was not entered is
    taken from there; its token only for the URL that it was given for."""
    if destination_id is None:
        return looked_at(the_filled(settings, secrets), product_type)
    found = existing(destination_id)
    return looked_at(refilled_settings(found, settings, secrets)[0], product_type)


@action("administrator", destination="destination_id")
def add_destination_route(
    actor: Actor, destination_id: int, *, connection_id: int | None = None, product_type_id: int | None = None
) -> int:
    """Delivers there what comes from this Connection, or what lies in this Product Type, or, where neither is named,
    whatever no other route takes. Returns the route's number. Of two that match, the Connection's wins.

    Raises NotThere; Refused where another route takes the same.
    """
    if connection_id is not None and product_type_id is not None:
        raise Refused("A route is for a Connection or for a Product Type.", "Add one for each.")
    with acting(str(actor)):
        found, takes = locked(destination_id), "what no other takes"
        if connection_id is not None:
            takes = existing_connection(connection_id).label
        if product_type_id is not None:
            if keep_product_type(product_type_id) is None:
                raise not_there("Product Type", [product_type_id])
            takes = f"Product Type {product_type_id}"
        try:
            with transaction.atomic():
                return writer.save_route(actor, found.pk, connection_id, product_type_id)
        except IntegrityError as error:
            if "destination_route_once" not in str(error):
                raise
            raise Refused(
                f"A route for {takes} is there already.", "Remove it first; one thing is delivered to one place."
            ) from error


@action("administrator")
def remove_destination_route(actor: Actor, route_id: int) -> None:
    """What it took is delivered where the next best route leads, or nowhere; what was delivered stays as it is."""
    with acting(str(actor)):
        if not 0 < route_id <= LARGEST_ID or not DestinationRoute.objects.filter(pk=route_id).exists():
            raise NotThere(f"There is no route {route_id} to a Destination.", "See them: tidegate destination list")
        writer.remove_route(route_id)


# What the actions share


def existing(destination_id: int) -> Destination:
    found = Destination.objects.filter(pk=destination_id).first() if 0 < destination_id <= LARGEST_ID else None
    if found is None:
        raise no_destination(destination_id)
    return found


def locked(destination_id: int) -> Destination:
    found = writer.lock_destination(destination_id) if 0 < destination_id <= LARGEST_ID else None
    if found is None:
        raise no_destination(destination_id)
    demand_expected("destination", destination_id)
    return found


def no_destination(destination_id: int) -> NotThere:
    return NotThere(f"There is no Destination {destination_id}.", "See what there is: tidegate destination list")


def looked_at(settings: DefectDojoSettings, product_type: str) -> Preflight:
    with stored.dojo(settings, limits=PATIENCE) as dojo:
        return preflight(dojo, product_type.strip(), warning=settings.way().warning)


def the_filled(settings: Mapping[str, Any], secrets: Mapping[str, SecretStr]) -> DefectDojoSettings:
    """What was entered, checked. A secret among the settings would be stored in the clear: refused. A name that is not
    known is not said again: whoever exchanged name and value sent a secret there."""
    fields = DefectDojoSettings.model_fields
    if misplaced := sorted(stored.SECRETS & settings.keys()):
        raise Refused(f"{stored.NAME}'s {misplaced[0]} is a secret.", "Give it as a secret, not as a setting.")
    if misplaced := sorted((secrets.keys() - stored.SECRETS) & fields.keys()):
        raise Refused(f"{stored.NAME}'s {misplaced[0]} is no secret.", "Give it as a setting, not as a secret.")
    if secrets.keys() - stored.SECRETS:
        raise Refused(f"{stored.NAME} has no secret of a name that was given.", SEE)
    try:
        return stored.filled(settings, secrets)
    except SettingsRefused as refused:
        unknown = settings.keys() - fields.keys()
        problems = {name: why for name, why in refused.problems.items() if name not in unknown}
        said = [f"{stored.NAME} has no setting of a name that was given; it has: {', '.join(fields)}."]
        raise Refused(" ".join([*(said if unknown else []), *problems.values()]), SEE, problems) from refused


def refilled(found: Destination, settings: Mapping[str, Any], secrets: Mapping[str, SecretStr]) -> dict[str, Any]:
    """The facts of a Destination whose settings or secrets are changed in part; another server was not tested yet."""
    filled, all_secrets = refilled_settings(found, settings, secrets)
    facts: dict[str, Any] = {"settings": stored.stored_settings(filled)}
    if filled.url != found.settings.get("url"):
        facts |= {"version": "", "checked_at": None}
    if secrets:
        facts["secrets"] = sealed(all_secrets, found.pk)
    return facts


def refilled_settings(
    found: Destination, settings: Mapping[str, Any], secrets: Mapping[str, SecretStr]
) -> tuple[DefectDojoSettings, dict[str, SecretStr]]:
    """With what is stored of what was not entered. A token belongs to its server: for another URL it is entered anew,
    or whoever edits could have it sent to themselves."""
    entered = {**found.settings, **settings}
    kept = {name: value for name, value in entered.items() if value is not None}
    if "token" not in secrets and "url" in kept and the_server(kept) != the_server(found.settings):
        why, step = "The URL leads to another server, and the token was given for the one before.", "Enter a token too."
        raise Refused(why, step, {"token": f"{why} {step}"})
    try:
        before = stored.stored_secrets(found)
    except KeyProblem as problem:
        if not secrets:
            raise Refused(f"{found.name} cannot be used. {problem.cause}", problem.next_step) from problem
        before = {}
    together = {**before, **secrets}
    return the_filled(kept, together), together


def the_server(settings: Mapping[str, Any]) -> str:
    """Scheme, host and port of a URL, as far as it is one."""
    return "/".join(str(settings.get("url", "")).strip().lower().split("/")[:3])


def own_facts(
    *,
    name: str | None,
    product_type: str | None,
    engagement_name: str | None,
    join_products: str | None,
    writes_per_minute: int | None,
) -> dict[str, Any]:
    """What was named of a Destination's own facts, checked."""
    facts: dict[str, Any] = {}
    if name is not None:
        with blaming("name"):
            facts["name"] = clean_name(name, "name of the Destination")
    if product_type is not None:
        with blaming("product_type"):
            there = product_type.strip()
            facts["product_type"] = clean_name(there, "product type") if there else ""
    if engagement_name is not None:
        with blaming("engagement_name"):
            facts["engagement_name"] = clean_name(engagement_name, "name of the Engagement")
    if join_products is not None:
        if join_products not in JOINS:
            why = f"«{join_products[:60]}» is no way to join Products."
            raise Refused(why, f"Choose one of: {', '.join(JOINS)}.", {"join_products": why})
        facts["join_products"] = join_products
    if writes_per_minute is not None:
        if not 1 <= writes_per_minute <= MOST_WRITES:
            why, step = f"{writes_per_minute} writes a minute cannot be.", f"Give a number from 1 to {MOST_WRITES:,}."
            raise Refused(why, step, {"writes_per_minute": f"{why} {step}"})
        facts["writes_per_minute"] = writes_per_minute
    return facts


@contextmanager
def blaming(field: str) -> Iterator[None]:
    """A name inside that cannot be used is this field's fault."""
    try:
        yield
    except NameRefused as refused:
        raise Refused(str(refused), "Nothing was changed; enter another.", {field: str(refused)}) from refused


def sealed(secrets: Mapping[str, SecretStr], destination_id: int) -> bytes:
    return sealed_to(secrets, DESTINATION.format(id=destination_id))
