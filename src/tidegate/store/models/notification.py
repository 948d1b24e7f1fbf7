"""News on their way outward: what happened, who is to be told, and how the telling went."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from .columns import json_object, reference, texts


class Route(models.Model):
    """A place that news go to. `address` is sealed: an address of mail or chat holds its own password.

    Without a Connection it is for all of them; without kinds it is for every kind of news.
    """

    name = models.TextField(unique=True)
    address = models.BinaryField()
    shown = models.TextField()  # the address without what is secret in it
    signing_secret = models.BinaryField(null=True)  # sealed; a webhook's, by which its receiver knows us
    kinds = texts()
    connection_id: int | None
    connection = reference("Connection", null=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.TextField()
    off_at = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    last_error = models.TextField(default="", db_default="")

    class Meta:
        db_table = "route"

    def __str__(self) -> str:
        return self.name


class News(models.Model):
    """One thing that happened and that people may want to hear; written in the transaction that made it happen."""

    at = models.DateTimeField(db_default=Now())
    kind = models.TextField()  # needs_you, overdue, held, records, new_records, recovered, secret_ends
    connection_id: int
    connection = reference("Connection", index=False)
    operation_id: int | None
    operation = reference("Operation", null=True)
    facts = json_object(default=dict, db_default={})
    routed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "outbox"
        indexes: ClassVar = [
            models.Index(name="outbox_not_routed", fields=["id"], condition=models.Q(routed_at__isnull=True)),
            models.Index(name="outbox_of_connection", fields=["connection", "kind", "id"]),
        ]

    def __str__(self) -> str:
        return self.kind


class Delivery(models.Model):
    """One piece of news on one route: tried until it is sent, or given up."""

    news_id: int
    news = reference("News", index=False)
    route_id: int
    route = reference("Route")
    attempts = models.SmallIntegerField(default=0, db_default=0)
    next_at = models.DateTimeField(null=True)  # null: sent, or given up
    sent_at = models.DateTimeField(null=True)
    again_at = models.DateTimeField(null=True)  # when a person had it sent again; tries are counted from there
    error = models.TextField(default="", db_default="")

    class Meta:
        db_table = "delivery"
        constraints: ClassVar = [models.UniqueConstraint(name="delivery_once", fields=["news", "route"])]
        indexes: ClassVar = [
            models.Index(name="delivery_due", fields=["next_at"], condition=models.Q(next_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.news_id} to {self.route_id}"
