"""Takes news to where their routes lead: one message at a time, tried again when it does not arrive.

A message that was sent is noted at once and never sent again. Between sending and noting lies a moment in which this
process may die; then it is sent a second time: twice is better than never.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import structlog
from django.db import DatabaseError, InterfaceError, connections
from pydantic import SecretStr

from tidegate.config import Settings, load_settings
from tidegate.guard.keys import KeyProblem
from tidegate.guard.secrets import unseal
from tidegate.rules.news import About, next_try, plain, together, words
from tidegate.store.models import Route
from tidegate.store.writers.notification import Taken, note_failed, note_sent, route_news, take_due

from .courier import SEND_SECONDS, Courier, Outcome

LOOK_EVERY_SECONDS: Final = 5.0
TAKEN_SECONDS: Final = 3 * SEND_SECONDS
"""How long what is taken is ours: longer than the longest send, so that nobody else sends it meanwhile."""

AFTER_TROUBLE_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


def deliver_news(stop: threading.Event) -> None:
    """Delivers until `stop` is set; run by the scheduler in a thread of its own. Any number may run at once."""
    settings = load_settings()
    with Courier(settings.private_networks, settings.proxy, stop=stop) as courier:
        try:
            while not stop.is_set():
                wait = _round(courier, settings, stop)
                stop.wait(wait)
        finally:
            connections.close_all()


def _round(courier: Courier, settings: Settings, stop: threading.Event) -> float:
    """Sends what is due; returns how long to wait for the next look. A database that is away is waited for."""
    try:
        while not stop.is_set() and deliver_once(courier, settings):
            pass
    except (DatabaseError, InterfaceError) as error:
        connections.close_all()
        log.warning("news wait for the database", error=str(error).partition("\n")[0])
        return AFTER_TROUBLE_SECONDS
    courier.rest()
    return LOOK_EVERY_SECONDS


def deliver_once(courier: Courier, settings: Settings) -> bool:
    """Routes what is fresh and sends what is due on one route, as one message. Whether there was something to do."""
    routed = route_news()
    taken = take_due(TAKEN_SECONDS)
    if not taken:
        return routed > 0
    outcome = _sent(courier, settings, taken)
    if outcome.ok:
        note_sent(taken)
        log.info("news sent", route=taken[0].route_id, news=len(taken))
    else:
        note_failed(taken, [next_try(one.attempts, one.age) for one in taken], outcome.why)
        log.warning("news not sent", route=taken[0].route_id, news=len(taken), why=outcome.why)
    return True


def _sent(courier: Courier, settings: Settings, taken: Sequence[Taken]) -> Outcome:
    route = Route.objects.filter(pk=taken[0].route_id).first()
    if route is None:
        return Outcome(False, "The route was removed.")
    try:
        address = address_of(route, settings)
    except KeyProblem as problem:
        return Outcome(False, str(problem))
    message = together([words(one.kind, one.facts, About(one.connection_id, one.label)) for one in taken])
    outcome = courier.send(address, message)
    return Outcome(outcome.ok, plain(outcome.why))


def address_of(route: Route, settings: Settings) -> SecretStr:
    """The address that a route leads to. Raises KeyProblem."""
    owner = f"route {route.pk}"
    try:
        return unseal(route.address, owner, settings)["address"]
    except KeyProblem:
        # Between our reading the row and our reading the key it may have been sealed anew, and the old key retired.
        now = Route.objects.filter(pk=route.pk).values_list("address", flat=True).first()
        if now is None or bytes(now) == bytes(route.address):
            raise
        return unseal(now, owner, settings)["address"]
