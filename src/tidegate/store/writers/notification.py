"""News as rows of the outbox, written in the transaction that makes them true; and how telling them went."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models.functions import Now

from tidegate.rules.actor import TIDEGATE
from tidegate.rules.cause import needs_you, the_cause
from tidegate.rules.health import paused_itself
from tidegate.rules.news import AT_ONCE, FIRST_NAMES, heals
from tidegate.store.models import Operation, Route
from tidegate.store.statement import rows_of, run
from tidegate.store.writers.audit import save_audit_line

ROUTED_AT_ONCE: Final = 500
LOOKED_AT: Final = 500
"""Due deliveries among which those of one route are taken."""


@dataclass(frozen=True)
class Fresh:
    """What may be news: it is, unless the same `facts["key"]` was told and nothing recovered since."""

    kind: str
    connection_id: int
    facts: dict[str, Any]
    operation_id: int | None = None


def save_news(kind: str, connection_id: int, *, operation_id: int | None = None, facts: dict[str, Any]) -> None:
    """Writes one piece of news into the caller's transaction, unless it was told already (`facts["key"]`)."""
    save_what_is_new([Fresh(kind, connection_id, facts, operation_id)])


def save_what_is_new(news: Iterable[Fresh]) -> int:
    """Writes, in the caller's transaction, what of this is news; returns how many that were."""
    given = [
        {
            "kind": one.kind,
            "connection_id": one.connection_id,
            "operation_id": one.operation_id,
            "facts": {**one.facts, "key": one.facts.get("key", "")},
        }
        for one in news
    ]
    if not given:
        return 0
    lock_news()
    return run("news_save", news=json.dumps(given, default=_plain))


def lock_news() -> None:
    """Whoever decides what is news decides alone, until the transaction ends."""
    rows_of("news_lock")


def _plain(fact: object) -> str:
    if isinstance(fact, datetime):
        return fact.isoformat()
    raise TypeError(f"{type(fact).__name__} is no fact of news")


# What an Operation's end tells


def note_ended(operation_id: int) -> None:
    """Writes the news that follow from the end of this Operation, in the transaction that ends it.

    A preview, and what a person cancelled, is no news.
    """
    operation = Operation.objects.select_related("connection").get(pk=operation_id)
    if operation.preview or operation.type in ("change", "deliver") or operation.connection.deleted_at is not None:
        return
    if operation.status in ("success", "partial", "failed"):
        save_what_is_new([*_trouble(operation), *_recovery(operation), *_missing(operation), *_newly_held(operation)])


def _trouble(operation: Operation) -> list[Fresh]:
    if operation.status != "failed" or not needs_you(operation.cause):
        return []
    connection: Any = operation.connection
    paused = connection.paused_at if paused_itself(connection.paused_because) else None
    key = operation.cause if the_cause(operation.cause).everywhere else f"{operation.cause} of {operation.type}"
    if paused is not None:
        key = f"paused {paused.isoformat()}"
    facts: dict[str, Any] = {"key": key, "cause": operation.cause, "type": operation.type, "why": operation.why}
    facts["paused"] = paused is not None
    return [Fresh("needs_you", operation.connection_id, facts, operation.pk)]


def _recovery(operation: Operation) -> list[Fresh]:
    """Well again: each trouble that was told is healed by this Operation, or by one before it."""
    if operation.status == "failed":
        return []
    told = _open("needs_you", operation.connection_id)
    if not told or not all(_healed(row, operation) for row in told):
        return []
    overdue = _open("overdue", operation.connection_id)
    with_it = overdue and all(row["facts"].get("types") == [operation.type] for row in overdue)
    facts = {
        "key": f"operation {operation.pk}",
        "of": ["needs_you", "overdue"] if with_it else ["needs_you"],
        "since": min(row["at"] for row in told),
    }
    return [Fresh("recovered", operation.connection_id, facts, operation.pk)]


def _healed(told: dict[str, Any], operation: Operation) -> bool:
    facts = told["facts"]
    after = Operation.objects.filter(
        connection_id=operation.connection_id, preview=False, pk__gt=told["operation_id"] or 0, pk__lte=operation.pk
    )
    return any(
        heals(facts.get("cause", ""), facts.get("type", ""), type=type, status=status, whole="records" not in scope)
        for type, status, scope in after.order_by("-pk").values_list("type", "status", "scope")
    )


def _missing(operation: Operation) -> list[Fresh]:
    if not operation.counts.get("missing"):
        return []
    asked = {"operation": operation.pk, "connection": operation.connection_id, "names": FIRST_NAMES}
    (row,) = rows_of("news_missing", **asked)
    if not row["missing"]:
        return []
    facts = {"key": f"operation {operation.pk}", "missing": row["missing"], **first_names(row["names"], row["missing"])}
    return [Fresh("records", operation.connection_id, facts, operation.pk)]


