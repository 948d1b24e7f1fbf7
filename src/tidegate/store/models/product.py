"""Where imported data lives: Product Type, Product and the Engagement that is ours."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from .columns import reference, texts


class ProductType(models.Model):
    name = models.TextField(unique=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "product_type"

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    product_type_id: int
    product_type = reference("ProductType")
    name = models.TextField(unique=True)
    origin = models.TextField()  # the actor who made it
    tags = texts()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "product"

    def __str__(self) -> str:
        return self.name


class Engagement(models.Model):
    """*Global Connectors* is marked by its kind, not by its name: people may rename it, or make one of that name."""

    CONNECTORS = "connectors"
    OTHER = "other"

    product_id: int
    product = reference("Product")
    name = models.TextField()
    kind = models.TextField(default=OTHER)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "engagement"
        constraints: ClassVar = [
            models.CheckConstraint(name="engagement_kind", condition=models.Q(kind__in=["connectors", "other"])),
            models.UniqueConstraint(
                name="engagement_one_connectors_per_product",
                fields=["product"],
                condition=models.Q(kind="connectors"),
            ),
        ]

    def __str__(self) -> str:
        return self.name
