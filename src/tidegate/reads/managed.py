"""What a configuration file manages: whoever would edit it by hand is told so."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import OuterRef, Subquery

from tidegate.store.models import Managed

KINDS = (
    "product type",
    "product",
    "connection",
    "schedule of discover",
    "schedule of sync",
    "rules",
    "mapping",
    "notification",
    "destination",
    "user",
)
"""A schedule and rules go by the number of their Connection, a mapping by that of its Record."""


def file_of(kind: str, of: str = "pk") -> Subquery:
    """The file that manages each row of a query, as a column of it; by which of its columns it goes."""
    return Subquery(Managed.objects.filter(kind=kind, thing_id=OuterRef(of)).values("source")[:1])


def managed_by(kind: str, ids: Iterable[int]) -> dict[int, str]:
    """The file that manages each of these; those that none does are left out."""
    rows = Managed.objects.filter(kind=kind, thing_id__in=list(ids))
    return dict(rows.values_list("thing_id", "source"))


def number_managed(kind: str, ids: Iterable[int]) -> int:
    """How many of these a file manages, whichever."""
    return Managed.objects.filter(kind=kind, thing_id__in=list(ids)).count()


def schedules_managed_by(connection_ids: Iterable[int]) -> dict[tuple[int, str], str]:
    """The same for schedules, by Connection and what they run."""
    prefix = "schedule of "
    rows = Managed.objects.filter(kind__startswith=prefix, thing_id__in=list(connection_ids))
    return {
        (id, kind.removeprefix(prefix)): source for id, kind, source in rows.values_list("thing_id", "kind", "source")
    }
