"""What a person may do to the routes that news take: add, try, edit, switch off, remove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from django.db.models.functions import Now
from pydantic import SecretStr

from tidegate.actions.action import action, demand, demand_everywhere
from tidegate.actions.connection import existing as existing_connection
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.saving import sealed_to, unique_name
from tidegate.actions.step import LARGEST_ID
from tidegate.actions.version import demand_expected
from tidegate.config import load_settings
from tidegate.delivery.address import Unusable, hook_shown
from tidegate.delivery.courier import AddressRefused, Courier, Described, Outcome
from tidegate.delivery.deliver import address_of, keys_of, post
from tidegate.guard.keys import KeyProblem
from tidegate.guard.signing import SecretUnusable, key_of, new_secret
from tidegate.reads.viewer import sees, visible
from tidegate.rules.access import Place
from tidegate.rules.actor import Actor
from tidegate.rules.hook import body_of_test
from tidegate.rules.names import clean_name
from tidegate.rules.news import EVERY_CONNECTION, KINDS, test_words
from tidegate.store.acting import acting
from tidegate.store.clock import database_now
from tidegate.store.models import News, Route
from tidegate.store.writers import route as writer
from tidegate.store.writers.notification import drop_waiting, send_again
from tidegate.store.writers.secret import SIGNATURE


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
        route_id = unique_name("route", facts["name"], lambda: writer.save_new_route(actor, facts))
        writer.change_route(route_id, {"address": sealed(address, route_id)})
    return route_id


@dataclass(frozen=True)
class NewWebhook:
    """A webhook that was just made; the secret is shown once, now."""

    route_id: int
    signing_secret: SecretStr


@action("administrator", connection="connection_id")
def add_webhook(
    actor: Actor,
    name: str,
    address: SecretStr,
    *,
    kinds: Sequence[str] = (),
    connection_id: int | None = None,
    signing_secret: SecretStr | None = None,
) -> NewWebhook:
    """Posts news there from now on, each as JSON that is signed; returns the route and its secret, this once.

    Without a secret one is made. Nothing is sent here; see try_address(). Raises Refused with what cannot be used.
    """
    secret = usable(signing_secret) if signing_secret is not None else new_secret()
    facts = {"name": clean_name(name), "kinds": the_kinds(kinds), "shown": hook(address)[0]}
    with acting(str(actor)):
        if connection_id is not None:
            facts["connection_id"] = existing_connection(connection_id).pk
        route_id = unique_name("route", facts["name"], lambda: writer.save_new_route(actor, facts))
        signature = sealed_signature({"secret": secret}, route_id)
        writer.change_route(route_id, {"address": sealed(address, route_id), "signing_secret": signature})
    return NewWebhook(route_id, secret)


@action("administrator", route="route_id")
def new_signing_secret(
    actor: Actor, route_id: int, *, signing_secret: SecretStr | None = None, keep_former: bool = True
) -> SecretStr:
    """Signs with another secret from now on, made here or given; returns it, this once.

    For a day the one before it signs too, so that the receiver may change in its own time, unless it is not to be kept.
    """
    secret = usable(signing_secret) if signing_secret is not None else new_secret()
    with acting(str(actor)):
        route = locked(route_id)
        if route.signing_secret is None:
            raise Refused(
                f"{route.name} is no webhook: what goes to it is not signed.",
                "Add one: tidegate notify add NAME --webhook",
            )
        held = {"secret": secret}
        if keep_former and (former := former_of(route)):
            until = database_now() + FORMER_SIGNS
            held |= {"former": former, "former_until": SecretStr(until.isoformat())}
        writer.change_route(route_id, {"signing_secret": sealed_signature(held, route_id)})
    return secret


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
    facts: dict[str, Any] = {}
    if address is not None:
        facts = {"shown": hook(address)[0] if is_webhook(route_id) else shown(address), **FORGIVEN}
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
        unique_name("route", facts.get("name", route.name), lambda: writer.change_route(route_id, facts))
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
        keys = None if route.signing_secret is None else keys_of(route, settings)
    except KeyProblem as problem:
        return Outcome(False, str(problem))
    with Courier(settings.private_networks, settings.proxy) as courier:
        return tested(courier, route.name, address, keys)


@dataclass(frozen=True)
class Tried:
    """How an address did that is not saved yet; `warning` is what its owner should know all the same."""

    outcome: Outcome
    warning: str


@action("administrator", at_once=False, anywhere=True)
def try_address(
    actor: Actor, name: str, address: SecretStr, *, signing_secret: SecretStr | None = None, send: bool = True
) -> Tried:
    """Looks at the address and sends the test message there; with a secret as to a webhook. Raises Refused where it
    cannot be used at all."""
    name, settings = clean_name(name), load_settings()
    keys = None if signing_secret is None else [usable(signing_secret)]
    with Courier(settings.private_networks, settings.proxy) as courier:
        warning = looked_at(courier, address).warning if keys is None else hook(address)[1]
        return Tried(tested(courier, name, address, keys) if send else Outcome(True), warning)


@dataclass(frozen=True)
class Replayed:
    """How many pieces of news are sent again, and in how many messages."""

    news: int
    messages: int


@action("operator", anywhere=True)
def replay_news(
    actor: Actor, news_id: int | None = None, *, since: datetime | None = None, route_id: int | None = None
) -> Replayed:
    """Sends one piece of news again, or all since a moment: on every route that it is for now, or on one.

    A webhook gets it with the webhook-id it had. A route that is named gets it whatever kinds it is for, but never news
    of another Connection. Raises NotThere, or Refused where nothing would be sent.
    """
    if (news_id is None) == (since is None):
        raise Refused("Say which news: its number, or since when; one or the other.", "List them: tidegate notify log")
    route = None if route_id is None else seen(route_id)
    if route is not None and route.off_at is not None:
        raise Refused(f"{route.name} is switched off.", f"Switch it on with: tidegate notify edit {route.pk} --on")
    ids = the_news(actor, news_id) if news_id is not None else news_since(actor, since)
    messages = send_again(ids, route_id)
    if not messages:
        raise Refused("No route is for these news.", "Name another, or see what there is: tidegate notify list")
    return Replayed(len(ids), messages)


# What the actions share

MOST_AT_ONCE: Final = 1_000
"""News that are sent again at once."""

FORMER_SIGNS: Final = timedelta(days=1)
"""How long the secret before the newest signs beside it."""

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


def hook(address: SecretStr) -> tuple[str, str]:
    """What may be shown of a webhook's URL, and its owner should know. Raises Refused where it cannot be used."""
    try:
        return hook_shown(address.get_secret_value())
    except Unusable as refused:
        raise Refused(str(refused), "See how a webhook looks: docs/guide/webhooks.md") from refused


