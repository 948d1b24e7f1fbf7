"""Schedules: when each Connection is discovered and synced by itself, in words and as the next runs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tidegate.reads.managed import schedules_managed_by
from tidegate.reads.page import LIMIT, cut
from tidegate.reads.viewer import visible
from tidegate.rules.schedule import (
    Schedule,
    ScheduleRefused,
    in_words,
    is_due,
    key_of,
    next_runs,
    rhythm_in_words,
    runs_in_words,
)
from tidegate.store import models
from tidegate.store.clock import database_now

NEXT = 3


class ScheduleRow(msgspec.Struct, frozen=True, kw_only=True):
    """One schedule of a Connection."""

    type: Annotated[str, Meta(description="What it runs: `discover` or `sync`.")]
    kind: Annotated[str, Meta(description="`off`, `daily`, `weekly`, `hours` or `cron`.")]
    at: Annotated[str, Meta(description="Daily and weekly: the local time, HH:MM.")]
    weekday: Annotated[int, Meta(description="Weekly: the day; 0 is Monday.")]
    hours: Annotated[int, Meta(description="Hours: every so many.")]
    cron: Annotated[str, Meta(description="Cron: the expression.")]
    zone: Annotated[str, Meta(description="The time zone whose clocks it goes by.")]
    spread_minutes: Annotated[int, Meta(description="It runs up to so many minutes later, always the same.")]
    words: Annotated[str, Meta(description="All that as a person would say it.")]
    rhythm: Annotated[str, Meta(description="The same without the spread.")]
    soon: Annotated[str, Meta(description="When it runs next, as a person would say it, or why it does not.")]
    outlook: Annotated[str, Meta(description="The same for the next three runs.")]
    next: Annotated[list[datetime], Meta(description="The next three runs; none while it is off or paused.")]
    due_since: Annotated[datetime | None, Meta(description="The run that waits for the scheduler, or null.")]
    retry_at: Annotated[datetime | None, Meta(description="An earlier try after a failure, or null.")]
    problem: Annotated[str, Meta(description="Why it cannot be kept as it is stored; empty where it can.")]
    changed_at: Annotated[datetime, Meta(description="When it was chosen.")]
    changed_by: Annotated[str, Meta(description="Who chose it.")]
    managed_by: Annotated[str | None, Meta(description="The configuration file that manages it, or null.")]


class ConnectionSchedules(msgspec.Struct, frozen=True, kw_only=True):
    """When one Connection is discovered and synced by itself."""

    connection_id: Annotated[int, Meta(description="The Connection's number.")]
    connection: Annotated[str, Meta(description="The Connection's label.")]
    paused: Annotated[bool, Meta(description="The Connection is paused: nothing runs.")]
    schedules: Annotated[list[ScheduleRow], Meta(description="That of Discover and that of Sync.")]


class SchedulePage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of Connections with their schedules, by label."""

    connections: Annotated[list[ConnectionSchedules], Meta(description="The Connections of this page.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]


def schedules(*, cursor: str | None = None, limit: int = LIMIT) -> SchedulePage:
    """The schedules of all Connections."""
    found, following = cut(_living(), ("label", "id"), (str, int), cursor, limit)
    return SchedulePage(connections=_of(found), next=following)


def schedules_of(connection_id: int) -> ConnectionSchedules | None:
    """Those of one Connection; None if there is none of this number, or it was deleted."""
    for schedules in _of(_living().filter(id=connection_id)):
        return schedules
    return None


def _living() -> Any:
    return models.Connection.objects.filter(visible(connection="pk"), deleted_at=None)


def _of(found: Iterable[Any]) -> list[ConnectionSchedules]:
    connections, now = list(found), database_now()
    of_each: dict[int, list[ScheduleRow]] = {one.pk: [] for one in connections}
    paused = {one.pk: one.paused_at is not None for one in connections}
    files = schedules_managed_by(of_each)
    for row in models.Schedule.objects.filter(connection_id__in=of_each).order_by("connection_id", "type"):
        of_each[row.connection_id].append(
            _row(row, now, files.get((row.connection_id, row.type)), paused=paused[row.connection_id])
        )
    return [
        ConnectionSchedules(
            connection_id=one.pk, connection=one.label, paused=paused[one.pk], schedules=of_each[one.pk]
        )
        for one in connections
    ]


def _row(row: models.Schedule, now: datetime, file: str | None, *, paused: bool) -> ScheduleRow:
    chosen, problem = _chosen(row)
    runs = [] if chosen is None or paused else next_runs(chosen, now, NEXT, key_of(row.connection_id, row.type))
    due_since = row.next_at if is_due(row.next_at, now) else None
    soon, outlook = _ahead(row, runs, now, paused=paused)
    return ScheduleRow(
        type=row.type,
        kind=row.kind,
        at=row.at,
        weekday=row.weekday,
        hours=row.hours,
        cron=row.cron,
        zone=row.zone,
        spread_minutes=row.spread_minutes,
        words=in_words(chosen) if chosen else problem,
        rhythm=rhythm_in_words(chosen) if chosen else problem,
        soon=soon,
        outlook=outlook,
        next=runs,
        due_since=due_since,
        retry_at=row.retry_at,
        problem=problem,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        managed_by=file,
    )


def _chosen(row: models.Schedule) -> tuple[Schedule | None, str]:
    """The schedule, or why it cannot be kept."""
    kind: Any = row.kind
    try:
        schedule = Schedule(
            kind,
            at=row.at,
            weekday=row.weekday,
            hours=row.hours,
            cron=row.cron,
            zone=row.zone,
            spread_minutes=row.spread_minutes,
        )
    except ScheduleRefused as refused:
        return None, f"It cannot be kept, and runs once a day until that is mended. {refused}"
    return schedule, ""


def _ahead(row: models.Schedule, runs: list[datetime], now: datetime, *, paused: bool) -> tuple[str, str]:
    """What comes first, and all that is told of what comes."""
    due = is_due(row.next_at, now)
    if row.kind == "off" or paused:
        why = "nothing by itself" if row.kind == "off" else "nothing while the Connection is paused"
        why += ", then at once what was missed" if due and paused else ""
        return why, why
    irregular = _irregular(row, runs, now, due=due)
    first = irregular or runs_in_words(runs[:1], now, row.zone)
    return first, "; then ".join(filter(None, (irregular, runs_in_words(runs, now, row.zone))))


def _irregular(row: models.Schedule, runs: list[datetime], now: datetime, *, due: bool) -> str:
    """What comes before the regular runs: one that is due, an earlier try, or that of a schedule without any."""
    if due:
        return "now, as soon as a scheduler looks"
    if not runs:
        return "once a day" if row.next_at is None else runs_in_words([row.next_at], now, "UTC")
    if row.retry_at is not None:
        return f"again {runs_in_words([max(row.retry_at, now)], now, row.zone)}, after a failure"
    return ""
