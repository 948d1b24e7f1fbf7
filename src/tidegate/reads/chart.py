"""Open findings day by day, for charts: from what was noted at the end of each day."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

from tidegate.reads.place import places
from tidegate.reads.viewer import sees, sees_everything
from tidegate.store.statement import rows_of
from tidegate_sdk import Severity


class OpenDay(msgspec.Struct, frozen=True, kw_only=True):
    """How many findings were open at the end of a day."""

    day: Annotated[date, Meta(description="The day, in UTC.")]
    open: Annotated[int, Meta(description="Open findings, decided about or not.")]
    by_severity: Annotated[dict[str, int], Meta(description="The same by severity, the worst first; none is left out.")]


def open_by_day(
    *,
    since: date,
    until: date,
    record_id: int | None = None,
    product_id: int | None = None,
    connection_id: int | None = None,
) -> list[OpenDay]:
    """Every day from `since` to `until`, of one Record, or of all Records of a Connection, or of those that write into
    a Product now. A day on which nothing was noted is like the day before."""
    if [record_id, product_id, connection_id].count(None) != 2:
        raise ValueError("Name one of record_id, product_id, connection_id.")
    asked = {"record": record_id, "product": product_id, "connection": connection_id}
    (kind, number) = next((kind, number) for kind, number in asked.items() if number is not None)
    if not sees_everything() and not any(sees(place) for place in places(kind, [number]).values()):
        asked = {"record": 0, "product": None, "connection": None}  # nobody's
    moves: dict[date, Counter[int]] = defaultdict(Counter)
    for row in rows_of("open_by_day", since=since, until=until, **asked):
        moves[row["day"]][row["severity"]] += row["by"]
    worst_first = sorted(Severity, key=lambda severity: severity.rank, reverse=True)
    standing: Counter[int] = Counter()
    days: list[OpenDay] = []
    for number in range((until - since).days + 1):
        day = since + timedelta(days=number)
        standing.update(moves.get(day, {}))
        by_severity = {severity.value: standing[severity.rank] for severity in worst_first}
        days.append(OpenDay(day=day, open=sum(by_severity.values()), by_severity=by_severity))
    return days
