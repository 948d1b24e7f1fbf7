"""What is kept how long, and what for ever: the policy in words, and the days that are no setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TRIED_DAYS: Final = 1
"""Previews and drafts: who looked at one has seen it."""


@dataclass(frozen=True)
class Keep:
    """One kind of thing that goes some day."""

    what: str
    setting: str | None
    """The field of the settings that says how many days; None where it is always a day."""
    tables: tuple[str, ...]
    for_ever: str
    """What of it stays, and why; empty where nothing does."""


KEPT: Final = {
    "previews": Keep(
        "previews, a day after their end",
        None,
        ("difference",),
        "",
    ),
    "drafts": Keep(
        "drafts of Connections that nobody saved",
        None,
        (),
        "",
    ),
    "requests": Keep(
        "answers to requests with an Idempotency-Key",
        None,
        ("answered_request",),
        "",
    ),
    "log_lines": Keep("lines of Operations' logs", "keep_logs_days", ("log_line",), ""),
    "results": Keep(
        "results of Operations, Record by Record",
        "keep_results_days",
        ("result",),
        "the latest of each Record, for its badge and to be undone; and what proves why findings are closed",
    ),
    "jobs": Keep("finished jobs of the queue", "keep_jobs_days", ("procrastinate_jobs",), ""),
    "news": Keep(
        "news and their deliveries",
        "keep_logs_days",
        ("outbox", "delivery"),
        "the latest of each kind and Connection, so that nobody is told twice",
    ),
    "journal": Keep(
        "changes of findings",
        "keep_journal_days",
        ("journal",),
        "why a finding is closed, and what can still be undone",
    ),
    "operations": Keep(
        "Operations",
        "keep_operations_days",
        ("operation",),
        "those that a finding, a proof or a Record names, what people changed, and the latest of each Connection",
    ),
    "open_days": Keep(
        "open findings by Record and day",
        "keep_counts_days",
        ("open_day",),
        "the last number of each Record, however old",
    ),
}
"""In the order in which they go: each is named by what stands before it."""
