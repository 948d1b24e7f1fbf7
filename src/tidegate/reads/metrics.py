"""Metrics as Prometheus reads them: from totals, tallies and what runs now, never by counting findings or history."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from tidegate.reads import health
from tidegate.reads.service import service
from tidegate.store import models
from tidegate.store.statement import rows_of
from tidegate_sdk import Severity

QUICK_SECONDS: Final = 0.01
SLOW_KEPT_SECONDS: Final = 300.0
"""What takes longer than QUICK_SECONDS to count is counted only so often; a small house sees it fresh each time."""

ENDS: Final = ("success", "partial", "failed", "cancelled")
TYPES: Final = ("discover", "sync")


def exposition() -> tuple[bytes, str]:
    """Every metric in Prometheus' text format, and the content type to send it with."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector())  # pyright: ignore[reportArgumentType] - it wants its own class
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Collector:
    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "tidegate_build",
            "Which Tidegate answers.",
            value={"version": version("tidegate"), "python": platform.python_version()},
        )
        yield from _service()
        yield from _queue()
        yield from _totals()
        yield from _connections()
        yield from _slow.metrics()


def _service() -> Iterator[Metric]:
    now = service()
    yield _gauge("tidegate_workers", "Workers that live, on all machines.", now.workers)
    yield _gauge("tidegate_scheduler_up", "1 where a scheduler keeps the time, on whichever machine.", now.scheduler)
    routes = GaugeMetricFamily(
        "tidegate_route_failing", "1 where the last news for a route could not be delivered.", labels=["route"]
    )
    for route in models.Route.objects.filter(off_at=None).order_by("name"):
        routes.add_metric([route.name], float(route.failing_since is not None))
    yield routes
    waiting = models.Delivery.objects.filter(next_at__isnull=False).count()
    yield _gauge(
        "tidegate_deliveries_waiting", "Deliveries of news that are still to be tried, or tried again.", waiting
    )


def _queue() -> Iterator[Metric]:
    (row,) = rows_of("metrics_queue")
    queue = GaugeMetricFamily(
        "tidegate_queue_operations",
        "Operations that run, wait for a worker, wait for another of their Connection, or for their time.",
        labels=["standing"],
    )
    for standing in ("running", "waiting", "behind", "later"):
        queue.add_metric([standing], row[standing])
    yield queue
    oldest = "How long the eldest Operation has waited for a worker; 0 where none waits."
    yield _gauge("tidegate_queue_oldest_wait_seconds", oldest, row["oldest"])


@dataclass(frozen=True)
class _Count:
    """A metric that is made of one name in the table of totals."""

    metric: str
    help: str
    label: str


_COUNTS: Final = {
    "findings": _Count("tidegate_findings", "What Syncs did to findings, by change.", "change"),
    "records": _Count("tidegate_records", "What Discovers did to Records, by change.", "change"),
    "calls": _Count("tidegate_vendor_calls", "Requests to tools, by the status they were answered with.", "status"),
    "seconds": _Count("tidegate_operation_seconds", "Where the time of ended Operations went.", "what"),
    "quarantined": _Count("tidegate_quarantined_rows", "Rows of tools that could not be read.", "type"),
}


def _totals() -> Iterator[Metric]:
    """What was never counted is 0 where its words are known: an increase can only be seen from a number that stood."""
    totals: dict[str, dict[tuple[str, ...], float]] = {name: {} for name in ("operations", *_COUNTS)}
    for tool in models.Connection.objects.filter(deleted_at=None).values_list("tool", flat=True).distinct():
        totals["operations"] |= {(tool, type, status): 0.0 for type in TYPES for status in ENDS}
    for row in models.Total.objects.order_by("name", "tool", "word"):
        words = row.word.split(":") if row.name == "operations" else [row.word]
        totals.setdefault(row.name, {})[row.tool, *words] = row.number
    told = "Operations that ended, by type and by how."
    yield _counter("tidegate_operations", told, ("tool", "type", "status"), totals["operations"])
    for name, count in _COUNTS.items():
        yield _counter(count.metric, count.help, ("tool", count.label), totals[name])


def _connections() -> Iterator[Metric]:
    ages = GaugeMetricFamily(
        "tidegate_last_success_age_seconds",
        "How long ago the last Discover, or Sync, of a Connection went well; where none ever did, since it was made.",
        labels=["connection", "tool", "type"],
    )
    paused = GaugeMetricFamily(
        "tidegate_connection_paused", "1 where a Connection is paused.", labels=["connection", "tool"]
    )
    for row in rows_of("metrics_connections"):
        ages.add_metric([row["label"], row["tool"], row["type"]], row["seconds"])
        if row["type"] == "sync":
            paused.add_metric([row["label"], row["tool"]], float(row["paused"]))
    yield ages
    yield paused


def _what_is_slow() -> Iterator[Metric]:
    """Numbers that take a tenth of a second where there are a million findings."""
    labels = ["connection", "tool"]
    findings = GaugeMetricFamily("tidegate_held_findings", "Closings that wait for a person.", labels=labels)
    absences = GaugeMetricFamily("tidegate_held_absences", "Records whose absence waits for a person.", labels=labels)
    since = GaugeMetricFamily("tidegate_held_age_seconds", "How long the eldest of them has waited.", labels=labels)
    for row in rows_of("metrics_held"):
        connection = [row["label"], row["tool"]]
        findings.add_metric(connection, row["findings"])
        absences.add_metric(connection, row["absences"])
        since.add_metric(connection, row["seconds"] or 0)
    yield from (findings, absences, since)
    yield _overdue()
    yield _gauge("tidegate_quarantined", "Rows of tools that are set aside now.", models.Quarantine.objects.count())
    opened = GaugeMetricFamily(
        "tidegate_open_findings",
        "Open findings, by severity, and whether they are active: nobody says false positive, accepted, out of scope.",
        labels=["severity", "active"],
    )
    counted = {row["severity"]: (row["active"], row["open"] - row["active"]) for row in rows_of("metrics_open")}
    for severity in Severity:
        for active, number in zip(("true", "false"), counted.get(severity.rank, (0, 0)), strict=True):
            opened.add_metric([severity.value, active], number)
    yield opened


def _overdue() -> Metric:
    overdue = GaugeMetricFamily(
        "tidegate_overdue_seconds",
        "How long ago the Discover, or Sync, was due that has not gone well since; only where that is a day or more.",
        labels=["connection", "type"],
    )
    now = datetime.now(UTC)
    for one in health.overdue(now):
        overdue.add_metric([one.label, one.type], (now - one.since).total_seconds())
    return overdue


class _Slow:
    """Keeps what was slow to count for a while; several scrapes at once count it once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[Metric] = []
        self._until = 0.0

    def metrics(self) -> Iterable[Metric]:
        with self._lock:
            if time.monotonic() >= self._until:
                began = time.monotonic()
                self._kept = list(_what_is_slow())
                ended = time.monotonic()
                self._until = ended + SLOW_KEPT_SECONDS if ended - began > QUICK_SECONDS else 0.0
            return self._kept

    def forget(self) -> None:
        with self._lock:
            self._until = 0.0


_slow = _Slow()


def forget() -> None:
    """Counts everything anew at the next exposition."""
    _slow.forget()


def _gauge(name: str, help: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help, value=float(value))


def _counter(name: str, help: str, labels: tuple[str, ...], numbers: dict[tuple[str, ...], Any]) -> Metric:
    counter = CounterMetricFamily(name, help, labels=labels)
    for words, number in numbers.items():
        counter.add_metric(words, number)
    return counter
