"""What the report folder makes of files of any kind: `.venv/bin/python tests/replay.py DIR` prints one line a state.

file → producer → number of findings, or the sentence that says what is wrong with the file. Exits 1 if one crashes.
"""

from __future__ import annotations

import sys
import traceback
from collections import Counter
from pathlib import Path

from tidegate.connectors.report_folder import connector, report
from tidegate.connectors.report_folder.fields import moment
from tidegate_sdk import ConnectorError, Finding, Row, Skip


def main(root: Path) -> int:
    """Prints the table; returns the exit code."""
    crashed = 0
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        name = str(path.relative_to(root))
        try:
            for line in replay(path, name):
                print(f"{name:60} {line}")
        except Exception:  # noqa: BLE001 - a crash of any kind is what this looks for
            crashed += 1
            print(f"{name:60} CRASHED\n{traceback.format_exc()}")
    return 1 if crashed else 0


def replay(path: Path, name: str) -> list[str]:
    """One line for each state in the file, or the sentence about it."""
    with path.open("rb") as file:
        (head,) = report.look(file, name)
        if head["problem"]:
            return [f"{name} {head['problem']}"]
        return [_state(file, name, head["format"], state) for state in head["states"]]


def _state(file, name: str, form: str, state: dict) -> str:
    counts: Counter[str] = Counter()
    keys: set[str] = set()
    now = moment("2026-01-01")
    assert now
    end = ""
    try:
        for row in connector.rows(file, connector.State(state["family"], name, form, now)):
            try:
                read = connector.READERS[form](Row(row))
            except ConnectorError as error:
                counts[f"odd ({error.what})"] += 1
                continue
            if isinstance(read, Skip):
                counts[f"skipped ({read.because})"] += 1
                continue
            assert isinstance(read, Finding)
            assert read.key not in keys, f"twice: {read.key}"
            keys.add(read.key)
            counts["findings"] += 1
            counts[f"{read.severity}"] += 1
            counts["fixed"] += read.fixed
            counts[f"{read.verdict}"] += read.verdict is not None
            for word in read.unknown_words:
                counts[f"unknown {word}"] += 1
    except ConnectorError as error:
        end = f" INCOMPLETE: {error}"
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "0 findings"
    return f"{state['family']} [{state['ends'] or 'no time'}]: {told}{end}"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
