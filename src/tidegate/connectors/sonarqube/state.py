"""The words of SonarQube for how far a finding is, each read as open, fixed, or a person's verdict; all are listed."""

from collections.abc import Mapping

from tidegate_sdk import Row, State, state_of
from tidegate_sdk.state import ACCEPTED, FALSE_POSITIVE, FIXED, OPEN

ISSUE: Mapping[str, State] = {
    "open": OPEN,
    "confirmed": OPEN,
    "in_sandbox": OPEN,
    "false_positive": FALSE_POSITIVE,
    "accepted": ACCEPTED,
    "fixed": FIXED,
}
"""`issueStatus`, since 10.4."""
OLD_STATUS: Mapping[str, State] = {
    "open": OPEN,
    "confirmed": OPEN,
    "reopened": OPEN,
    "in_sandbox": OPEN,
    "closed": FIXED,
}
"""`status`, where there is no resolution."""
OLD_RESOLUTION: Mapping[str, State] = {
    "false-positive": FALSE_POSITIVE,
    "wontfix": ACCEPTED,
    "fixed": FIXED,
    "removed": FIXED,
}
"""`resolution`, of issues that are RESOLVED or CLOSED."""
HOTSPOT: Mapping[str, State] = {
    "safe": FALSE_POSITIVE,
    "acknowledged": ACCEPTED,
    "fixed": FIXED,
}
"""`resolution`, of hotspots that are REVIEWED; the others are TO_REVIEW."""
RISK: Mapping[str, State] = {
    "open": OPEN,
    "confirm": OPEN,
    "confirmed": OPEN,
    "accept": ACCEPTED,
    "accepted": ACCEPTED,
    "safe": FALSE_POSITIVE,
    "fixed": FIXED,
}
"""Both spellings: the screens say CONFIRM and ACCEPT, the documentation Confirmed and Accepted."""


def of_issue(row: Row) -> State:
    """By `issueStatus`; on servers before 10.4, which have none, by `resolution` and `status`."""
    if (status := row.get("issueStatus")) is not None:
        return state_of("issueStatus", status, ISSUE)
    if (resolution := row.get("resolution")) is not None:
        return state_of("resolution", resolution, OLD_RESOLUTION)
    return state_of("status", row["status"], OLD_STATUS)


def of_hotspot(row: Row) -> State:
    """By `status`, and by `resolution` once it is reviewed."""
    if row["status"] == "REVIEWED":
        return state_of("resolution", row["resolution"], HOTSPOT)
    return state_of("status", row["status"], {"to_review": OPEN})


def of_risk(row: Row) -> State:
    return state_of("status", row["status"], RISK)
