"""Routes: when each Connection is discovered and synced by itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tidegate.actions import schedule as actions
from tidegate.api.answer import there
from tidegate.api.route import Routes
from tidegate.api.words import PAGE, Cursor, Id, Limit
from tidegate.reads import schedule as reads
from tidegate.rules.actor import Actor

routes = Routes("schedule")


@routes.read("/schedules", reads.schedules, answers=reads.SchedulePage)
def schedules(cursor: Cursor = None, limit: Limit = PAGE) -> reads.SchedulePage:
    return reads.schedules(cursor=cursor, limit=limit)


@routes.read(
    "/connections/{connection_id}/schedules", reads.schedules_of, answers=reads.ConnectionSchedules, version="schedules"
)
def schedules_of(connection_id: Id) -> reads.ConnectionSchedules:
    return there(reads.schedules_of(connection_id), "Connection", connection_id)


@routes.act(
    "PATCH", "/connections/{connection_id}/schedules/{type}", actions.set_schedule, answers=reads.ConnectionSchedules,
    version="schedules", sends={"kind": "daily", "at": "02:30", "zone": "Europe/Berlin"},
)  # fmt: skip
def set_schedule(
    actor: Actor,
    connection_id: Id,
    type: Literal["discover", "sync"],
    kind: Literal["off", "daily", "weekly", "hours", "cron"] | None = None,
    at: Annotated[str | None, Field(max_length=20, description="The time of day, as 02:30.")] = None,
    weekday: Annotated[int | None, Field(ge=0, le=6, description="0 is Monday.")] = None,
    hours: Annotated[int | None, Field(ge=1, le=10_000, description="Every so many hours.")] = None,
    cron: Annotated[str | None, Field(max_length=500, description="A cron expression.")] = None,
    zone: Annotated[str | None, Field(max_length=100, description="The time zone, as Europe/Berlin.")] = None,
    spread_minutes: Annotated[
        int | None, Field(ge=0, le=10_000, description="Up to so many minutes later, always the same.")
    ] = None,
) -> reads.ConnectionSchedules:
    actions.set_schedule(
        actor, connection_id, type, kind=kind, at=at, weekday=weekday, hours=hours, cron=cron, zone=zone,
        spread_minutes=spread_minutes,
    )  # fmt: skip
    return schedules_of(connection_id)
