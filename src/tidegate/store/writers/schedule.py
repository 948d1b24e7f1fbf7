"""Schedules as rows: chosen, planned, tried again; and what the scheduler asks for when they are due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models.functions import Now

from tidegate.config import load_settings
from tidegate.rules.actor import SCHEDULE, TIDEGATE, Actor
from tidegate.rules.schedule import (
    TYPES,
    Schedule,
    ScheduleRefused,
    Turn,
    Type,
    default_schedule,
    is_due,
    key_of,
    next_runs,
    turn,
)
from tidegate.store import models
from tidegate.store.clock import database_now
from tidegate.store.statement import rows_of, run
from tidegate.store.writers.queue import offer

UNUSABLE_AGAIN_AFTER = timedelta(days=1)
"""How often a schedule that cannot be kept runs all the same: its zone is not known here, or SQL wrote it."""

log = structlog.get_logger(__name__)


def save_schedule(actor: Actor, connection_id: int, type: Type, schedule: Schedule, now: datetime) -> None:
    """What a person chose counts from now: what was missed under the old one is not made up."""
    runs = next_runs(schedule, now, 1, key_of(connection_id, type))
    facts = {
        **asdict(schedule),
        "next_at": next(iter(runs), None),
        "changed_at": Now(),
        "changed_by": str(actor),
        **({"retry_at": None} if schedule.kind == "off" else {}),
    }
    models.Schedule.objects.update_or_create(connection_id=connection_id, type=type, defaults=facts)


def save_default_schedules(connection_id: int) -> None:
    """What a new or continued Connection begins with, in the zone of TIDEGATE_TIME_ZONE; no person chose it."""
    zone, now = load_settings().time_zone, database_now()
    for type in TYPES:
        save_schedule(TIDEGATE, connection_id, type, default_schedule(type, zone), now)


def forget_schedules(connection_id: int) -> None:
    """A deleted Connection has none. Waits for a scheduler that looks at them just now."""
    models.Schedule.objects.filter(connection_id=connection_id).delete()


def request_due(now: datetime) -> int:
    """Asks for one Operation for each schedule that is due, plans its next run, and tells the workers, in one
    transaction; returns how many. Any number of schedulers may do so at once."""
    with transaction.atomic():
        looked_at = rows_of("schedules_due", now=now)
        turns = [_turn(row, now) for row in looked_at]
        due = [row for row, its in zip(looked_at, turns, strict=True) if its.run]
        if due:
            asked = {"types": [row["type"] for row in due], "connections": [row["connection_id"] for row in due]}
            offer([row["id"] for row in rows_of("request_scheduled", actor=str(SCHEDULE), **asked)])
        _plan(
            [
                (row["id"], its)
                for row, its in zip(looked_at, turns, strict=True)
                if its.run or its.next_at != row["next_at"]
            ]
        )
    return len(due)


def plan_retry(connection_id: int, type: str, at: datetime, retries: int) -> bool:
    """Asks for an earlier try, the `retries`-th since the last success. False, and none, where nothing runs by itself:
    the schedule is off, or gone with its Connection."""
    own = models.Schedule.objects.filter(connection_id=connection_id, type=type).exclude(kind="off")
    return bool(own.update(retry_at=at, retries=retries))


def forget_retries(connection_id: int, type: str) -> None:
    """It went well: no earlier try is wanted, and counting begins anew."""
    tried = models.Schedule.objects.filter(connection_id=connection_id, type=type)
    tried.exclude(retries=0, retry_at=None).update(retry_at=None, retries=0)


def _turn(row: Mapping[str, Any], now: datetime) -> Turn:
    """What the schedule wants. One that cannot be kept must not stop the others, nor be silent: it runs once a day."""
    try:
        schedule = Schedule(
            row["kind"],
            at=row["at"],
            weekday=row["weekday"],
            hours=row["hours"],
            cron=row["cron"],
            zone=row["zone"],
            spread_minutes=row["spread_minutes"],
        )
    except ScheduleRefused as refused:
        log.error("schedule_unusable", connection=row["connection_id"], type=row["type"], why=str(refused))
        return Turn(is_due(row["next_at"], now) or is_due(row["retry_at"], now), now + UNUSABLE_AGAIN_AFTER)
    key = key_of(row["connection_id"], row["type"])
    return turn(schedule, key, row["next_at"], row["retry_at"], now)


def _plan(planned: list[tuple[int, Turn]]) -> None:
    if planned:
        run(
            "schedules_plan",
            schedules=[schedule for schedule, _ in planned],
            next_at=[its.next_at for _, its in planned],
            run=[its.run for _, its in planned],
        )
