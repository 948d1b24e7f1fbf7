"""What a delivery left at a Destination: which of theirs is which of ours, and what was last written and seen there."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from .columns import json_object, reference


class DeliveredProduct(models.Model):
    """The Product there that is this Product of ours, by its number; `their_engagement` is ours inside it.

    `mark` stands in the description of what we make there, so that what a lost answer left behind is known again.
    Neither number is there while it is not known whether the thing was made.
    """

    destination_id: int
    destination = reference("Destination")
    product_id: int
    product = reference("Product", index=False)
    mark = models.UUIDField(default=uuid.uuid4)
    name = models.TextField(default="", db_default="")  # as it was last written there
    their_id = models.BigIntegerField(null=True)
    their_engagement = models.BigIntegerField(null=True)
    how = models.TextField(default="made", db_default="made")  # made, joined
    by = models.TextField()
    at = models.DateTimeField(db_default=Now())
    simple_acceptance = models.BooleanField(default=False, db_default=False)  # the Product there takes it by an edit

    class Meta:
        db_table = "delivered_product"
        constraints: ClassVar = [
            models.UniqueConstraint(name="delivered_product_once", fields=["product", "destination"]),
            models.UniqueConstraint(name="delivered_product_theirs", fields=["destination", "their_id"]),
            models.CheckConstraint(name="delivered_product_how", condition=models.Q(how__in=["made", "joined"])),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} is {self.their_id} there"


class DeliveredTest(models.Model):
    """The Test there that one of ours is written to, and how far its deliveries are.

    `pending` is the `build_id` of an import that was sent and of which nobody knows yet whether it ended; `top` the
    greatest number of a finding there that is known; `newest`, `number` what the cheap look told last; `read_at` when
    all of it was read last. `left` says why nothing is written there until a person says so.
    """

    destination_id: int
    destination = reference("Destination")
    test_id: int
    test = reference("Test", index=False)
    their_id = models.BigIntegerField(null=True)
    title = models.TextField(default="", db_default="")
    pending = models.TextField(default="", db_default="")
    pending_at = models.DateTimeField(null=True)
    build = models.TextField(default="", db_default="")  # of the last import of ours that ended there
    top = models.BigIntegerField(default=0, db_default=0)
    newest = models.TextField(default="", db_default="")
    number = models.BigIntegerField(default=0, db_default=0)
    read_at = models.DateTimeField(null=True)
    lost_at = models.DateTimeField(null=True)
    lost = models.TextField(default="", db_default="")  # product, engagement, test
    left = models.TextField(default="", db_default="")

    class Meta:
        db_table = "delivered_test"
        constraints: ClassVar = [
            models.UniqueConstraint(name="delivered_test_once", fields=["test", "destination"]),
            models.UniqueConstraint(name="delivered_test_theirs", fields=["destination", "their_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.test_id} is {self.their_id} there"


class DeliveredFinding(models.Model):
    """A finding of ours as it stands there.

    `version` is the transaction that last wrote our row when it was looked at (its xmin): another one means that it
    must be looked at again. `written` is a digest for each field (rules/delivery.py); `seen` is what people decide, as
    it was last seen or written there, and `meant` as it is about to be written, so that what we wrote ourselves before
    the process died is not taken for a person's word.
    """

    delivered_test_id: int
    delivered_test = reference("DeliveredTest", index=False)
    finding_id = models.BigIntegerField()
    version = models.BigIntegerField()
    their_id = models.BigIntegerField(null=True)
    gone = models.BooleanField(default=False, db_default=False)  # deleted there: it is not made again silently
    written = models.BinaryField()
    seen = json_object()
    meant: dict[str, object] | None = json_object(null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "delivered_finding"
        constraints: ClassVar = [
            models.UniqueConstraint(name="delivered_finding_once", fields=["delivered_test", "finding_id"]),
            models.UniqueConstraint(name="delivered_finding_theirs", fields=["delivered_test", "their_id"]),
        ]
        indexes: ClassVar = [models.Index(name="delivered_finding_of", fields=["finding_id"])]

    def __str__(self) -> str:
        return f"{self.finding_id} is {self.their_id} there"
