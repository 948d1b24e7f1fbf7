"""Who changed what, line by line: written with the change itself, never changed, never deleted by Tidegate."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from .columns import json_object, numbers


class AuditLine(models.Model):
    """One action of anybody, or one that was forbidden. Names and numbers are kept as they were: no foreign keys."""

    at = models.DateTimeField(db_default=Now())
    actor = models.TextField()
    user_id = models.BigIntegerField(null=True)
    through = models.TextField()
    token = models.TextField(default="", db_default="")
    address = models.TextField(default="", db_default="")
    action = models.TextField()
    outcome = models.TextField()
    target = models.TextField(default="", db_default="")
    target_ids = numbers()
    facts = json_object(default=dict, db_default={})

    class Meta:
        db_table = "audit_line"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="audit_line_outcome", condition=models.Q(outcome__in=["begun", "done", "forbidden"])
            )
        ]
        indexes: ClassVar = [models.Index(name="audit_line_of_actor", fields=["actor", "id"])]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action}"
