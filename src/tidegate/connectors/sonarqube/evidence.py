"""How the data flows from where it comes in to where it does harm: the locations of a finding, one a line, bounded."""

from tidegate_sdk import Row
from tidegate_sdk.fields import objects, text

LOCATIONS = 60
LONGEST = 4_000


def flow(row: Row, project: str) -> str:
    """`src/a.py:12 message` for each step of each flow; "" where the finding is a single place."""
    lines: list[str] = []
    for number, each in enumerate(objects(row.get("flows")), 1):
        steps = [_step(Row(step), project) for step in objects(each.get("locations"))]
        lines += [f"Flow {number}", *steps] if len(steps) > 1 or lines else steps
        if len(lines) > LOCATIONS:
            lines[LOCATIONS:] = ["[further locations left out]"]
            break
    told = "\n".join(lines)
    return told if len(told) <= LONGEST else f"{told[:LONGEST]}\n[{len(told) - LONGEST} more characters]"


def _step(step: Row, project: str) -> str:
    path = text(step.get("component")).removeprefix(f"{project}:")
    line = step.get("textRange.startLine")
    where = f"{path}:{line}" if isinstance(line, int) else path
    return f"{where} {text(step.get('msg'))}".strip()
