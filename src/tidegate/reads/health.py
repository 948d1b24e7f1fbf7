"""How Connections are: on time or not, who waits for a person, whose secret ends; for all of them in one question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from tidegate.rules import health as rules
from tidegate.rules.cause import CAUSES, EVERYWHERE
from tidegate.rules.health import Health, HealthFacts, RunFacts
from tidegate.store.statement import rows_of


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One Operation of a Connection, in short."""

    id: Annotated[int, Meta(description="Its number.")]
    status: Annotated[str, Meta(description="How it ended, or how it is.")]
    why: Annotated[str, Meta(description="Why, in one sentence.")]
    at: Annotated[datetime, Meta(description="When it was asked for.")]
    ended_at: Annotated[datetime | None, Meta(description="When it ended, or null.")]


class RunHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How the Discover, or the Sync, of a Connection is."""

    timing: Annotated[str, Meta(description="`on time`, `late`, `overdue`, `never ran`, or `off`.")]
    why: Annotated[str, Meta(description="Why it is so, in one sentence.")]
    attention: Annotated[str, Meta(description="`needs you`, `recovering`, or empty where nothing is wrong.")]
    attention_why: Annotated[str, Meta(description="What is wrong, in one sentence; empty where nothing is.")]
    cause: Annotated[str, Meta(description="The kind of what is wrong, such as `auth_rejected`; or empty.")]
    next_step: Annotated[str, Meta(description="What to do; empty where nothing.")]
    last_run: Annotated[Run | None, Meta(description="The last Operation, however it is; or null.")]
    last_success: Annotated[Run | None, Meta(description="The last one for everything that went well; or null.")]
    next_run: Annotated[datetime | None, Meta(description="When the next one is planned, or null.")]
    next_try: Annotated[datetime | None, Meta(description="When it is tried before that, after a failure; or null.")]


class SecretEnd(msgspec.Struct, frozen=True, kw_only=True):
    """When the secret of a Connection ends, where somebody said so."""

    ends_at: Annotated[datetime, Meta(description="When.")]
    told_by: Annotated[str, Meta(description="Who said so: a `person`, the `token` itself, or the `tool`.")]
    days_left: Annotated[int, Meta(description="Days until then; below 0 where that is over.")]
    warning: Annotated[str, Meta(description="14, 3 and 0 days before: what to know. Empty before that.")]


class ConnectionHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How a Connection is: the worst of its Discover, its Sync and its secret."""

    state: Annotated[
        str,
        Meta(description="`needs you`, `overdue`, `recovering`, `late`, `on time`, `never ran` or `off`: the worst."),
    ]
    why: Annotated[str, Meta(description="Why it is so, in a sentence or two.")]
    next_step: Annotated[str, Meta(description="What to do; empty where nothing.")]
    discover: Annotated[RunHealth, Meta(description="How its Discover is.")]
    sync: Annotated[RunHealth, Meta(description="How its Sync is.")]
    secret: Annotated[SecretEnd | None, Meta(description="When its secret ends; null where that is not known.")]


class Overdue(NamedTuple):
    """A Discover or Sync that has not gone well for a day after it was due."""

    connection_id: int
    label: str
    type: str
    since: datetime
    """When it was due."""
    last_success: datetime | None
    why: str


class SecretEnding(NamedTuple):
    """A secret that ends soon or has ended. `days` is the step that is reached: 14, 3 or 0."""

    connection_id: int
    label: str
    ends_at: datetime
    days: int
    ended: bool
    why: str
    next_step: str


def health_of(connections: Iterable[int] | None = None, now: datetime | None = None) -> dict[int, ConnectionHealth]:
    """How each of these Connections (or all) is, by its number. Without `now` the database's clock counts."""
    found = groupby(_rows(connections, now), key=lambda row: row["connection_id"])
    return {connection: _connection_health(list(rows)) for connection, rows in found}


def in_state(state: str, now: datetime | None = None) -> list[int]:
    """The numbers of the Connections that are so."""
    return [connection for connection, health in health_of(now=now).items() if health.state == state]


def overdue(now: datetime) -> list[Overdue]:
    """What is overdue, by label."""
    return [
        Overdue(row["connection_id"], row["label"], row["type"], health.since, row["success_at"], health.why)
        for row in _rows(None, now)
        if (health := rules.health(_facts(row), row["now"])).timing == "overdue" and health.since is not None
    ]


