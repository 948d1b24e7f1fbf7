"""What our reading functions make of published files: `./dev replay DIR` prints one line a list of rows.

A file in a folder that is called like a Tool (`…/sonarqube/issues.json`) is read by that Tool's functions, as its
`fixtures/replay.py` says; any other by the report folder: file → producer → number of findings, or the sentence that
says what is wrong with the file. With `--each` a line for every finding below it. Exits 1 if one crashes.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

from tidegate.catalog import BUILT_IN
from tidegate.connectors.report_folder import connector, report
from tidegate_sdk import ConnectorError, Finding, Row, Skip, VendorChanged

_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def main(arguments: list[str]) -> int:
    """Prints the table; returns the exit code."""
    parser = argparse.ArgumentParser(description="What the report folder makes of the files in a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", action="store_true", help="print every finding too")
    given = parser.parse_args(arguments)
    crashed = 0
    for path in sorted(path for path in given.folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(given.folder))
        try:
            for line in replay(path, name, each=given.each):
                print(f"{name:60} {line}")
        except Exception:  # noqa: BLE001 - a crash of any kind is what this looks for
            crashed += 1
            print(f"{name:60} CRASHED\n{traceback.format_exc()}")
    return 1 if crashed else 0


def replay(path: Path, name: str, *, each: bool = False) -> Iterator[str]:
    """One line for each list in the file, or the sentence about it."""
    tool = path.absolute().parent.name
    if tool in BUILT_IN and find_spec(f"tidegate.connectors.{tool}.fixtures.replay"):
        yield from _lists(path, tool, each)
        return
    with path.open("rb") as file:
        (head,) = report.look(file, name)
        if head["problem"]:
            yield f"{name} {head['problem']}"
        for state in head["states"]:
            yield from _state(file, name, head["format"], state, each)


def _lists(path: Path, tool: str, each: bool) -> Iterator[str]:
    """A vendor's answer, by the functions of its Tool."""
    for what, rows, read in import_module(f"tidegate.connectors.{tool}.fixtures.replay").lists(
        json.loads(path.read_bytes())
    ):
        told, lines = _told(rows, _sparing(read), repeats=True)
        yield f"{tool} {what}: {told}"
        yield from lines if each else ()


def _sparing(read: Callable[[Row], Any]) -> Callable[[Row], Any]:
    """As the Session has it: whatever a row raises sets it aside and spares the others."""

    def reading(row: Row) -> Any:
        try:
            return read(row)
        except ConnectorError:
            raise
        except Exception as error:
            raise VendorChanged(f"{type(error).__name__}: {error}") from error

    return reading


def _state(file: BinaryIO, name: str, form: str, state: dict[str, Any], each: bool) -> list[str]:
    rows = connector.rows(file, connector.State(state["family"], name, form, _SOME_TIME))
    told, lines = _told(rows, connector.READERS[form])
    return [f"{state['family']} [{state['ends'] or 'no time'}]: {told}", *(lines if each else ())]


def _told(rows: Iterable[Any], read: Callable[[Row], Any], *, repeats: bool = False) -> tuple[str, list[str]]:
    """What became of each row, counted, and a line for each finding. A vendor may repeat a key; a report, whose keys
    we make, must not."""
    counts: Counter[str] = Counter()
    keys: set[str] = set()
    lines: list[str] = []
    end = ""
    try:
        for row in rows:
            try:
                value = read(Row(row) if isinstance(row, dict) else row)
            except ConnectorError as error:
                counts[f"odd ({error.what})"] += 1
                continue
            if isinstance(value, Skip):
                counts[f"skipped ({value.because})"] += 1
            elif isinstance(value, Finding):
                assert repeats or value.key not in keys, f"twice: {value.key}"
                counts["repeated"] += value.key in keys
                keys.add(value.key)
                lines.append(_line(value))
                _count(counts, value)
            else:
                counts["read"] += 1
    except ConnectorError as error:
        end = f" INCOMPLETE: {error}"
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "0 findings"
    return f"{told}{end}", lines


def _count(counts: Counter[str], finding: Finding) -> None:
    counts["findings"] += 1
    counts[f"{finding.severity}"] += 1
    counts["fixed"] += finding.fixed
    counts[f"{finding.verdict}"] += finding.verdict is not None
    for word in finding.unknown_words:
        counts[f"unknown {word}"] += 1


def _line(finding: Finding) -> str:
    """A finding as a person would look it over: what, where, known by what."""
    where = f"{finding.path}:{finding.line}" if finding.line else finding.path or finding.endpoint
    weaknesses = " ".join(f"CWE-{number}" for number in finding.cwe)
    said = (finding.severity, finding.title, where, f"{finding.component} {finding.version}", finding.rule, weaknesses)
    return "  " + " | ".join(str(part).strip() for part in (*said, finding.key[:12]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
