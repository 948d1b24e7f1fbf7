"""What was answered to requests that carried an Idempotency-Key, so that a second one is not carried out again."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from .columns import json_object, reference


class AnsweredRequest(models.Model):
    """One key of one user, kept a day. `status` is null while the first request is being carried out, 0 from the
    transaction on in which it was, and then that of its answer."""

    user_id: int
    user = reference("User", index=False)
    key_hash = models.BinaryField()
    request_hash = models.BinaryField()  # method, path and body: another request under the same key is refused
    at = models.DateTimeField(db_default=Now())
    status = models.SmallIntegerField(null=True)
    headers = json_object(default=dict, db_default={})
    body = models.BinaryField(null=True)

    class Meta:
        db_table = "answered_request"
        constraints: ClassVar = [models.UniqueConstraint(name="answered_request_once", fields=["user", "key_hash"])]
        indexes: ClassVar = [models.Index(name="answered_request_old", fields=["at"])]

    def __str__(self) -> str:
        return f"request {self.pk}"
