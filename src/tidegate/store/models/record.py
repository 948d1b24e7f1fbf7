"""The link between one VEP of one Connection and one Product: facts; its state follows from them (rules/record.py)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from .columns import json_object, reference, texts


class Record(models.Model):
    """Every change of a fact is kept in record_history by a trigger, whoever makes it, plain SQL included."""

    connection_id: int
    connection = reference("Connection", index=False)
    vendor_id = models.TextField(db_collation="C")
    former_ids = texts()
    name = models.TextField()
    url = models.TextField(null=True)
    parent = models.TextField(default="", db_default="")
    attributes = json_object(default=dict, db_default={})
    first_seen_operation_id: int | None
    first_seen_operation = reference("Operation", null=True, index=False)
    first_seen_at = models.DateTimeField(db_default=Now())
    absent_since = models.DateTimeField(null=True)
    absent_operation_id: int | None
    absent_operation = reference("Operation", null=True, index=False)
    decision = models.TextField(default="undecided", db_default="undecided")
    finalized_at = models.DateTimeField(null=True)
    finalized_by = models.TextField(default="", db_default="")
    finalized_how = models.TextField(default="", db_default="")  # person, rule, auto-map
    hands_off = models.BooleanField(default=False, db_default=False)
    ignored_because = models.TextField(default="", db_default="")
    feed_id: int | None
    feed = reference("Feed", null=True)
    earlier_product_id: int | None
    earlier_product = reference("Product", null=True)
    earlier_product_name = models.TextField(default="", db_default="")
    target_lost_at = models.DateTimeField(null=True)
    target_lost = models.TextField(default="", db_default="")  # product, engagement, test
    epoch = models.IntegerField(default=0, db_default=0)
    deleted_at = models.DateTimeField(null=True)
    changing_operation_id: int | None
    changing_operation = reference("Operation", null=True, index=False)  # a change that moves its findings just now

    class Meta:
        db_table = "record"
        constraints: ClassVar = [
            models.UniqueConstraint(name="record_vendor_id", fields=["connection", "vendor_id"]),
            models.CheckConstraint(
                name="record_decision", condition=models.Q(decision__in=["undecided", "mapped", "ignored"])
            ),
            models.CheckConstraint(
                name="record_mapped_has_a_target_or_lost_it",
                condition=(
                    models.Q(decision="mapped", feed__isnull=False, target_lost_at__isnull=True)
                    | models.Q(decision="mapped", feed__isnull=True, target_lost_at__isnull=False)
                    | (~models.Q(decision="mapped") & models.Q(feed__isnull=True, target_lost_at__isnull=True))
                ),
            ),
            models.CheckConstraint(
                name="record_decided_is_finalized",
                condition=models.Q(decision="undecided", finalized_at__isnull=True)
                | (~models.Q(decision="undecided") & models.Q(finalized_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="record_deleted_is_not_mapped",
                condition=models.Q(deleted_at__isnull=True) | models.Q(decision="undecided"),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                name="record_lost_target", fields=["connection"], condition=models.Q(target_lost_at__isnull=False)
            ),
            models.Index(
                name="record_undecided", fields=["connection", "id"], condition=models.Q(decision="undecided")
            ),
            models.Index(
                name="record_changing",
                fields=["changing_operation"],
                condition=models.Q(changing_operation__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RecordHistory(models.Model):
    """One change of one Record: only the facts that changed, before and after. `step` groups a bulk: one undo."""

    record_id: int
    record = reference("Record", index=False)
    at = models.DateTimeField(db_default=Now())
    actor = models.TextField()
    operation_id: int | None
    operation = reference("Operation", null=True, index=False)
    step = models.UUIDField(null=True, db_index=True)
    before = json_object()
    after = json_object()

    class Meta:
        db_table = "record_history"
        indexes: ClassVar = [
            models.Index(name="record_history_of_record", fields=["record", "id"]),
            models.Index(
                name="record_history_operation", fields=["operation"], condition=models.Q(operation__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} by {self.actor}"


class RecordTold(models.Model):
    """What a search for Records looks through: name, parent and vendor id in small letters; kept by triggers."""

    record = models.OneToOneField(
        "Record", on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="told"
    )
    text = models.TextField()

    class Meta:
        db_table = "record_told"

    def __str__(self) -> str:
        return self.text


class HeldAbsence(models.Model):
    """A Record that a complete Discover no longer saw, while too many were gone at once for that to be believed."""

    record = models.OneToOneField(
        "Record", on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+"
    )
    connection_id: int
    connection = reference("Connection")
    since_operation_id: int
    since_operation = reference("Operation", index=False)
    latest_operation_id: int
    latest_operation = reference("Operation", index=False)

    class Meta:
        db_table = "held_absence"

    def __str__(self) -> str:
        return f"absence of {self.pk}"
