"""How far a finding is, by the three words that Security Hub has for it: record state, workflow and compliance."""

from tidegate_sdk import Row
from tidegate_sdk.state import ACCEPTED, FIXED, OPEN, State, state_of

RECORD = {"active": OPEN, "archived": FIXED}
"""Archived by who provides it: what it was found in is gone, or it was found no more."""
WORKFLOW = {"new": OPEN, "notified": OPEN, "suppressed": ACCEPTED, "resolved": FIXED}
"""What people say. Suppressed: "you reviewed the finding and don't believe that any action is needed"."""
COMPLIANCE = {"failed": OPEN, "warning": OPEN, "not_available": OPEN, "passed": FIXED}
"""What the check of a control says, which people cannot change."""


def of_finding(row: Row) -> State:
    """A resolved one is open all the same while its check fails: Security Hub itself counts it as failed."""
    record = state_of("RecordState", row["RecordState"], RECORD)
    workflow = _may_be_missing("Workflow.Status", row, WORKFLOW)
    check = _may_be_missing("Compliance.Status", row, COMPLIANCE)
    resolved = workflow.fixed and not (check.word and not check.fixed)
    fixed = record.fixed or check.fixed or resolved
    word = next((state.word for state in (record, check) if state.fixed or state.unknown), workflow.word)
    return State(word, fixed, workflow.verdict, (*record.unknown, *workflow.unknown, *check.unknown))


def _may_be_missing(field: str, row: Row, table: dict[str, State]) -> State:
    told = row.get(field)
    return OPEN if told is None else state_of(field, told, table)
