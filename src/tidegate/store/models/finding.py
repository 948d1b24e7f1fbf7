"""One weakness in one Feed; what people decided about it; how it came to be as it is; closings that wait."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Now

from .columns import json_object, reference


class Finding(models.Model):
    """`key_hash` (SHA-256) and `fingerprint` (XXH3) are digests of 128 bits in uuid columns: fixed width, fast to join.

    Columns of fixed width come first and those that may be null last: a comparison reads the first ones of a million
    rows, and PostgreSQL finds them without walking over the others.

    Severities are ranks (tidegate_sdk.Severity.rank). `vendor_verdict`: 0 none, 1 false positive, 2 accepted, 3 out of
    scope. `fields` holds what lists neither sort nor filter by.
    """

    feed_id: int
    feed = reference("Feed", index=False)
    created_operation = models.BigIntegerField()
    created_at = models.DateTimeField(db_default=Now())
    key_hash = models.UUIDField()
    fingerprint = models.UUIDField()
    mapping_version = models.IntegerField()
    severity_vendor = models.SmallIntegerField()
    severity = models.SmallIntegerField()  # in force: a person's before the vendor's
    vendor_verdict = models.SmallIntegerField(default=0, db_default=0)
    open = models.BooleanField(default=True, db_default=True)
    active = models.BooleanField()
    family = models.TextField(db_collation="C")
    branch = models.TextField(db_collation="C", default="", db_default="")
    key = models.TextField(db_collation="C")
    title = models.TextField()
    fields = json_object()
    closed_because = models.TextField(null=True)  # gone, fixed, threshold, branch, person, merged, undone
    closed_operation = models.BigIntegerField(null=True)
    closed_at = models.DateTimeField(null=True)
    changed_operation = models.BigIntegerField(null=True)

    class Meta:
        db_table = "finding"
        constraints: ClassVar = [
            models.UniqueConstraint(name="finding_key", fields=["feed", "family", "branch", "key_hash"]),
            models.CheckConstraint(
                name="finding_open_or_closed_because",
                condition=models.Q(open=True, closed_because__isnull=True)
                | models.Q(open=False, closed_because__isnull=False),
            ),
            models.CheckConstraint(
                name="finding_active_is_open", condition=models.Q(active=False) | models.Q(open=True)
            ),
        ]
        indexes: ClassVar = [
            models.Index(name="finding_list", fields=["active", "severity", "id"]),
            models.Index(name="finding_list_of_feed", fields=["feed", "active", "severity", "id"]),
            # What an Operation created lies together, so this index is some pages for a million rows.
            BrinIndex(name="finding_created", fields=["created_operation"], autosummarize=True, pages_per_range=32),
        ]

    def __str__(self) -> str:
        return self.title


class Decision(models.Model):
    """What a person decided, one row a field: verdict, severity, verified, note, tags. Holds for all Branches."""

    feed_id: int
    feed = reference("Feed", index=False)
    family = models.TextField(db_collation="C")
    key_hash = models.UUIDField()
    field = models.TextField()
    value = models.TextField()
    until = models.DateTimeField(null=True)
    by = models.TextField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "decision"
        constraints: ClassVar = [
            models.UniqueConstraint(name="decision_field", fields=["feed", "family", "key_hash", "field"]),
        ]
        indexes: ClassVar = [
            models.Index(
                name="decision_until", fields=["until"], condition=models.Q(until__isnull=False, field="verdict")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.value}"


class Journal(models.Model):
    """One change of one finding: what it was before. Begins with the first change; creation is a fact of the row."""

    finding_id: int
    finding = reference("Finding", index=False)
    operation = models.BigIntegerField(null=True)
    actor = models.TextField()
    at = models.DateTimeField(db_default=Now())
    kind = models.TextField()  # changed, closed, reopened, decided, moved
    before = json_object()

    class Meta:
        db_table = "journal"
        indexes: ClassVar = [
            models.Index(name="journal_of_finding", fields=["finding", "id"]),
            BrinIndex(name="journal_of_operation", fields=["operation"], autosummarize=True, pages_per_range=32),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.finding_id}"


class Held(models.Model):
    """A closing that waits: *pending* for the Operation's verdict, *held* for a person, or *kept open* by one.

    One that a person undid (`undone`) is remembered as pending, and is held where it comes again, however few do.
    """

    PENDING = "pending"
    HELD = "held"
    KEPT_OPEN = "kept open"

    finding = models.OneToOneField(
        "Finding", on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="+"
    )
    feed_id: int
    feed = reference("Feed")
    since_operation = models.BigIntegerField()
    latest_operation = models.BigIntegerField()
    last_seen_at = models.DateTimeField(null=True)
    standing = models.TextField()
    said_by = models.TextField(default="", db_default="")
    said_at = models.DateTimeField(null=True)
    because = models.TextField(default="gone", db_default="gone")  # gone, fixed, threshold, branch: what it closes as
    undone = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "held"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="held_standing", condition=models.Q(standing__in=["pending", "held", "kept open"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.standing}: {self.pk}"


class FindingWords(models.Model):
    """The words of a finding, for search; filled some seconds after the apply (store/writers/words.py)."""

    finding_id = models.BigIntegerField(primary_key=True)
    feed_id = models.BigIntegerField()
    words = SearchVectorField()

    class Meta:
        db_table = "finding_words"
        indexes: ClassVar = [
            GinIndex(name="finding_words_words", fields=["words"]),
            # Where a search asks for few Feeds, all that they hold is looked at.
            models.Index(name="finding_words_feed", fields=["feed_id"]),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class WordsDue(models.Model):
    """Findings whose words are not indexed yet: all that an Operation created in a Feed, or (with `finding_id`) one
    that it changed."""

    feed_id = models.BigIntegerField()
    operation_id = models.BigIntegerField(null=True)
    finding_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "words_due"

    def __str__(self) -> str:
        return f"{self.feed_id} {self.operation_id or self.finding_id}"
