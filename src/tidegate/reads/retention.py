"""Retention: what is kept how long and what for ever, how much of it there is, and how much is older than that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from django.db.models import Exists, OuterRef, QuerySet
from msgspec import Meta
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

from tidegate.config import PREFIX, Settings, load_settings
from tidegate.reads.viewer import demand_everywhere
from tidegate.rules.retention import KEPT, TRIED_DAYS, Keep
from tidegate.store import models
from tidegate.store.clock import database_now
from tidegate.store.statement import rows_of

COUNTED: Final = 2 * 2**20
"""Bytes of a table up to which its old rows are counted; beyond, the planner's statistics say about how many."""


class KeptRow(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of thing that goes some day."""

    name: Annotated[str, Meta(description="Its short name.")]
    what: Annotated[str, Meta(description="What it is.")]
    setting: Annotated[str, Meta(description="The setting that says how long; empty where it is always a day.")]
    days: Annotated[int, Meta(description="The days in force.")]
    before: Annotated[datetime, Meta(description="What is older than this goes.")]
    for_ever: Annotated[str, Meta(description="What of it stays for ever, and why; empty where nothing does.")]
    rows: Annotated[int | None, Meta(description="About how many rows there are; null where it has no table.")]
    bytes: Annotated[int | None, Meta(description="What they take, indexes and all; null where it has no table.")]
    old: Annotated[int, Meta(description="About how many are older and were not looked at; some of them may stay.")]


class Retained(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept how long, and how much there is of it."""

    kept: Annotated[list[KeptRow], Meta(description="Kind by kind, in the order in which they go.")]
    went: Annotated[
        dict[str, int] | None, Meta(description="How much of what went just now, by name; null where nobody asked.")
    ]


def retained(*, settings: Settings | None = None, went: Mapping[str, int] | None = None) -> Retained:
    """The policy in force and how much there is; quick at any size, because it estimates."""
    demand_everywhere("administrator", "How long what is kept")
    settings, now = settings or load_settings(), database_now()
    names = sorted({table for kept in KEPT.values() for table in kept.tables})
    sizes = {row["name"]: row for row in rows_of("tables_measured", tables=names)}
    rows: list[KeptRow] = []
    for name, kept in KEPT.items():
        days = getattr(settings, kept.setting) if kept.setting else TRIED_DAYS
        before = now - timedelta(days=days)
        rows.append(
            KeptRow(
                name=name,
                what=kept.what,
                setting=f"{PREFIX}{kept.setting.upper()}" if kept.setting else "",
                days=days,
                before=before,
                for_ever=kept.for_ever,
                rows=_summed(kept, sizes, "rows"),
                bytes=_summed(kept, sizes, "bytes"),
                old=_about(_old(name, before), _summed(kept, sizes, "heap_bytes") or 0),
            )
        )
    return Retained(kept=rows, went=None if went is None else dict(went))


def _summed(kept: Keep, sizes: Mapping[str, Mapping[str, int]], what: str) -> int | None:
    return sum(sizes[table][what] for table in kept.tables) if kept.tables else None


def _old(name: str, before: datetime) -> QuerySet[Any]:
    """What of this kind is older, and retention did not pass yet."""
    operations = models.Operation.objects
    if name == "previews":
        return operations.filter(preview=True, ended_at__lt=before)
    if name == "drafts":
        return models.Connection.objects.filter(draft_at__lt=before)
    if name == "requests":
        return models.AnsweredRequest.objects.filter(at__lt=before)
    if name == "log_lines":
        return models.LogLine.objects.filter(at__lt=before)
    if name == "results":
        last = operations.filter(ended_at__lt=before).order_by("-pk").values_list("pk", flat=True).first()
        return models.Result.objects.filter(operation_id__gt=_reached(models.Mark.RESULTS), operation_id__lte=last or 0)
    if name == "jobs":
        young = ProcrastinateEvent.objects.filter(job=OuterRef("pk"), at__gte=before)
        ended = ProcrastinateJob.objects.filter(status__in=["succeeded", "failed", "cancelled", "aborted"])
        return ended.exclude(Exists(young))
    if name == "news":
        return models.News.objects.filter(at__lt=before)
    if name == "journal":
        return models.Journal.objects.filter(id__gt=_reached(models.Mark.JOURNAL), at__lt=before)
    if name == "operations":
        return operations.filter(ended_at__lt=before, preview=False)
    return models.OpenDay.objects.filter(day__lt=before.date())


def _reached(name: str) -> int:
    return models.Mark.objects.filter(pk=name).values_list("reached", flat=True).first() or 0


def _about(query: QuerySet[Any], heap_bytes: int) -> int:
    """How many rows that gives: counted where the table is small, else as the planner expects."""
    if heap_bytes <= COUNTED:
        return query.count()
    return int(json.loads(query.explain(format="json"))[0]["Plan"]["Plan Rows"])
