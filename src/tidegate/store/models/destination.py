"""Where findings are delivered to, and which of them go where."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from .columns import json_object, reference


class Destination(models.Model):
    """A server that findings are delivered to.

    `settings` are those of its kind without secrets; `secrets` is their sealed JSON (guard/secrets.py).
    """

    name = models.TextField(unique=True)
    kind = models.TextField(default="defectdojo", db_default="defectdojo")
    settings = json_object(default=dict)
    secrets = models.BinaryField()
    product_type = models.TextField(default="", db_default="")  # there, by name; of Products that are made there
    engagement_name = models.TextField(default="Global Connectors", db_default="Global Connectors")
    join_products = models.TextField(default="ask", db_default="ask")  # ask, same name
    writes_per_minute = models.IntegerField(default=120, db_default=120)
    version = models.TextField(default="", db_default="")  # of the server, as it said at the last pre-flight
    checked_at = models.DateTimeField(null=True)
    off_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.TextField()

    class Meta:
        db_table = "destination"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="destination_words",
                condition=models.Q(kind="defectdojo", join_products__in=["ask", "same name"]),
            ),
            models.CheckConstraint(
                name="destination_writes_per_minute", condition=models.Q(writes_per_minute__range=(1, 6_000))
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DestinationRoute(models.Model):
    """What is delivered to a Destination: what comes from a Connection, what lies in a Product Type, or, without
    either, whatever no other route takes. Of two that match the Connection's wins, then the Product Type's."""

    destination_id: int
    destination = reference("Destination")
    connection_id: int | None
    connection = reference("Connection", null=True, index=False)
    product_type_id: int | None
    product_type = reference("ProductType", null=True, index=False)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.TextField()

    class Meta:
        db_table = "destination_route"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="destination_route_once", fields=["connection", "product_type"], nulls_distinct=False
            ),
            models.CheckConstraint(
                name="destination_route_of_one",
                condition=models.Q(connection__isnull=True) | models.Q(product_type__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connection_id or self.product_type_id or 'all'} to {self.destination_id}"
