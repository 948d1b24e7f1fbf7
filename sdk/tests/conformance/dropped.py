"""A Tool that reads a folder of reports, one folder a Record, and its World."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import Field

from tidegate_sdk import (
    Account,
    Ask,
    Families,
    Family,
    Finding,
    Folder,
    List,
    Row,
    Settings,
    Skip,
    Talk,
    Tool,
    VendorChanged,
    Vep,
    Whole,
)
from tidegate_sdk.conformance import World

from . import numbered


class DroppedSettings(Settings):
    path: str = Field(title="Folder", description="The folder that your scanners write to.")


def results(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """The rows of a report."""
    try:
        # not json.load(file): it lets lone surrogates pass
        report = json.loads(file.read().decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise VendorChanged("The report is no JSON.") from None
    if not isinstance(report, dict) or report.get("format") != 1 or not isinstance(report.get("results"), list):
        raise VendorChanged("The report is not of format 1.")
    yield from report["results"]


def text(value: Any) -> str:
    """A text without what no database takes."""
    return re.sub("[\0\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", numbered.text(value))


class Dropped(Tool[DroppedSettings]):
    slug, name, a_record_is = "dropped", "Dropped", "a folder"

    def door(self) -> Folder:
        return Folder(Path(self.settings.path))

    def account(self) -> Talk[Account]:
        yield Ask("")
        return Account(id=self.settings.path)

    def veps(self) -> List[Vep]:
        return List(Ask(""), "", Whole(), self.folder, id="name")

    def families(self, vep: Vep) -> Families:
        ask = Ask(f"{vep.id}/report.json", reader=results)
        yield Family("report", List(ask, "", Whole(), self.result, id=self.key))

    def folder(self, row: Row) -> Vep | Skip:
        return Vep(id=row["name"], name=row["name"]) if row["folder"] else Skip("A file beside the folders.")

    def key(self, row: Row) -> str:
        return f"{text(row['rule'])}:{text(row['path'])}"

    def result(self, row: Row) -> Finding | Skip:
        if row.get("suppressed") is True:
            return Skip("Suppressed in the code.")
        return Finding(
            key=self.key(row),
            title=text(row["message"]),
            severity=self.severity(row["level"]),
            vendor_severity=text(row["level"]),
            rule=text(row["rule"]),
            path=text(row["path"]),
            line=row.get("line") if type(row.get("line")) is int else None,
        )


def result(rule: str, path: str, line: int, level: str = "high", **more: Any) -> dict[str, Any]:
    return {"rule": rule, "path": path, "line": line, "level": level, "message": f"Do not use {rule} here", **more}


def write_reports(root: Path, shift: int = 0, note: str = "") -> None:
    rows = [
        result("B101", "a.py", 3 + shift),
        result("B102", "a.py", 9 + shift, "grim"),
        result("B103", "b.py", 1 + shift, suppressed=True),
    ]
    for name, found in {"web": rows, "api": [result("B105", "c.py", 2 + shift, "low")], "empty": []}.items():
        (root / name).mkdir()
        changed = [{**row, "message": row["message"] + note} for row in found]
        (root / name / "report.json").write_text(json.dumps({"format": 1, "results": changed}))
        os.utime(root / name / "report.json", (1_700_000_000, 1_700_000_000))
    (root / "README.txt").write_text("Reports of our scanners.")


COUNTS = {"VEPs": 3, "report": 3}


def world(tool: type[Tool[Any]] = Dropped) -> World:
    source = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html, much simplified"
    drifted = World(tool, {"path": "{root}"}, tree=lambda root: write_reports(root, 4, " any more"), source=source)
    return World(tool, {"path": "{root}"}, tree=write_reports, source=source, expects=COUNTS, drifted=drifted)


WORLD = world()
