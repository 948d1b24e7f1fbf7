"""How many findings there are, by Product, Test, Record or Connection: from kept tallies, never by counting rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec
from django.db.models import Exists, F, OuterRef, Q, Sum
from msgspec import Meta

from tidegate.store.models import Part, Tally
from tidegate_sdk import Severity


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """How many findings."""

    active: Annotated[int, Meta(description="Open, and nobody says false positive, accepted or out of scope.")] = 0
    inactive: Annotated[int, Meta(description="All others: closed, or decided about.")] = 0
    open: Annotated[int, Meta(description="Still reported by the tool, decided about or not.")] = 0
    unwatched: Annotated[int, Meta(description="Open, but no Sync looks at them any more.")] = 0
    by_severity: Annotated[dict[str, int], Meta(description="The active ones, by severity.")] = msgspec.field(
        default_factory=dict
    )


def findings_by_product(ids: Iterable[int]) -> Mapping[int, Findings]:
    """For each of these Products."""
    return _by("feed__test__engagement__product_id", ids)


def findings_by_test(ids: Iterable[int]) -> Mapping[int, Findings]:
    """For each of these Tests."""
    return _by("feed__test_id", ids)


def findings_by_record(ids: Iterable[int]) -> Mapping[int, Findings]:
    """For each of these Records, in whichever Tests they lie."""
    return _by("feed__record_id", ids)


def findings_by_connection(ids: Iterable[int]) -> Mapping[int, Findings]:
    """For each of these Connections."""
    return _by("feed__record__connection_id", ids)


def unwatched(feed: str = "feed") -> Q:
    """Findings, tallies or anything else with a Feed that no Sync looks at any more, for whichever reason."""
    record = f"{feed}__record"
    return (
        Q(**{f"{record}__feed__isnull": True})
        | ~Q(**{f"{record}__feed": F(feed)})
        | Q(**{f"{record}__absent_since__isnull": False})
        | Q(**{f"{record}__connection__deleted_at__isnull": False})
        | Q(
            Exists(
                Part.objects.filter(
                    feed=OuterRef(feed), family=OuterRef("family"), branch=OuterRef("branch"), last_outcome="skipped"
                )
            )
        )
    )


def _by(group: str, ids: Iterable[int]) -> Mapping[int, Findings]:
    wanted = list(ids)
    tallies = Tally.objects.filter(n__gt=0, **{f"{group}__in": wanted})
    sums: dict[int, dict[str, Any]] = {number: {"by_severity": {}} for number in wanted}
    standing = tallies.values(group, "severity", "open", "active").annotate(total=Sum("n"))
    for row in standing.order_by("-severity"):  # the worst stands first in what people see
        _add(sums[row[group]], row)
    for row in tallies.filter(unwatched(), open=True).values(group).annotate(total=Sum("n")):
        sums[row[group]]["unwatched"] = int(row["total"])
    return {number: Findings(**found) for number, found in sums.items()}


def _add(sums: dict[str, Any], row: Mapping[str, Any]) -> None:
    total = int(row["total"])
    standing = "active" if row["active"] else "inactive"
    sums[standing] = sums.get(standing, 0) + total
    if row["open"]:
        sums["open"] = sums.get("open", 0) + total
    if row["active"]:
        word = Severity.of_rank(row["severity"]).value
        sums["by_severity"][word] = sums["by_severity"].get(word, 0) + total