def _newly_held(operation: Operation) -> list[Fresh]:
    if not operation.counts.get("held"):
        return []
    rows = rows_of("news_newly_held", operation=operation.pk, connection=operation.connection_id)
    if not rows:
        return []
    facts = {
        "key": f"operation {operation.pk}",
        "operation": operation.pk,
        "findings": sum(row["findings"] for row in rows),
        "absences": sum(row["absences"] for row in rows),
        **first_names([row["name"] for row in rows], len(rows)),
    }
    return [Fresh("held", operation.connection_id, facts, operation.pk)]


def first_names(names: Sequence[str], number: int) -> dict[str, Any]:
    """Facts that name a few and count the others."""
    named = list(names[:FIRST_NAMES])
    return {"names": named, "more": number - len(named)}


# What the time tells: asked by delivery/watch.py


def open_troubles(kind: str) -> list[dict[str, Any]]:
    """What was told of this kind and is not well again, of every Connection."""
    return _open(kind, None)


def _open(kind: str, connection_id: int | None) -> list[dict[str, Any]]:
    rows = rows_of("news_open", kind=kind, connection=connection_id)
    return [{**row, "facts": json.loads(row["facts"])} for row in rows]


def no_longer_overdue(overdue: Sequence[int]) -> list[dict[str, Any]]:
    return rows_of("news_no_longer_overdue", overdue=list(overdue))


def still_held(before: datetime) -> list[dict[str, Any]]:
    return rows_of("news_still_held", before=before)


def stale_untold(since: datetime) -> list[dict[str, Any]]:
    return rows_of("news_stale", since=since, names=FIRST_NAMES)


def new_records_untold(before: datetime) -> list[dict[str, Any]]:
    return rows_of("news_new_records", before=before, names=FIRST_NAMES)


# On their way


@dataclass(frozen=True)
class Taken:
    """A delivery that this process has taken for a while; `attempts` fences it."""

    id: int
    route_id: int
    attempts: int
    kind: str
    facts: dict[str, Any]
    age: timedelta
    connection_id: int
    label: str
    news_id: int
    at: datetime
    operation_id: int | None


def route_news() -> int:
    """Says on which routes the news go that nobody looked at yet; returns how many these were."""
    with transaction.atomic():
        return run("news_route", batch=ROUTED_AT_ONCE)


def take_due(seconds: float) -> list[Taken]:
    """Takes what is due for one route; it is ours for so many seconds. No transaction stays open."""
    with transaction.atomic():
        rows = rows_of("deliveries_claim", seconds=seconds, look=LOOKED_AT, most=AT_ONCE)
    return [
        Taken(**{name: row[name] for name in Taken.__dataclass_fields__} | {"facts": json.loads(row["facts"])})
        for row in rows
    ]


def note_sent(taken: Sequence[Taken]) -> None:
    """These arrived, so their route works."""
    run("deliveries_sent", **_fence(taken))


def note_failed(taken: Sequence[Taken], waits: Sequence[timedelta | None], error: str) -> None:
    """These did not arrive; each is tried again after its wait, or given up where that is None."""
    seconds = [None if wait is None else wait.total_seconds() for wait in waits]
    run("deliveries_failed", waits=seconds, error=error, **_fence(taken))


def note_gone(taken: Sequence[Taken], why: str) -> None:
    """Whoever was there wants no more: the route is switched off, and what waits for it is given up."""
    route = taken[0].route_id
    with transaction.atomic():
        note_failed(taken, [None] * len(taken), why)
        if Route.objects.filter(pk=route, off_at=None).update(off_at=Now()):
            switched = {"arguments": {"route_id": route, "on": False}, "answer": why}
            save_audit_line(TIDEGATE, "route.edit_route", "done", "route", [route], switched)
        drop_waiting(route, why)


def send_again(news: Sequence[int], route_id: int | None) -> int:
    """Has these news sent again on the routes that they are for, or on this one; returns how many messages."""
    return run("news_replay", news=list(news), route=route_id)


def _fence(taken: Sequence[Taken]) -> dict[str, Any]:
    return {
        "deliveries": [one.id for one in taken],
        "attempts": [one.attempts for one in taken],
        "route": taken[0].route_id,
    }


def drop_waiting(route_id: int, why: str) -> int:
    """Gives up what waits for a route that is no longer used."""
    return run("deliveries_drop", route=route_id, error=why)
