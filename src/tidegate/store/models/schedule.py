"""When a Connection is discovered and synced by itself, and how fast a host may be asked by all workers together."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from .columns import reference


class Schedule(models.Model):
    """One for Discover and one for Sync of each Connection. What it means is said by rules/schedule.py.

    `next_at` is null where nothing is planned: the schedule is off, or the tick has not looked at it yet. `retry_at` is
    an earlier try after a failure that may pass by itself; `retries` counts them since the last success.
    """

    connection_id: int
    connection = reference("Connection", index=False)
    type = models.TextField()  # discover, sync
    kind = models.TextField()  # off, daily, weekly, hours, cron
    at = models.TextField(default="", db_default="")  # daily, weekly: the local time, HH:MM
    weekday = models.SmallIntegerField(default=0, db_default=0)  # weekly: 0 is Monday
    hours = models.SmallIntegerField(default=0, db_default=0)  # hours: every so many
    cron = models.TextField(default="", db_default="")
    zone = models.TextField(default="UTC", db_default="UTC")
    spread_minutes = models.SmallIntegerField(default=60, db_default=60)
    next_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    retries = models.SmallIntegerField(default=0, db_default=0)
    changed_at = models.DateTimeField(db_default=Now())
    changed_by = models.TextField(default="", db_default="")

    class Meta:
        db_table = "schedule"
        constraints: ClassVar = [
            models.UniqueConstraint(name="schedule_one_of_a_type", fields=["connection", "type"]),
            models.CheckConstraint(name="schedule_type", condition=models.Q(type__in=["discover", "sync"])),
            models.CheckConstraint(
                name="schedule_kind", condition=models.Q(kind__in=["off", "daily", "weekly", "hours", "cron"])
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="schedule_due", fields=["next_at"]),
            models.Index(name="schedule_retry", fields=["retry_at"], condition=models.Q(retry_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.kind}"


class HostPace(models.Model):
    """When the next question may go to a host, whichever worker asks it; `gap` is what lies between two by now, wider
    than what was asked for while the host says that they are too many."""

    host = models.TextField(primary_key=True, db_collation="C")
    next_at = models.DateTimeField()
    gap = models.FloatField(default=0, db_default=0)

    class Meta:
        db_table = "host_pace"

    def __str__(self) -> str:
        return self.host
