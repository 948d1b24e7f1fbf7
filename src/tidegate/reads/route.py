"""Routes that news take, how they are, and what went over them. Addresses are never shown, only their masked form."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from django.db.models import Count, Q
from msgspec import Meta

from tidegate.reads.managed import managed_by
from tidegate.reads.page import LIMIT, cut, number, storable
from tidegate.reads.viewer import visible
from tidegate.rules.news import About, words
from tidegate.store import models

State = Literal["on", "off", "failing"]


class RouteRow(msgspec.Struct, frozen=True, kw_only=True):
    """One route."""

    id: Annotated[int, Meta(description="Its number.")]
    name: Annotated[str, Meta(description="What its owner calls it; unique.")]
    leads_to: Annotated[str, Meta(description="Where it leads, without what is secret in the address.")]
    webhook: Annotated[bool, Meta(description="Each piece of news is posted there as signed JSON.")]
    kinds: Annotated[list[str], Meta(description="The kinds of news it is for; empty for every kind.")]
    connection: Annotated[str | None, Meta(description="The label of the Connection it is for; null for all.")]
    connection_id: Annotated[int | None, Meta(description="That Connection's number, or null.")]
    state: Annotated[State, Meta(description="`on`, `off`, or `failing`: the last message did not arrive.")]
    why: Annotated[str, Meta(description="Why it is so, in one sentence.")]
    waiting: Annotated[int, Meta(description="News that wait to be sent on it.")]
    last_sent_at: Annotated[datetime | None, Meta(description="When a message last arrived, or null.")]
    failing_since: Annotated[datetime | None, Meta(description="Since when messages do not arrive, or null.")]
    last_error: Annotated[str, Meta(description="Why the last message did not arrive; empty where it did.")]
    created_at: Annotated[datetime, Meta(description="When it was made.")]
    created_by: Annotated[str, Meta(description="Who made it.")]
    managed_by: Annotated[str | None, Meta(description="The configuration file that manages it, or null.")]


class RouteList(msgspec.Struct, frozen=True, kw_only=True):
    """All routes, by name."""

    routes: Annotated[list[RouteRow], Meta(description="The routes.")]


class DeliveryRow(msgspec.Struct, frozen=True, kw_only=True):
    """How one piece of news fared on one route."""

    route: Annotated[str, Meta(description="The route's name.")]
    outcome: Annotated[Literal["sent", "waiting", "given up"], Meta(description="`sent`, `waiting` or `given up`.")]
    attempts: Annotated[int, Meta(description="How often it was tried.")]
    sent_at: Annotated[datetime | None, Meta(description="When it was sent, or null.")]
    next_at: Annotated[datetime | None, Meta(description="When it is tried next, or null.")]
    error: Annotated[str, Meta(description="Why it did not arrive at the last try; empty where it did.")]


class NewsRow(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of news, in the words in which it is told."""

    id: Annotated[int, Meta(description="Its number.")]
    at: Annotated[datetime, Meta(description="When it happened.")]
    kind: Annotated[str, Meta(description="The kind of news.")]
    connection: Annotated[str, Meta(description="The label of its Connection.")]
    connection_id: Annotated[int, Meta(description="That Connection's number.")]
    operation_id: Annotated[int | None, Meta(description="The Operation that brought it, or null.")]
    title: Annotated[str, Meta(description="What happened, in one line.")]
    body: Annotated[str, Meta(description="The same in full, with the next step.")]
    deliveries: Annotated[list[DeliveryRow], Meta(description="Route by route; empty where no route is for it.")]


class NewsPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of news, the newest first."""

    news: Annotated[list[NewsRow], Meta(description="The news of this page.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]


def routes() -> RouteList:
    """Every route, by name."""
    return RouteList(routes=_rows(_visible().order_by("name", "id")))


def route(route_id: int) -> RouteRow | None:
    """One route; None if there is none of this number."""
    return next(iter(_rows(_visible().filter(id=route_id))), None)


def named(text: str) -> list[RouteRow]:
    """The routes a person may mean: the one of this number, else of this name, else ignoring case."""
    text = storable(text)
    by_number = [] if number(text) is None else [Q(id=number(text))]
    for wanted in (*by_number, Q(name=text), Q(name__iexact=text)):
        if found := _rows(_visible().filter(wanted).order_by("id")[:20]):
            return found
    return []


def news(
    *,
    kind: str | None = None,
    connection_id: int | None = None,
    route_id: int | None = None,
    cursor: str | None = None,
    limit: int = LIMIT,
) -> NewsPage:
    """What happened and how telling it went, the newest first."""
    query: Any = models.News.objects.select_related("connection").filter(visible(connection="connection_id"))
    if kind is not None:
        query = query.filter(kind=storable(kind))
    if connection_id is not None:
        query = query.filter(connection_id=connection_id)
    if route_id is not None and not _visible().filter(id=route_id).exists():
        return NewsPage(news=[], next=None)
    if route_id is not None:
        query = query.filter(id__in=models.Delivery.objects.filter(route_id=route_id).values("news_id"))
    found, following = cut(query, ("-id",), (int,), cursor, limit)
    deliveries = _deliveries([one.pk for one in found], route_id)
    return NewsPage(news=[_news(one, deliveries.get(one.pk, [])) for one in found], next=following)


def _visible() -> Any:
    """The routes of the Connections that the viewer may see; one for all Connections is seen by who sees all."""
    return models.Route.objects.filter(visible(connection="connection_id"))


def _rows(found: Any) -> list[RouteRow]:
    found = list(found.select_related("connection"))
    waits = models.Delivery.objects.filter(route_id__in=[one.pk for one in found], next_at__isnull=False)
    waiting = {row["route_id"]: row["n"] for row in waits.values("route_id").annotate(n=Count("id"))}
    files = managed_by("notification", [one.pk for one in found])
    return [_row(one, waiting.get(one.pk, 0), files.get(one.pk)) for one in found]


def _row(one: Any, waiting: int, file: str | None) -> RouteRow:
    state, why = _state(one)
    return RouteRow(
        id=one.pk,
        name=one.name,
        leads_to=one.shown,
        webhook=one.signing_secret is not None,
        kinds=list(one.kinds),
        connection=None if one.connection is None else one.connection.label,
        connection_id=one.connection_id,
        state=state,
        why=why,
        waiting=waiting,
        last_sent_at=one.last_sent_at,
        failing_since=one.failing_since,
        last_error=one.last_error,
        created_at=one.created_at,
        created_by=one.created_by,
        managed_by=file,
    )


def _state(one: Any) -> tuple[State, str]:
    if one.off_at is not None:
        return "off", f"Switched off on {one.off_at:%Y-%m-%d}. {one.last_error}".rstrip()
    if one.failing_since is not None:
        return "failing", f"Messages do not arrive since {one.failing_since:%Y-%m-%d %H:%M} UTC. {one.last_error}"
    if one.last_sent_at is None:
        return "on", "Nothing was sent on it yet."
    return "on", f"The last message arrived on {one.last_sent_at:%Y-%m-%d %H:%M} UTC."


def _deliveries(ids: list[int], route_id: int | None) -> dict[int, list[DeliveryRow]]:
    query = models.Delivery.objects.select_related("route").filter(news_id__in=ids)
    query = query.filter(route__in=_visible().values("id"))
    if route_id is not None:
        query = query.filter(route_id=route_id)
    found: dict[int, list[DeliveryRow]] = {}
    for one in query.order_by("id"):
        outcome = "sent" if one.sent_at else "waiting" if one.next_at else "given up"
        found.setdefault(one.news_id, []).append(
            DeliveryRow(
                route=one.route.name,
                outcome=outcome,
                attempts=one.attempts,
                sent_at=one.sent_at,
                next_at=one.next_at,
                error=one.error,
            )
        )
    return found


def _news(one: Any, deliveries: list[DeliveryRow]) -> NewsRow:
    told = words(one.kind, one.facts, About(one.connection_id, one.connection.label))
    return NewsRow(
        id=one.pk,
        at=one.at,
        kind=one.kind,
        connection=one.connection.label,
        connection_id=one.connection_id,
        operation_id=one.operation_id,
        title=told.title,
        body=told.body,
        deliveries=deliveries,
    )
