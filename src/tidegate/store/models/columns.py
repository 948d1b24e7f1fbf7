"""Columns as our tables have them: foreign keys whose cascade is written in SQL, and typed jsonb."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.postgres.fields import ArrayField
from django.db import models


def reference(to: str, *, null: bool = False, index: bool = True, **options: Any) -> Any:
    """A ForeignKey without Django's constraint; `schema.sql` adds ours with its ON DELETE."""
    return models.ForeignKey(
        to,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=null,
        db_index=index,
        related_name="+",
        **options,
    )


def json_object(**options: Any) -> dict[str, Any]:
    """A jsonb column that holds an object, typed as what it gives: django-types knows no more than "JSON"."""
    return cast("dict[str, Any]", models.JSONField(**options))


def texts() -> list[str]:
    """An array of texts, empty by default."""
    return cast("list[str]", cast("Any", ArrayField)(models.TextField(), default=list, db_default=[]))


def numbers() -> list[int]:
    """An array of whole numbers, empty by default."""
    return cast("list[int]", cast("Any", ArrayField)(models.BigIntegerField(), default=list, db_default=[]))
