"""What people said about mapping beforehand: the rules of a Connection, and suggestions they turned down."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from .columns import reference, texts


class MappingRule(models.Model):
    """One rule; what it means is said by rules/mapping.py. Rules are asked in the order of `position`, from 1 without
    gaps. `product_name` stays where the Product was deleted."""

    connection_id: int
    connection = reference("Connection", index=False)
    position = models.IntegerField()
    field = models.TextField()  # name, parent, attribute
    attribute = models.TextField(default="", db_default="")
    pattern = models.TextField()
    syntax = models.TextField()  # glob, regex
    case_matters = models.BooleanField(default=False, db_default=False)
    answer = models.TextField()  # product, template, ignore
    product_id: int | None
    product = reference("Product", null=True)
    product_name = models.TextField(default="", db_default="")
    template = models.TextField(default="", db_default="")
    because = models.TextField(default="", db_default="")
    product_type = models.TextField(default="", db_default="")  # the name: it is made when the first Product is
    tags = texts()
    changed_at = models.DateTimeField(db_default=Now())
    changed_by = models.TextField()

    class Meta:
        db_table = "mapping_rule"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="mapping_rule_order", fields=["connection", "position"], deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(
                name="mapping_rule_words",
                condition=models.Q(
                    field__in=["name", "parent", "attribute"],
                    syntax__in=["glob", "regex"],
                    answer__in=["product", "template", "ignore"],
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}, {self.pattern}"


class RelinkDismissed(models.Model):
    """A person said that these two Records are not the same thing."""

    missing_id: int
    missing = reference("Record", index=False)
    candidate_id: int
    candidate = reference("Record")
    at = models.DateTimeField(db_default=Now())
    by = models.TextField()

    class Meta:
        db_table = "relink_dismissed"
        constraints: ClassVar = [
            models.UniqueConstraint(name="relink_dismissed_pair", fields=["missing", "candidate"]),
        ]

    def __str__(self) -> str:
        return f"{self.missing_id} is not {self.candidate_id}"
