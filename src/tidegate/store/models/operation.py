"""One run: its row is the truth, its lease says who runs it, its results and log say how it went."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from .columns import json_object, reference


class Operation(models.Model):
    """`scope` is {} for everything, or {"records": [ids]}. `attempt` rises with each take-over and fences old runs.

    `verdict` is null until everything was read; then {"<record id>": "close" | "hold"}, carried out Record by Record.
    Of a change `scope` says which and of what (ingest/change.py). `cause` names what an operator can do about a failure
    (rules/cause.py). `seconds` says where the time went (queue, vendor, rate, database, work), `calls` counts the
    vendor's answers by status; both add up over attempts.
    """

    type = models.TextField()  # discover, sync, change, deliver
    connection_id: int
    connection = reference("Connection")
    trigger = models.TextField()  # manual, scheduled, api, webhook
    actor = models.TextField()
    scope = json_object(default=dict, db_default={})
    preview = models.BooleanField(default=False, db_default=False)
    status = models.TextField(default="pending", db_default="pending")
    why = models.TextField(default="", db_default="")
    verdict: dict[str, str] | None = json_object(null=True)
    counts = json_object(default=dict, db_default={})
    complete = models.BooleanField(default=False, db_default=False)  # a Discover that proved it saw everything
    attempt = models.IntegerField(default=0, db_default=0)
    requested_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    cancelled_by = models.TextField(default="", db_default="")
    cause = models.TextField(default="", db_default="")
    deaths = models.SmallIntegerField(default=0, db_default=0)  # workers that died with it
    not_before = models.DateTimeField(null=True)
    worker = models.TextField(default="", db_default="")  # who ran it last
    seconds = json_object(default=dict, db_default={})
    calls = json_object(default=dict, db_default={})
    step = models.UUIDField(null=True)  # of a change: the decision it carries out
    destination_id: int | None
    destination = reference("Destination", null=True, index=False)  # of a deliver: where to

    class Meta:
        db_table = "operation"
        indexes: ClassVar = [
            models.Index(name="operation_latest", fields=["connection", "type", "-id"]),
            models.Index(name="operation_previews", fields=["id"], condition=models.Q(preview=True)),
            models.Index(
                name="operation_under_way",
                fields=["status", "id"],
                condition=models.Q(status__in=["pending", "running"]),
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="operation_type", condition=models.Q(type__in=["discover", "sync", "change", "deliver"])
            ),
            models.CheckConstraint(
                name="operation_deliver_has_a_destination",
                condition=models.Q(type="deliver", destination__isnull=False)
                | (~models.Q(type="deliver") & models.Q(destination__isnull=True)),
            ),
            models.CheckConstraint(
                name="operation_status",
                condition=models.Q(
                    status__in=["pending", "running", "success", "partial", "failed", "cancelled"],
                ),
            ),
            models.UniqueConstraint(
                name="operation_one_running",
                fields=["connection"],
                condition=models.Q(status="running", type__in=["discover", "sync"]),
            ),
            models.UniqueConstraint(
                name="operation_one_waiting",
                fields=["connection", "type", "preview"],
                condition=models.Q(status="pending", type__in=["discover", "sync"]),
            ),
            models.UniqueConstraint(  # one writer, ever: two imports at once double or lose findings there
                name="operation_one_delivering",
                fields=["destination"],
                condition=models.Q(status="running", type="deliver"),
            ),
            models.UniqueConstraint(
                name="operation_one_to_deliver",
                fields=["destination", "connection", "preview"],
                condition=models.Q(status="pending", type="deliver"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"


class Lease(models.Model):
    """Who runs an Operation, and until when that is believed without a new heart-beat; progress rides along.

    `seconds` is how long a heart-beat is believed: a lease that ends later than that from now was written by a clock
    that has jumped. One that was handed back is free at once, and nobody died.
    """

    operation = models.OneToOneField(
        "Operation", on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+"
    )
    attempt = models.IntegerField()
    until = models.DateTimeField()
    seconds = models.FloatField(default=30, db_default=30)
    worker = models.TextField()
    handed_back = models.BooleanField(default=False, db_default=False)
    cancelled_by = models.TextField(default="", db_default="")  # here, since an apply holds the Operation's own row
    progress = json_object(default=dict, db_default={})

    class Meta:
        db_table = "lease"

    def __str__(self) -> str:
        return f"{self.worker} until {self.until}"


class Result(models.Model):
    """How an Operation went for one Record, and for each Family and Branch of it ('' is the Record as a whole)."""

    operation_id: int
    operation = reference("Operation", index=False)
    record_id: int
    record = reference("Record")
    family = models.TextField(default="", db_default="", db_collation="C")
    branch = models.TextField(default="", db_default="", db_collation="C")
    outcome = models.TextField()  # complete, incomplete, skipped, failed, dropped
    why = models.TextField(default="", db_default="")
    counts = json_object(default=dict, db_default={})
    open_before = models.IntegerField(default=0, db_default=0)
    gone = models.IntegerField(default=0, db_default=0)
    proof = json_object(default=dict, db_default={})  # of a Family: as in part, with its equation (rules/equation.py)
    feed_id = models.BigIntegerField(null=True)  # where it was applied
    undone_by = models.BigIntegerField(null=True)  # the change that took it back

    class Meta:
        db_table = "result"
        constraints: ClassVar = [
            models.UniqueConstraint(name="result_key", fields=["operation", "record", "family", "branch"]),
        ]

    def __str__(self) -> str:
        return self.outcome


class Quarantine(models.Model):
    """A vendor's row that could not be read: set aside with its reason and its scrubbed raw form."""

    operation_id: int
    operation = reference("Operation", index=False)
    connection_id: int
    connection = reference("Connection")
    record_id: int | None
    record = reference("Record", null=True)
    family = models.TextField(default="", db_default="")
    branch = models.TextField(default="", db_default="")
    vendor_key = models.TextField(null=True)
    reason = models.TextField()
    raw = models.TextField(default="", db_default="")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "quarantine"
        indexes: ClassVar = [models.Index(name="quarantine_operation", fields=["operation"])]

    def __str__(self) -> str:
        return self.reason


