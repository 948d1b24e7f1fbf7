"""How many findings there are, by Product, Test, Record or Connection: from kept tallies, never by counting rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

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


def findings_by_product(ids: Iterable[int]) -> Mapping[int, Findings]:
    """For each of these Products."""
    return _by("product", ids)


def findings_by_test(ids: Iterable[int]) -> Mapping[int, Findings]:
    """For each of these Tests."""
    return _by("test", ids)


def findings_by_record(ids: Iterable[int]) -> Mapping[int, Findings]:
    """For each of these Records, in whichever Tests they lie."""
    return _by("record", ids)


def findings_by_connection(ids: Iterable[int]) -> Mapping[int, Findings]:
    """For each of these Connections."""
    wanted = list(ids)
    sums = _sums(wanted, rows_of("tally_of_connections", ids=wanted))
    for row in rows_of("unwatched_of_connections", ids=wanted):
        sums[row["of"]]["unwatched"] = row["unwatched"]
    return {number: Findings(**found) for number, found in sums.items()}


def _by(group: str, ids: Iterable[int]) -> Mapping[int, Findings]:
    wanted = list(ids)
    sums = _sums(wanted, rows_of("tally_sums", by=group, ids=wanted) if wanted else [])
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
