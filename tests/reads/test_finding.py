"""A finding tells its story: what came after each change is read back from the present."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from tidegate.reads.finding import CLOSED_BECAUSE, story

DAY = datetime(2026, 5, 3, tzinfo=UTC)


def line(kind: str, before: dict[str, Any], operation: int | None = None, actor: str = "tidegate") -> Any:
    return SimpleNamespace(at=DAY, kind=kind, before=before, operation=operation, actor=actor)


def finding(**facts: Any) -> Any:
    known = {
        "open": True, "closed_because": None, "severity": 4, "severity_vendor": 4, "vendor_verdict": 0, "title": "XSS",
        "fields": {}, "created_at": DAY, "created_operation": 1,
    }  # fmt: skip
    return SimpleNamespace(**{**known, **facts})


def test_every_kind_of_change_is_a_sentence():
    journal = [
        line("changed", {"severity_vendor": 3, "severity": 3, "fields": {"description": "old"}}, 2),
        line("closed", {"open": True}, 3),
        line("reopened", {"open": False, "closed_because": "gone", "closed_operation": 3}, 4),
        line("decided", {"vendor_verdict": 1, "title": "X"}, None, "alice"),
        line("closed", {"open": True}, 5),
    ]

    told = [event.what for event in story(finding(open=False, closed_because="fixed"), journal)]

    assert told == [
        "Found by Sync 1.",
        "Changed by Sync 2: severity of the tool «Medium» → «High», severity «Medium» → «High», new description.",
        "Closed by Sync 3: it is no longer reported.",
        "Open again by Sync 4: it is reported once more.",
        "Decided by alice: the tool says «false positive» → «nothing», title «X» → «XSS».",
        "Closed by Sync 5: the tool says it is fixed.",
    ]


def test_every_reason_to_close_has_its_words():
    """data-model.md: what may stand in closed_because."""
    assert CLOSED_BECAUSE.keys() == {"gone", "fixed", "threshold", "person", "merged", "undone"}