class LogLine(models.Model):
    """One line of an Operation's log, scrubbed before it came here."""

    operation_id: int
    operation = reference("Operation", index=False)
    n = models.IntegerField()
    at = models.DateTimeField(db_default=Now())
    level = models.TextField()
    text = models.TextField()
    facts = json_object(default=dict, db_default={})

    class Meta:
        db_table = "log_line"
        constraints: ClassVar = [models.UniqueConstraint(name="log_line_n", fields=["operation", "n"])]

    def __str__(self) -> str:
        return self.text


class Difference(models.Model):
    """What a preview would do to one finding or, in a Discover, to one Record; goes with its Operation after a day.

    `kind` of findings: created, changed, reopened, closed, held; of Records: new, renamed, missing, held, back, mapped.
    `before` and `after` hold only what differs. Counts are exact in the results; of each kind a Record keeps so many.
    """

    operation_id: int
    operation = reference("Operation", index=False)
    kind = models.TextField()
    record_id = models.BigIntegerField(null=True)  # null for a VEP without a Record
    finding_id = models.BigIntegerField(null=True)
    family = models.TextField(default="", db_default="", db_collation="C")
    branch = models.TextField(default="", db_default="", db_collation="C")
    key = models.TextField(db_collation="C")  # the vendor's id
    title = models.TextField()
    severity = models.SmallIntegerField(null=True)  # a rank
    because = models.TextField(default="", db_default="")  # gone, fixed, threshold
    before = json_object(default=dict, db_default={})
    after = json_object(default=dict, db_default={})

    class Meta:
        db_table = "difference"
        indexes: ClassVar = [models.Index(name="difference_of_operation", fields=["operation", "kind", "id"])]

    def __str__(self) -> str:
        return f"{self.kind}: {self.title}"
