"""Numbers that outlive what they count: totals for metrics, and open findings per Record and day for charts."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from .columns import json_object, reference


class Total(models.Model):
    """A number that only grows, however many Operations retention has deleted: what metrics are made of."""

    name = models.TextField()  # operations, findings, calls, seconds
    tool = models.TextField()
    word = models.TextField()  # sync:success, created, 429, vendor
    number = models.FloatField(default=0, db_default=0)

    class Meta:
        db_table = "total"
        constraints: ClassVar = [models.UniqueConstraint(name="total_key", fields=["name", "tool", "word"])]

    def __str__(self) -> str:
        return f"{self.name} {self.tool} {self.word}"


class OpenDay(models.Model):
    """Open findings of a Record at the end of a day, by severity rank; a day without a row is like the day before."""

    record_id: int
    record = reference("Record", index=False)
    day = models.DateField()
    open = json_object(default=dict, db_default={})

    class Meta:
        db_table = "open_day"
        constraints: ClassVar = [models.UniqueConstraint(name="open_day_key", fields=["record", "day"])]

    def __str__(self) -> str:
        return str(self.day)


class ConnectionTally(models.Model):
    """How many findings came through a Connection: the sum of its rows. Each change of a tally adds a row and locks
    none, so that Syncs and people do not wait for each other; some time later they are added up."""

    connection_id: int
    connection = reference("Connection", index=False)
    severity = models.SmallIntegerField()
    open = models.BooleanField()
    active = models.BooleanField()
    n = models.BigIntegerField()

    class Meta:
        db_table = "connection_tally"

    def __str__(self) -> str:
        return f"{self.n}"


class ProductTally(models.Model):
    """How many findings a Product holds, by all Connections together: the sum of its rows, as with ConnectionTally."""

    product_id: int
    product = reference("Product", index=False)
    severity = models.SmallIntegerField()
    open = models.BooleanField()
    active = models.BooleanField()
    n = models.BigIntegerField()

    class Meta:
        db_table = "product_tally"

    def __str__(self) -> str:
        return f"{self.n}"


class RecordTally(models.Model):
    """How many Records of a Connection are in a state: the sum of its rows, as with ConnectionTally. What is lost at a
    Destination is no fact of a Record, so these count as `good`."""

    connection_id: int
    connection = reference("Connection", index=False)
    state = models.TextField()  # new, ignored, good, stale, missing
    n = models.BigIntegerField()

    class Meta:
        db_table = "record_tally"

    def __str__(self) -> str:
        return f"{self.n} {self.state}"