def secrets_ending(now: datetime) -> list[SecretEnding]:
    """Whose secret ends within 14 days, or has ended, by label. Paused Connections too: they are to go on some day."""
    ending: list[SecretEnding] = []
    for _, rows in groupby(_rows(None, now), key=lambda row: row["connection_id"]):
        row = next(iter(rows))
        warning = rules.secret_warning(row["secret_ends_at"], row["now"], row["secret_ends_told_by"])
        if warning is not None:
            told = (warning.days, warning.ended, warning.why, warning.next_step)
            ending.append(SecretEnding(row["connection_id"], row["label"], row["secret_ends_at"], *told))
    return ending


def _rows(connections: Iterable[int] | None, now: datetime | None) -> Iterator[dict[str, Any]]:
    wanted = None if connections is None else list(connections)
    yield from rows_of("health_of_connections", connections=wanted, everywhere=EVERYWHERE, now=now)


def _connection_health(rows: list[dict[str, Any]]) -> ConnectionHealth:
    first, facts = rows[0], [_facts(row) for row in rows]
    now: datetime = first["now"]
    healths = {one.type: rules.health(one, now) for one in facts}
    warning = rules.secret_warning(first["secret_ends_at"], now, first["secret_ends_told_by"])
    ended = rules.secret_has_ended(first["secret_ends_at"], [one.let_us_in for one in facts], now)
    state = rules.overall(healths.values(), secret_ended=ended)
    why, next_step = _worst(state, list(healths.values()))
    if ended and warning is not None:
        why, next_step = " ".join(filter(None, (warning.why, why))), CAUSES["secret_ended"].next_step
    runs = {row["type"]: _run_health(row, healths[row["type"]]) for row in rows}
    return ConnectionHealth(
        state=state, why=why, next_step=next_step, discover=runs["discover"], sync=runs["sync"],
        secret=_secret(first, warning, now),
    )  # fmt: skip


def _worst(state: str, healths: list[Health]) -> tuple[str, str]:
    """The sentences of what makes the state, each once, and the first step to take."""
    told: dict[str, str] = {}
    for one in healths:
        if state in (one.attention, one.timing):
            told.setdefault(one.attention_why if state == one.attention else one.why, one.next_step)
    return " ".join(told), next(filter(None, told.values()), "")


def _run_health(row: dict[str, Any], health: Health) -> RunHealth:
    return RunHealth(
        timing=health.timing,
        why=health.why,
        attention=health.attention,
        attention_why=health.attention_why,
        cause=health.cause,
        next_step=health.next_step,
        last_run=_run(row, "last"),
        last_success=_run(row, "success"),
        next_run=None if health.timing == "off" else row["next_at"],
        next_try=None if health.timing == "off" else row["retry_at"],
    )


def _run(row: dict[str, Any], which: str) -> Run | None:
    if row[f"{which}_id"] is None:
        return None
    return Run(
        id=row[f"{which}_id"],
        status=row[f"{which}_status"],
        why=row[f"{which}_why"],
        at=row[f"{which}_requested_at"],
        ended_at=row["last_ended_at" if which == "last" else "success_at"],
    )


def _facts(row: dict[str, Any]) -> HealthFacts:
    return HealthFacts(
        type=row["type"],
        kind=row["kind"],
        next_at=row["next_at"],
        retry_at=row["retry_at"],
        changed_at=row["changed_at"],
        last=_run_facts(row, "last"),
        judged=_run_facts(row, "judged"),
        good=_run_facts(row, "good"),
        due_since=row["due_since"],
        paused_at=row["paused_at"],
        paused_because=row["paused_because"],
    )


def _run_facts(row: dict[str, Any], which: str) -> RunFacts | None:
    if row[f"{which}_id"] is None:
        return None
    return RunFacts(
        id=row[f"{which}_id"],
        status=row[f"{which}_status"],
        at=row[f"{which}_at"],
        cause=row.get(f"{which}_cause", ""),
        why=row.get(f"{which}_why", ""),
    )


def _secret(row: dict[str, Any], warning: rules.SecretWarning | None, now: datetime) -> SecretEnd | None:
    if row["secret_ends_at"] is None:
        return None
    return SecretEnd(
        ends_at=row["secret_ends_at"],
        told_by=row["secret_ends_told_by"],
        days_left=rules.days_left(row["secret_ends_at"], now),
        warning="" if warning is None else warning.why,
    )