def usable(secret: SecretStr) -> SecretStr:
    try:
        key_of(secret)
    except SecretUnusable as refused:
        raise Refused(str(refused), "Leave it out, and one is made.") from refused
    return SecretStr(secret.get_secret_value().strip())


def is_webhook(route_id: int) -> bool:
    """A route stays what it was made as."""
    within = 0 < route_id <= LARGEST_ID
    return within and Route.objects.filter(pk=route_id, signing_secret__isnull=False).exists()


def former_of(route: Route) -> SecretStr | None:
    """The secret that signs now; None where no key opens it, and then there is nothing to keep."""
    try:
        return keys_of(route, load_settings())[0]
    except KeyProblem:
        return None


def tested(courier: Courier, name: str, address: SecretStr, keys: list[SecretStr] | None) -> Outcome:
    """Sends the test message: in words, or signed to a webhook."""
    if keys is None:
        return courier.send(address, test_words(name))
    now = database_now()
    return post(courier, address, keys, f"test_{uuid4().hex}", body_of_test(name, now, test_words(name)))


def seen(route_id: int) -> Route:
    found = route_id if 0 < route_id <= LARGEST_ID else 0
    route = Route.objects.filter(visible(connection="connection_id"), pk=found).first()
    if route is None:
        raise no_route(route_id)
    return route


def the_news(actor: Actor, news_id: int) -> list[int]:
    found = News.objects.filter(pk=news_id).first() if 0 < news_id <= LARGEST_ID else None
    if found is None or not sees(Place(connection_id=found.connection_id)):
        raise NotThere(f"There is no news {news_id}.", "List them: tidegate notify log")
    demand(actor, "operator", "connection", [found.connection_id], "have its news sent again")
    return [found.pk]


def news_since(actor: Actor, since: datetime | None) -> list[int]:
    """Those of the Connections that this actor operates."""
    rows = News.objects.filter(visible(connection="connection_id"), at__gte=since).order_by("pk")
    found = list(rows.values_list("pk", "connection_id")[: MOST_AT_ONCE + 1])
    ids = [id for id, connection_id in found if actor.access.may("operator", Place(connection_id=connection_id))]
    if not ids:
        raise NotThere("There are no such news.", "List what there is: tidegate notify log")
    if len(found) > MOST_AT_ONCE:
        raise Refused(f"These are more than {MOST_AT_ONCE:,} news.", "Name a later moment, or send them one by one.")
    return ids


def switched(route: Route, on: bool) -> dict[str, Any]:
    if on == (route.off_at is None):
        raise Refused(f"{route.name} is switched {'on' if on else 'off'} already.", "There is nothing to do.")
    return {"off_at": None, **FORGIVEN} if on else {"off_at": Now()}


def locked(route_id: int) -> Route:
    route = writer.lock_route(route_id) if 0 < route_id <= LARGEST_ID else None
    if route is None:
        raise no_route(route_id)
    demand_expected("route", route_id)
    return route


def no_route(route_id: int) -> NotThere:
    return NotThere(f"There is no route {route_id}.", "See what there is: tidegate notify list")


def the_kinds(kinds: Sequence[str]) -> list[str]:
    for kind in kinds:
        if kind not in KINDS:
            raise Refused(f"There is no kind of news «{kind}».", f"The kinds are: {', '.join(KINDS)}.")
    return [kind for kind in KINDS if kind in kinds]


def sealed(address: SecretStr, route_id: int) -> bytes:
    return sealed_to({"address": address}, f"route {route_id}")


def sealed_signature(held: Mapping[str, SecretStr], route_id: int) -> bytes:
    return sealed_to(held, SIGNATURE.format(id=route_id))
