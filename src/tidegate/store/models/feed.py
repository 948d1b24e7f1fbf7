"""What flows from one Record into one Test, its Families and Branches with their proofs, and how many there are."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from .columns import json_object, reference


class Feed(models.Model):
    """Findings belong to a Feed, so a remap that moves them is one row.

    What lists begin with is kept by triggers (schema/0013_lists.sql): `open_findings`, a number below which none of its
    findings lies, and whether its Record left it `behind`, for another Feed, for none, or because it is absent.
    """

    record_id: int
    record = reference("Record", index=False)
    test_id: int
    test = reference("Test", index=False)
    created_at = models.DateTimeField(db_default=Now())
    open_findings = models.BigIntegerField(default=0, db_default=0)
    first_finding = models.BigIntegerField(null=True)
    behind = models.BooleanField(default=True, db_default=True)

    class Meta:
        db_table = "feed"
        constraints: ClassVar = [models.UniqueConstraint(name="feed_one_per_test", fields=["record", "test"])]
        # Which Feeds a Test has, and below which number none of its findings lies.
        indexes: ClassVar = [
            models.Index(name="feed_of_test", fields=["test", "first_finding"]),
            # Few are left behind, and each list counts what they hold.
            models.Index(name="feed_behind", fields=["test"], condition=models.Q(behind=True)),
        ]

    def __str__(self) -> str:
        return f"{self.record_id} into {self.test_id}"


class Part(models.Model):
    """One Family on one Branch of a Feed: the last complete read (`proven_…`, `proof`), and the last try."""

    feed_id: int
    feed = reference("Feed", index=False)
    family = models.TextField(db_collation="C")
    branch = models.TextField(db_collation="C", default="", db_default="")
    proven_operation_id: int | None
    proven_operation = reference("Operation", null=True, index=False)
    proven_at = models.DateTimeField(null=True)
    proof = json_object(default=dict, db_default={})  # kind, pages, declared, seen
    mark = models.TextField(default="", db_default="")  # of the state last applied
    last_operation_id: int | None
    last_operation = reference("Operation", null=True, index=False)
    last_outcome = models.TextField(default="", db_default="")  # complete, incomplete, skipped
    last_because = models.TextField(default="", db_default="")
    below = models.IntegerField(default=0, db_default=0)  # below the threshold at the last read, not stored
    skipped = models.IntegerField(default=0, db_default=0)  # rows the Tool says are no findings
    listed_at = models.DateTimeField(null=True)  # when the Branch was last there by the tool's list of them

    class Meta:
        db_table = "part"
        constraints: ClassVar = [
            models.UniqueConstraint(name="part_family_branch", fields=["feed", "family", "branch"]),
        ]

    def __str__(self) -> str:
        return f"{self.family} {self.branch}".strip()


class Tally(models.Model):
    """How many findings a Feed holds, by Family, Branch, severity and activity; kept by a trigger on finding."""

    feed_id: int
    feed = reference("Feed", index=False)
    family = models.TextField(db_collation="C")
    branch = models.TextField(db_collation="C")
    severity = models.SmallIntegerField()
    open = models.BooleanField()
    active = models.BooleanField()
    n = models.BigIntegerField()

    class Meta:
        db_table = "tally"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="tally_key", fields=["feed", "family", "branch", "severity", "open", "active"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.n}"


class FeedMove(models.Model):
    """A Feed went from one Product to another as a whole; kept by a trigger on feed, whoever moves it."""

    feed_id: int
    feed = reference("Feed")
    at = models.DateTimeField(db_default=Now())
    actor = models.TextField()
    operation = models.BigIntegerField(null=True)
    step = models.UUIDField(null=True)
    left = models.TextField()  # Products by their names of then; "" where not known
    went_to = models.TextField()

    class Meta:
        db_table = "feed_move"

    def __str__(self) -> str:
        return f"{self.left} → {self.went_to}"
