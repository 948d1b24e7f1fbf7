"""One configured Tool, and the Test it writes to in each Product."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from .columns import json_object, reference


class Connection(models.Model):
    """`settings` are the Tool's own without secrets; `secrets` is their sealed JSON (guard/secrets.py), or null.

    A deleted Connection stays as a row without secrets: its Tests and Findings still say where they came from, and a
    new Connection of the same Tool and account may continue it.

    A draft (`draft_at`) is tried out and not there yet: its `deleted_at` is set from the beginning, so that nothing
    that looks for Connections finds it. Saving clears both; a draft that nobody saves goes after a day.
    """

    tool = models.TextField()
    label = models.TextField()
    account = models.TextField(default="", db_default="")
    account_name = models.TextField(default="", db_default="")
    settings = json_object(default=dict)
    secrets = models.BinaryField(null=True)
    trigger_secret = models.BinaryField(null=True)  # sealed; who signs with it may say "this was scanned just now"
    minimum_severity = models.SmallIntegerField(default=0, db_default=0)  # a rank: 0 Info to 5 Critical
    auto_map = models.BooleanField(default=False, db_default=False)
    join_by_name = models.BooleanField(default=False, db_default=False)
    product_type_id: int | None
    product_type = reference("ProductType", null=True)  # of Products that auto-map makes
    hold_above = models.SmallIntegerField(default=20, db_default=20)  # open findings; fewer are never held
    hold_percent = models.SmallIntegerField(default=50, db_default=50)
    close_branches_after = models.SmallIntegerField(default=0, db_default=0)  # days; 0 keeps what a gone branch had
    paused_at = models.DateTimeField(null=True)
    paused_because = models.TextField(default="", db_default="")
    rejected_logins = models.SmallIntegerField(default=0, db_default=0)  # in a row; three pause the Connection
    secret_ends_at = models.DateTimeField(null=True)
    secret_ends_told_by = models.TextField(default="", db_default="")  # person, token, tool
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.TextField()
    deleted_at = models.DateTimeField(null=True)
    deleted_by = models.TextField(default="", db_default="")
    draft_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "connection"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="connection_label", fields=["label"], condition=models.Q(deleted_at__isnull=True)
            ),
            models.CheckConstraint(
                name="connection_minimum_severity",
                condition=models.Q(minimum_severity__gte=0, minimum_severity__lte=5),
            ),
            models.CheckConstraint(
                name="connection_deleted_has_no_secrets",
                condition=models.Q(deleted_at__isnull=True)
                | models.Q(secrets__isnull=True)
                | models.Q(draft_at__isnull=False),
            ),
            models.CheckConstraint(
                name="connection_draft_is_not_there",
                condition=models.Q(draft_at__isnull=True) | models.Q(deleted_at__isnull=False),
            ),
            models.CheckConstraint(
                name="connection_hold", condition=models.Q(hold_above__gte=0, hold_percent__range=(1, 100))
            ),
            models.CheckConstraint(
                name="connection_close_branches_after", condition=models.Q(close_branches_after__range=(0, 3650))
            ),
        ]

    def __str__(self) -> str:
        return self.label


class Test(models.Model):
    """One per Connection in the Engagement *Global Connectors* of a Product; Tests of others have no Connection."""

    engagement_id: int
    engagement = reference("Engagement", index=False)
    connection_id: int | None
    connection = reference("Connection", null=True)
    name = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "test"
        constraints: ClassVar = [
            models.UniqueConstraint(name="test_one_per_connection", fields=["engagement", "connection"]),
        ]

    def __str__(self) -> str:
        return self.name
