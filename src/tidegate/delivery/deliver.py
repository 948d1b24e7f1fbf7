"""Takes news to where their routes lead: one message at a time, tried again when it does not arrive.

People get words, several news in one message; a webhook gets each piece of news as JSON, signed.

A message that was sent is noted at once and never sent again. Between sending and noting lies a moment in which this
process may die; then it is sent a second time: twice is better than never.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import structlog
from django.db import DatabaseError, InterfaceError, connections
from pydantic import SecretStr

from tidegate.config import Settings, load_settings
from tidegate.guard.keys import KeyProblem
from tidegate.guard.secrets import unseal
from tidegate.guard.signing import signed
from tidegate.rules.hook import Told, body_of, id_of
from tidegate.rules.news import About, next_try, plain, together, words
from tidegate.store.clock import database_now
from tidegate.store.models import Route
from tidegate.store.writers.notification import Taken, note_failed, note_gone, note_sent, route_news, take_due
from tidegate.store.writers.secret import SIGNATURE

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
        return True
    if outcome.gone:
        note_gone(taken, outcome.why)
    else:
        note_failed(taken, [next_try(one.attempts, one.age, outcome.wait) for one in taken], outcome.why)
    log.warning("news not sent", route=taken[0].route_id, news=len(taken), why=outcome.why)
    return True


def _sent(courier: Courier, settings: Settings, taken: Sequence[Taken]) -> Outcome:
    route = Route.objects.filter(pk=taken[0].route_id).first()
    if route is None:
        return Outcome(False, "The route was removed.")
    said = [words(one.kind, one.facts, About(one.connection_id, one.label)) for one in taken]
    try:
        address = address_of(route, settings)
        if route.signing_secret is None:
            outcome = courier.send(address, together(said))
        else:
            (one,) = taken
            body = body_of(_told(one), said[0])
            outcome = post(courier, address, keys_of(route, settings), id_of(one.news_id, one.at), body)
    except KeyProblem as problem:
        return Outcome(False, str(problem))
    return replace(outcome, why=plain(outcome.why))


def _told(one: Taken) -> Told:
    return Told(one.news_id, one.kind, one.at, one.connection_id, one.label, one.operation_id, one.facts)


def post(courier: Courier, address: SecretStr, keys: Sequence[SecretStr], id: str, body: Mapping[str, Any]) -> Outcome:
    """Sends one body to a webhook, signed as of now."""
    content = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    headers = {"content-type": "application/json", "user-agent": "Tidegate", "accept": "*/*"}
    return courier.post(address, content, headers | signed(keys, id, int(time.time()), content))


def address_of(route: Route, settings: Settings) -> SecretStr:
    """The address that a route leads to. Raises KeyProblem."""
    return _opened(route, "address", f"route {route.pk}", settings)["address"]


def keys_of(route: Route, settings: Settings) -> list[SecretStr]:
    """What a webhook's messages are signed with: its secret, and for a day the one before it. Raises KeyProblem."""
    held = _opened(route, "signing_secret", SIGNATURE.format(id=route.pk), settings)
    until = held.get("former_until")
    if until is None or datetime.fromisoformat(until.get_secret_value()) < database_now():
        return [held["secret"]]
    return [held["secret"], held["former"]]


def _opened(route: Route, column: str, owner: str, settings: Settings) -> dict[str, SecretStr]:
    sealed = bytes(getattr(route, column))
    try:
        return unseal(sealed, owner, settings)
    except KeyProblem:
        # Between our reading the row and our reading the key it may have been sealed anew, and the old key retired.
        now = Route.objects.filter(pk=route.pk).values_list(column, flat=True).first()
        if now is None or bytes(now) == sealed:
            raise
        return unseal(now, owner, settings)
