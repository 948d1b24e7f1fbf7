"""What Burp's users decided about an issue, and what they noted."""

from collections.abc import Mapping
from typing import Any

from tidegate_sdk import Row, Verdict

STATUS = {None: "", Verdict.FALSE_POSITIVE: "false positive", Verdict.ACCEPTED: "accepted risk"}
_CHANGE = {Verdict.FALSE_POSITIVE: "false_positive", Verdict.ACCEPTED: "accepted_risk"}


def verdict_of(row: Row) -> Verdict | None:
    """A false positive is a confidence of its own in Burp, and beats an accepted risk."""
    if row.get("confidence") == "false_positive":
        return Verdict.FALSE_POSITIVE
    return Verdict.ACCEPTED if row.get("accepted_risk") is True else None


def reason_of(row: Row, verdict: Verdict | None) -> str:
    """What was noted when the issue was last marked so, and by whom."""
    marked = [change for change in row["change_history"] or () if _says(change, verdict)]
    last = max(marked, key=lambda change: str(change["timestamp"]), default=None)
    return " · ".join(filter(None, (last["note"], last["username"]))) if last else ""


def _says(change: Mapping[str, Any], verdict: Verdict | None) -> bool:
    return verdict is not None and (change["issue_change"] or {}).get(_CHANGE[verdict]) is True
