"""What promises.md says of any change: nothing unexplained, nothing of others touched, nothing written without need."""

from __future__ import annotations

from typing import Any

from tests.property.stored import Stored


def check_state(law: dict[str, dict[Any, Any]], stored: dict[str, dict[Any, Any]]) -> None:
    """Everything that is stored is what the law says, and nothing else is stored."""
    for what, wanted in law.items():
        found = stored[what]
        wrong = {
            name: (wanted.get(name, "not there"), found.get(name, "not there"))
            for name in wanted.keys() | found.keys()
            if wanted.get(name) != found.get(name)
        }
        assert not wrong, f"{what}, by name: what the law says, what is stored: {wrong}"


def check_history(before: Stored, after: Stored) -> None:
    """promises.md 8: what a Record is now is what it was, and the lines of history since."""
    rows = {record["id"]: dict(record["row"]) for record in before.records.values()}
    for line in after.history:
        assert line["actor"], line
        if line["record_id"] in rows:
            was = rows[line["record_id"]]
            assert {name: was[name] for name in line["before"]} == line["before"], line
            was |= line["after"]
    for record in after.records.values():
        assert rows.get(record["id"], record["row"]) == record["row"], "a Record changed without history"


def check_journal(before: Stored, after: Stored) -> None:
    """promises.md 8: every finding that changed has a line of journal that says who and what it was."""
    journalled = {line["finding_id"] for line in after.journal if line["actor"]}
    for id, finding in after.findings.items():
        was = before.findings.get(id)
        if was is not None and was["row"] != finding["row"]:
            assert id in journalled, f"{finding['place']} changed without a line of journal"


def check_others(before: Stored, after: Stored) -> None:
    """promises.md 4: findings in other Engagements are never changed, and go only with their Product."""
    for id, finding in before.findings.items():
        if not finding["ours"] and finding["place"][1] in after.products:
            assert after.findings.get(id, {}).get("xmin") == finding["xmin"], f"{finding['place']} is not ours"


def check_nothing_else_written(before: Stored, after: Stored) -> None:
    """promises.md 2: an Operation writes no Record and no finding that it did not change. (What an undo put back, the
    next Sync brings anew.)"""
    for id, finding in after.findings.items():
        was = before.findings.get(id)
        if was is not None and was["row"] == finding["row"] and not was["blank"]:
            assert was["xmin"] == finding["xmin"], f"{finding['place']} was written and is the same"
    for key, record in after.records.items():
        was = before.records.get(key)
        if was is not None and was["row"] == record["row"]:
            assert was["xmin"] == record["xmin"], f"the Record {key} was written and is the same"


def without_waiting(finding: dict[str, Any]) -> dict[str, Any]:
    """A finding without what is kept beside it in the held list."""
    beside = ("waiting", "waits_for", "would_be", "undone")
    return {name: value for name, value in finding.items() if name not in beside}
