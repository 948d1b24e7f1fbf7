"""A finding tells its story: what came after each change is read back from the present."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from tidegate.reads.story import CLOSED_BECAUSE, Around, Event, present, told

DAY = datetime(2026, 5, 3, tzinfo=UTC)


def line(kind: str, before: dict[str, Any], operation: int | None = None, actor: str = "tidegate") -> Any:
    return SimpleNamespace(at=DAY, kind=kind, before=before, operation=operation, actor=actor)


def finding(**facts: Any) -> Any:
    known = {
        "open": True, "active": True, "closed_because": None, "severity": 4, "severity_vendor": 4, "vendor_verdict": 0,
        "title": "XSS", "fields": {}, "created_at": DAY, "created_operation": 1, "feed_id": 4,
    }  # fmt: skip
    return SimpleNamespace(**{**known, **facts})


def story(found: Any, journal: list[Any], decisions: Any = ()) -> list[Event]:
    return told(found, journal, present(found, decisions))


def test_every_kind_of_change_is_a_sentence():
    journal = [
        line("changed", {"severity_vendor": 3, "severity": 3, "fields": {"description": "old", "line": 10}}, 2),
        line("changed", {"fields": {"path": "a.py", "fixed_version": None}}, 2),
        line("closed", {"open": True}, 3),
        line("reopened", {"open": False, "closed_because": "gone", "closed_operation": 3}, 4),
        line("decided", {"vendor_verdict": 1, "title": "X"}, None, "alice"),
        line("closed", {"open": True}, 5),
    ]
    fields = {"description": "x", "line": 12, "path": "b.py", "fixed_version": "2.1"}
    found = finding(open=False, active=False, closed_because="fixed", fields=fields)

    sentences = [event.what for event in story(found, journal)]

    assert sentences == [
        "Found by Sync 1.",
        (
            "Changed by Sync 2: severity of the tool «Medium» → «High», severity «Medium» → «High», "
            "new description, line «10» → «12»."
        ),
        "Changed by Sync 2: path «a.py» → «b.py», fixed version «nothing» → «2.1».",
        "Closed by Sync 3: it is no longer reported.",
        "Open again by Sync 4: it is reported once more.",
        "Decided by alice: the tool says «false positive» → «nothing», title «X» → «XSS».",
        "Closed by Sync 5: the tool says it is fixed.",
    ]


def said(value: str, until: str | None = None) -> dict[str, Any]:
    return {"value": value, "until": until, "by": "alice", "at": str(DAY)}


def test_decisions_are_told_as_what_was_said_before_and_after_and_what_came_of_it():
    journal = [
        line("decided", {"active": True, "decision": {"verdict": None}}, actor="alice"),
        line("decided", {"decision": {"tags": None, "note": None}}, actor="bob"),
        line("decided", {"decision": {"severity": None, "verified": None}, "severity": 4, "open": True}, actor="bob"),
        line("reopened", {"open": False, "closed_because": "threshold"}, 7),
        line(
            "decided",
            {
                "active": False,
                "decision": {"verdict": said("accepted", "2026-12-31 23:59:59+00:00"), "note": said("a")},
            },
            actor="alice",
        ),
    ]
    decisions = [
        SimpleNamespace(field="tags", value='["web", "api"]', until=None),
        SimpleNamespace(field="note", value="b" * 100, until=None),
        SimpleNamespace(field="severity", value="0", until=None),
        SimpleNamespace(field="verified", value="false", until=None),
    ]

    events = story(finding(severity=0), journal, decisions)

    assert [event.what for event in events[1:]] == [
        "Decided by alice: verdict «nothing» → «accepted until 2026-12-31». It is inactive now.",
        "Decided by bob: tags «nothing» → «web, api», note «nothing» → «a».",
        (
            "Decided by bob: severity «nothing» → «Info», verified «nothing» → «no». "
            "It is closed: it is below the minimum severity of its Connection."
        ),
        "Open again by Sync 7: it is reported once more.",
        (
            f"Decided by alice: verdict «accepted until 2026-12-31» → «nothing», note «a» → «{'b' * 59}…». "
            "It is active again."
        ),
    ]
    assert (events[1].before, events[1].after) == (
        {"active": True, "decision": {"verdict": None}},
        {"active": False, "decision": {"verdict": "accepted until 2026-12-31"}},
    )
    assert (events[3].before["severity"], events[3].after["severity"]) == ("High", "Info")


def test_what_is_internal_to_an_undo_is_not_shown():
    step = "00000000-0000-0000-0000-000000000001"
    journal = [
        line("moved", {"feed": 3, "decisions": [{"feed_id": 4}], "step": step}, actor="alice"),
        line("merged", {"open": True, "active": True, "severity": 4, "decisions": [], "step": step}, actor="alice"),
        line("undone", {"feed": 4}, actor="alice"),
        line("expired", {"active": False, "verdict": "accepted", "until": "2026-05-01"}),
        line("closed", {"open": True}, 9, actor="alice"),
    ]

    found = finding(open=False, active=False, closed_because="gone", feed_id=3)
    events = told(found, journal, present(found, ()), Around(products={3: "Shop", 4: "Web"}))

    assert [event.what for event in events[1:]] == [
        "Moved by alice from «Shop» to «Web», with its history and decisions.",
        "Merged by alice with the same finding that was moved here: it took over its decisions and its opening.",
        "Moved back by alice from «Web» to «Shop», with its history and decisions: that was undone.",
        "Active again: the date until which it was accepted has come.",
        "Closed by Sync 9: it is no longer reported; alice approved.",
    ]
    assert [event.before for event in events] == [
        {}, {}, {"open": True, "active": True, "severity": "High"}, {}, {"active": False}, {"open": True},
    ]  # fmt: skip


def test_every_reason_to_close_has_its_words():
    """data-model.md: what may stand in closed_because."""
    assert CLOSED_BECAUSE.keys() == {"gone", "branch", "fixed", "threshold", "person", "merged", "undone"}
