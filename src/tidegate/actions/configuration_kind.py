"""What a configuration file makes, changes and deletes, kind by kind: by the action that a person would take.

Each raises Refused where that action does, or where what the file names is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tidegate.actions import connection as connections
from tidegate.actions import destination as destinations
from tidegate.actions import product as products
from tidegate.actions import product_type as product_types
from tidegate.actions import route as routes
from tidegate.actions import rule as rules
from tidegate.actions import schedule as schedules
from tidegate.actions import user as users
from tidegate.actions.errors import NotThere, Refused
from tidegate.reads.grant import grants_by_people
from tidegate.rules.access import Grant
from tidegate.rules.actor import Actor
from tidegate.rules.configuration import (
    OF_KIND,
    Connection,
    ConnectionRules,
    ConnectionSchedule,
    Destination,
    GrantSaid,
    Notification,
    Product,
    ProductType,
    RecordMapping,
    Taken,
    Thing,
    User,
    shown,
)
from tidegate.rules.configuration_change import Change
from tidegate.store import models
from tidegate.store.writers.managed import forget_managed
from tidegate.store.writers.product import IMPORTED, product_type_named

# What the actions share


def save_product(actor: Actor, change: Change, one: Product) -> str:
    """Makes or changes it; says what was done."""
    kind = None if one.product_type is None else product_type_named(one.product_type)
    if change.verb == "create":
        products.add_product(actor, one.name, product_type_id=kind, tags=one.tags or ())
        return f"Made in «{one.product_type or IMPORTED}»."
    products.edit_product(
        actor,
        _product_id(one.name),
        product_type_id=kind if change.changes("product_type") else None,
        tags=one.tags if change.changes("tags") else None,
    )
    return "Changed."


def refuse_another_tool(one: Connection) -> None:
    """Raises Refused where a Connection is there by this label, of another tool."""
    tool = models.Connection.objects.values_list("tool", flat=True).get(label=one.label, deleted_at=None)
    if tool != one.tool:
        raise Refused(
            f"«{one.label}» connects {tool}, and the file says {one.tool}.",
            "A Connection keeps its tool: give the new one another label.",
        )


def set_paused(actor: Actor, id: int, source: str, *, paused: bool) -> None:
    """Pauses it, or lets it go on, for the reason that the file gives."""
    is_paused = models.Connection.objects.filter(pk=id, paused_at__isnull=False).exists()
    if is_paused:
        connections.resume_connection(actor, id)
    if paused:
        connections.pause_connection(actor, id, f"as {source} says")


def save_schedule(actor: Actor, one: ConnectionSchedule) -> str:
    """Sets it; says so."""
    own: dict[str, Any] = {name: getattr(one, name) for name in OF_KIND[one.runs]}
    kind: Any = one.runs
    schedules.set_schedule(
        actor,
        connection_id(one.connection),
        one.type,
        kind=kind,
        zone=one.zone,
        spread_minutes=one.spread_minutes,
        **own,
    )
    return "Set."


def save_rules(actor: Actor, one: ConnectionRules) -> str:
    """Products by their names; one that was deleted stays named where a rule named it before."""
    id = connection_id(one.connection)
    named = {rule.product for rule in one.rules if rule.answer == "product"}
    there = dict(models.Product.objects.filter(name__in=named).values_list("name", "pk"))
    lost = models.MappingRule.objects.filter(connection_id=id, answer="product", product=None)
    known = set(lost.values_list("product_name", flat=True))
    if missing := sorted(named - there.keys() - known):
        raise NotThere(
            f"There is no Product «{shown(missing[0])}» for a rule of «{one.connection}».",
            "Name it below products, and it is made first.",
        )
    rules.save_rules(actor, id, [replace(rule, product_id=there.get(rule.product)) for rule in one.rules])
    return f"Saved, {len(one.rules):,} in all; they decide at the next Discover."


def save_user(actor: Actor, change: Change, one: User) -> str:
    """Adds, changes or lets in again; says what was done, and how they come in."""
    if change.verb == "create":
        return _new_user(actor, one)
    id = models.User.objects.values_list("pk", flat=True).get(username__iexact=one.username)
    if change.changes("account"):
        raise Refused(f"«{one.username}» cannot become a {one.account}.", "Give the other one another name.")
    if change.changes("email") or change.changes("username"):
        users.edit_user(actor, id, email=one.email)
    if change.changes("grants"):
        _grant(actor, id, one.grants or ())
    return "Changed."


def _new_user(actor: Actor, one: User) -> str:
    left = models.User.objects.filter(username__iexact=one.username, is_active=False).first()
    if left is not None:
        if one.account not in (None, left.kind):
            raise Refused(f"«{one.username}» cannot become a {one.account}.", "Give the other one another name.")
        users.reactivate_user(actor, left.pk)
        if one.email is not None and one.email != left.email:
            users.edit_user(actor, left.pk, email=one.email)
        if one.grants is not None:
            _grant(actor, left.pk, one.grants)
        return "May come in again."
    kind: Any = one.account or "person"
    grants = [_the_grant(grant) for grant in one.grants or ()]
    users.add_user(actor, one.username, kind=kind, email=one.email or "", grants=grants)
    if kind == "service":
        return f"Added. It comes in with a token: tidegate token add --user {one.username}"
    return f"Added, without a password: tidegate user password {one.username}"


def _grant(actor: Actor, id: int, said: Sequence[GrantSaid]) -> None:
    """These roles and no others, but for what a group at the issuer gives. Given before others are taken, so that
    somebody is always administrator."""
    wanted = [_the_grant(grant) for grant in said]
    before = grants_by_people(id)
    for grant in wanted:
        if grant not in before:
            users.grant_role(actor, id, grant.role, grant.scope, grant.id)
    kept = {(grant.scope, grant.id) for grant in wanted}
    for grant in before:
        if (grant.scope, grant.id) not in kept:
            users.take_role(actor, id, grant.scope, grant.id)


def _the_grant(said: GrantSaid) -> Grant:
    match said.scope:
        case "product type":
            found = models.ProductType.objects.filter(name=said.name).values_list("pk", flat=True).first()
            if found is None:
                raise NotThere(f"There is no Product Type «{said.name}».", "Name it below product_types.")
            return Grant(said.role, said.scope, found)
        case "product":
            return Grant(said.role, said.scope, _product_id(said.name))
        case "connection":
            return Grant(said.role, said.scope, connection_id(said.name))
        case _:
            return Grant(said.role)


def delete(actor: Actor, one: Thing) -> str:
    """Deletes what the file does not name any more; says so. Raises Refused for kinds that no file deletes."""
    id = number_of(one)
    if id is None:
        return "Is gone already."
    match one:
        case Connection():
            connections.delete_connection(actor, id, one.label)
            for kind in ("schedule of discover", "schedule of sync", "rules"):
                forget_managed(kind, id)
        case Notification():
            routes.remove_route(actor, id)
        case Destination():
            destinations.delete_destination(actor, id, one.name)
        case User():
            users.deactivate_user(actor, id)
        case ProductType():
            product_types.delete_product_type(actor, id, one.name)
        case _:
            raise Refused(f"The {one.told} is never deleted by a file.", "Delete it by hand.")
    forget_managed(managed_as(one), id)
    return "May not come in any more." if isinstance(one, User) else "Deleted."


def connection_id(label: str) -> int:
    """Raises NotThere."""
    found = models.Connection.objects.filter(label=label, deleted_at=None).values_list("pk", flat=True).first()
    if found is None:
        raise NotThere(f"There is no Connection «{label}».", "Name it below connections, or correct the label.")
    return found


def destination_id(name: str) -> int:
    """Raises NotThere."""
    found = models.Destination.objects.filter(name=name).values_list("pk", flat=True).first()
    if found is None:
        raise NotThere(f"There is no Destination «{shown(name)}».", "Apply the file again, and it is made.")
    return found


def taken_as(taken: Taken) -> dict[str, int]:
    """What a route takes, by its number."""
    match taken.scope:
        case "connection":
            return {"connection_id": connection_id(taken.name)}
        case "product type":
            found = models.ProductType.objects.filter(name=taken.name).values_list("pk", flat=True).first()
            if found is None:
                raise NotThere(f"There is no Product Type «{shown(taken.name)}».", "Name it below product_types.")
            return {"product_type_id": found}
        case _:
            return {}


def _product_id(name: str) -> int:
    found = models.Product.objects.filter(name=name).values_list("pk", flat=True).first()
    if found is None:
        raise NotThere(f"There is no Product «{shown(name)}».", "Name it below products, and it is made first.")
    return found


def number_of(one: Thing) -> int | None:
    """The number of what a change was about; of rules and schedules that of their Connection."""
    match one:
        case ProductType():
            query: Any = models.ProductType.objects.filter(name=one.name)
        case Product():
            query = models.Product.objects.filter(name=one.name)
        case Connection():
            query = models.Connection.objects.filter(label=one.label, deleted_at=None)
        case ConnectionSchedule() | ConnectionRules():
            query = models.Connection.objects.filter(label=one.connection, deleted_at=None)
        case RecordMapping():
            query = models.Record.objects.filter(
                connection__label=one.connection, connection__deleted_at=None, vendor_id=one.vendor_id
            )
        case Notification():
            query = models.Route.objects.filter(name=one.name)
        case Destination():
            query = models.Destination.objects.filter(name=one.name)
        case User():
            query = models.User.objects.filter(username__iexact=one.username)
    return query.values_list("pk", flat=True).first()


def managed_as(one: Thing) -> str:
    """The kind by which it is noted as managed by a file."""
    return f"schedule of {one.type}" if isinstance(one, ConnectionSchedule) else one.kind
