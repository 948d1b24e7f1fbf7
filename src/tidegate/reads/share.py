"""What a viewer sees of an Operation whose Connection they do not see: how it went for Records of theirs.

An Operation tells of its Connection, so who sees that sees all of it. A Sync, or a change, is seen also by whoever sees
a Record that it is about: its times and how it ended whole, of everything else what belongs to these Records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from tidegate.reads.record import visible_records
from tidegate.reads.viewer import once, sees, sees_everything, visible
from tidegate.rules.access import Place
from tidegate.store import models
from tidegate.store.statement import rows_of


def visible_operations(operation_id: int | None = None) -> Any:
    """Those that the viewer sees wholly or in part: all of them, or the one of this number."""
    there = models.Operation.objects.select_related("connection")
    if operation_id is not None:
        there = there.filter(pk=operation_id)
    if sees_everything():
        return there
    records = own_records()
    rows = rows_of("operations_about", records=records, operation=operation_id) if records else []
    return there.filter(Q(visible(connection="connection_id")) | Q(pk__in=[row["id"] for row in rows]))


def seen_whole(connection_id: int) -> bool:
    """Whether all that Operations of the Connection tell is for the viewer."""
    return sees(Place(connection_id=connection_id))


def own_records() -> list[int]:
    """The Records that the viewer sees, and not by their Connection."""
    elsewhere = ~Q(visible(connection="connection_id"))
    there = models.Record.objects.filter(visible_records(), elsewhere, deleted_at=None)
    return once("own Records", lambda: list(there.values_list("pk", flat=True)))


class Share:
    """What of some Operations, none of which is seen whole, belongs to the viewer's Records."""

    def __init__(self, operations: Iterable[Any]) -> None:
        shown = list(operations)
        self.records = frozenset(own_records() if shown else ())
        self._counts: dict[int, Counter[str]] = {one.pk: Counter() for one in shown}
        self._whys: dict[int, list[str]] = {one.pk: [] for one in shown}
        results = models.Result.objects.select_related("record").filter(
            operation_id__in=self._counts, record_id__in=self.records, family=""
        )
        for one in results.order_by("record__name", "record_id") if shown else ():
            self._counts[one.operation_id].update({"records": 1, **one.counts})
            if one.outcome != "complete" and one.why:
                self._whys[one.operation_id].append(f"{one.record.name}: {one.why}")

    def counts(self, operation: Any) -> dict[str, int]:
        """What was done for them."""
        return dict(self._counts[operation.pk])

    def why(self, operation: Any) -> str:
        """Why it did not go well for them, in a few sentences."""
        return " ".join(self._whys[operation.pk][:3])

    def asked(self, operation: Any) -> list[int] | None:
        """Those of them that it was asked for."""
        asked: list[int] | None = operation.scope.get("records")
        return None if asked is None else [record for record in asked if record in self.records]
