"""What a configuration file manages: whoever would edit it by hand is told so."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Managed(models.Model):
    """One thing of a kind (a Connection's number, a Product Type's …) and the file that `tidegate apply` read."""

    kind = models.TextField()
    thing_id = models.BigIntegerField()
    source = models.TextField()
    at = models.DateTimeField(db_default=Now())
    by = models.TextField()

    class Meta:
        db_table = "managed"
        constraints: ClassVar = [models.UniqueConstraint(name="managed_once", fields=["kind", "thing_id"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.thing_id}"
