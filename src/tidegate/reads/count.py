"""How many findings there are, by Product, Test, Record or Connection: from kept tallies, never by counting rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

import msgspec
from django.db.models import Count
from msgspec import Meta

from tidegate.reads.lost import lost_away
from tidegate.reads.viewer import sees, sees_everything, visible
from tidegate.rules.access import Place
from tidegate.store import models
from tidegate.store.statement import rows_of
from tidegate_sdk import Severity

STATES: Final = ("new", "ignored", "good", "stale", "missing")
"""Of Records, as the lists show them."""

_WORST_FIRST: Final = [Severity.of_rank(rank).value for rank in (5, 4, 3, 2, 1, 0)]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """How many findings."""

    active: Annotated[int, Meta(description="Open, and nobody says false positive, accepted or out of scope.")] = 0
    inactive: Annotated[int, Meta(description="All others: closed, or decided about.")] = 0
    open: Annotated[int, Meta(description="Still reported by the tool, decided about or not.")] = 0
    unwatched: Annotated[int, Meta(description="Open, but no Sync looks at them any more.")] = 0
    by_severity: Annotated[dict[str, int], Meta(description="The active ones, by severity.")] = msgspec.field(
        default_factory=dict
    )


def findings_by_product(ids: Iterable[int]) -> Mapping[int, tuple[Findings, int]]:
    """For each of these Products; and how many Records are mapped to it, which the same Feeds tell."""
    return {row["of"]: (_of_a_row(row), row["records"]) for row in rows_of("products_counted", ids=list(ids))}


def findings_by_test(ids: Iterable[int]) -> Mapping[int, Findings]:
    """For each of these Tests."""
    wanted = list(ids)
    sums = _sums(wanted, rows_of("tally_sums", tests=wanted) if wanted else [])
    return {number: Findings(**found) for number, found in sums.items()}


def findings_of(rows: Iterable[Mapping[str, Any]]) -> Findings:
    """What these rows of tallies, of one thing, come to."""
    return Findings(**_sums([0], ({**row, "of": 0} for row in rows))[0])


def feeds_seen(records: Iterable[int], connections: Iterable[int]) -> list[int] | None:
    """The Feeds of these Records, which are of these Connections, whose findings the viewer may see; None where that is
    all: whoever sees a Connection sees all that it brought."""
    if sees_everything() or all(sees(Place(connection_id=one)) for one in set(connections)):
        return None
    test = "test__engagement__product"
    seen = visible(connection="test__connection_id", product=f"{test}_id", product_type=f"{test}__product_type_id")
    return list(models.Feed.objects.filter(seen, record_id__in=list(records)).values_list("pk", flat=True))


def counted_by_connection(ids: Iterable[int]) -> Mapping[int, tuple[Findings, dict[str, int]]]:
    """For each of these Connections; and how many of its Records are in each state."""
    wanted = list(ids)
    rows = rows_of("connections_counted", ids=wanted) if wanted else []
    found = {row["of"]: (_of_a_row(row), {state: row[state] for state in STATES}) for row in rows}
    for number, away in _lost_away(wanted):
        found[number][1]["good"] -= away
        found[number][1]["stale"] += away
    return found


def _lost_away(connections: list[int]) -> list[tuple[int, int]]:
    """By Connection, where there are any: Records that are Stale only by what is lost at a Destination. What counts the
    others does not know them."""
    if not (away := list(lost_away())):
        return []
    good = models.Record.objects.filter(
        deleted_at=None, decision="mapped", absent_since=None, target_lost_at=None,
        connection_id__in=connections, feed__test_id__in=away,
    )  # fmt: skip
    return list(good.values_list("connection_id").annotate(Count("pk")))


def _of_a_row(row: Mapping[str, Any]) -> Findings:
    by_severity = {word: n for word, n in zip(_WORST_FIRST, row["by_severity"], strict=False) if n}
    return Findings(
        active=row["active"],
        inactive=row["inactive"],
        open=row["open"],
        unwatched=row["unwatched"],
        by_severity=by_severity,
    )


def _sums(wanted: Iterable[int], rows: Iterable[Mapping[str, Any]]) -> dict[int, dict[str, Any]]:
    """By group; the rows come the worst first, and so people see them."""
    sums: dict[int, dict[str, Any]] = {number: {"by_severity": {}} for number in wanted}
    for row in rows:
        _add(sums[row["of"]], row)
    return sums


def _add(sums: dict[str, Any], row: Mapping[str, Any]) -> None:
    sums["unwatched"] = sums.get("unwatched", 0) + row["unwatched"]
    total = row["n"]
    standing = "active" if row["active"] else "inactive"
    sums[standing] = sums.get(standing, 0) + total
    if row["open"]:
        sums["open"] = sums.get("open", 0) + total
    if row["active"]:
        word = Severity.of_rank(row["severity"]).value
        sums["by_severity"][word] = sums["by_severity"].get(word, 0) + total
