"""The words of Dependency-Track for what an analyst found, each read as open, fixed or a verdict; all are listed."""

from collections.abc import Mapping
from dataclasses import replace

from tidegate_sdk import Row, State, VendorChanged, state_of
from tidegate_sdk.fields import shown
from tidegate_sdk.state import ACCEPTED, FALSE_POSITIVE, FIXED, OPEN

ANALYSIS: Mapping[str, State] = {
    "not_set": OPEN,
    "in_triage": OPEN,
    "exploitable": OPEN,
    "false_positive": FALSE_POSITIVE,
    "not_affected": FALSE_POSITIVE,
    "resolved": FIXED,
}
"""`analysis.state`. A component that is not affected is no finding of its project, as in every VEX document."""
UNSAID = "NOT_SET"
"""What the screens show where no analysis was begun; the API leaves the state out then."""


def of_finding(row: Row) -> State:
    """By the analysis' state. Suppressed without one that says more, a finding is accepted: nobody is to act on it."""
    told, suppressed = row.get("analysis.state"), row.get("analysis.isSuppressed")
    how = state_of("analysis.state", UNSAID if told is None else told, ANALYSIS)
    if suppressed is None or suppressed is False:
        return how
    if suppressed is not True:
        raise VendorChanged(f"Whether it is suppressed is {shown(suppressed)}.")
    open_still = how.verdict is None and not how.fixed and not how.unknown
    return replace(how, word=f"{how.word}, suppressed", verdict=ACCEPTED.verdict if open_still else how.verdict)
