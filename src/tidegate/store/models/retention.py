"""How far retention went along a table that is too long to be looked through each time."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Mark(models.Model):
    """One row a table: what was looked at up to which id, since when, and until when something was forgotten."""

    JOURNAL: ClassVar = "journal"
    RESULTS: ClassVar = "result"

    name = models.TextField(primary_key=True)
    reached = models.BigIntegerField(default=0, db_default=0)
    begun_at = models.DateTimeField(db_default=Now())
    forgotten_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "retention_mark"

    def __str__(self) -> str:
        return f"{self.name} to {self.reached}"
