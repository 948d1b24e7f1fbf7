"""How many findings there are, by Product, Test, Record or Connection: from kept tallies, never by counting rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tidegate.reads.viewer import sees_everything, visible
from tidegate.store import models
from tidegate.store.statement import rows_of
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


def findings_by_product(ids: Iterable[int]) -> Mapping[int, tuple[Findings, int]]:
    """For each of these Products; and how many Records are mapped to it, which the same Feeds tell."""
    wanted = list(ids)
    sums, records = _sums(wanted, rows_of("tally_of_products", ids=wanted)), dict.fromkeys(wanted, 0)
    for row in rows_of("feeds_of_products", ids=wanted):
        sums[row["of"]]["unwatched"], records[row["of"]] = row["unwatched"], row["records"]
    return {number: (Findings(**found), records[number]) for number, found in sums.items()}


def findings_by_test(ids: Iterable[int]) -> Mapping[int, Findings]:
    """For each of these Tests."""
    return _by("test", ids)


def findings_by_record(ids: Iterable[int]) -> Mapping[int, Findings]:
    """For each of these Records, in whichever Tests they lie that the viewer may see."""
    if sees_everything():
        return _by("record", ids)
    wanted, test = list(ids), "test__engagement__product"
    seen = visible(connection="test__connection_id", product=f"{test}_id", product_type=f"{test}__product_type_id")
    feeds = models.Feed.objects.filter(seen, record_id__in=wanted)
    return _by("feed", wanted, dict(feeds.values_list("pk", "record_id")))


def findings_by_connection(ids: Iterable[int]) -> Mapping[int, Findings]:
    """For each of these Connections."""
    wanted = list(ids)
    sums = _sums(wanted, rows_of("tally_of_connections", ids=wanted))
    for row in rows_of("unwatched_of_connections", ids=wanted):
        sums[row["of"]]["unwatched"] = row["unwatched"]
    return {number: Findings(**found) for number, found in sums.items()}


def _by(group: str, ids: Iterable[int], parts: Mapping[int, int] | None = None) -> Mapping[int, Findings]:
    """By each of these ids; or of their parts, each of which says whose it is."""
    wanted = list(ids)
    asked = wanted if parts is None else list(parts)
    rows = rows_of("tally_sums", by=group, ids=asked) if asked else []
    sums = _sums(wanted, rows if parts is None else [row | {"of": parts[row["of"]]} for row in rows])
    return {number: Findings(**found) for number, found in sums.items()}


def _sums(wanted: Iterable[int], rows: Iterable[Mapping[str, Any]]) -> dict[int, dict[str, Any]]:
    """By group; the rows come the worst first, and so people see them."""
    sums: dict[int, dict[str, Any]] = {number: {"by_severity": {}} for number in wanted}
    for row in rows:
        _add(sums[row["of"]], row)
    return sums


def _add(sums: dict[str, Any], row: Mapping[str, Any]) -> None:
    total = row["n"]
    standing = "active" if row["active"] else "inactive"
    sums[standing] = sums.get(standing, 0) + total
    sums["unwatched"] = sums.get("unwatched", 0) + row["unwatched"]
    if row["open"]:
        sums["open"] = sums.get("open", 0) + total
    if row["active"]:
        word = Severity.of_rank(row["severity"]).value
        sums["by_severity"][word] = sums["by_severity"].get(word, 0) + total
