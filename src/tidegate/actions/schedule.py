"""What a person may do to the schedules of a Connection: say when it is discovered and synced by itself."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from tidegate.actions.action import action
from tidegate.actions.connection import locked
from tidegate.actions.errors import Refused
from tidegate.actions.version import demand_expected
from tidegate.config import load_settings
from tidegate.rules.actor import Actor
from tidegate.rules.schedule import Kind, Schedule, ScheduleRefused, Type, default_schedule
from tidegate.store import models
from tidegate.store.acting import acting
from tidegate.store.clock import database_now
from tidegate.store.writers import schedule as writer

CHOICES = tuple(field.name for field in fields(Schedule))


@action("operator", connection="connection_id")
def set_schedule(
    actor: Actor,
    connection_id: int,
    type: Type,
    *,
    kind: Kind | None = None,
    at: str | None = None,
    weekday: int | None = None,
    hours: int | None = None,
    cron: str | None = None,
    zone: str | None = None,
    spread_minutes: int | None = None,
) -> None:
    """Says when the Connection is discovered or synced by itself. What is not named stays as it is; a run that was
    missed under the old schedule is not made up.

    Raises NotThere for an unknown Connection, Refused for what cannot be kept.
    """
    named = {
        "kind": kind,
        "at": at,
        "weekday": weekday,
        "hours": hours,
        "cron": None if cron is None else " ".join(cron.split()),
        "zone": zone,
        "spread_minutes": spread_minutes,
    }
    with acting(str(actor)):
        locked(connection_id)
        demand_expected("schedules", connection_id)
        kept = _chosen(connection_id, type)
        try:
            schedule = Schedule(**kept | {name: value for name, value in named.items() if value is not None})
        except ScheduleRefused as refused:
            raise Refused(refused.sentence, refused.next_step) from refused
        writer.save_schedule(actor, connection_id, type, schedule, database_now())


def _chosen(connection_id: int, type: Type) -> dict[str, Any]:
    """What is chosen so far, as it is stored; it may be unusable, and is mended by naming what is wrong."""
    found = models.Schedule.objects.filter(connection_id=connection_id, type=type).values(*CHOICES).first()
    if found is not None:
        return found
    default = default_schedule(type, load_settings().time_zone)
    return {name: getattr(default, name) for name in CHOICES}
