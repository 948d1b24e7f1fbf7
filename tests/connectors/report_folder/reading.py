"""Reports as the connector reads them: from bytes for the formats, from a folder through the real Session."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tidegate.connectors import report_folder
from tidegate.connectors.report_folder import ReportFolder, ReportFolderSettings, connector, report
from tidegate_sdk import ConnectorError, Family, Finding, Odd, Outcome, Row, Skip, Skipped, Vep

FIXTURES = Path(report_folder.__file__).parent / "fixtures"
SOME_TIME = datetime(2026, 5, 2, tzinfo=UTC)


def fixture(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def look(data: bytes, name: str = "report.json") -> dict[str, Any]:
    """What the file is."""
    (row,) = report.look(io.BytesIO(data), name)
    return row


def rows(data: bytes, family: str = "", name: str = "report.json") -> list[dict[str, Any]]:
    """The rows of one family, the only one by default; raises what its reader raises."""
    head = look(data, name)
    assert not head["problem"], head["problem"]
    chosen = family or head["states"][0]["family"]
    return list(connector.rows(io.BytesIO(data), connector.State(chosen, name, head["format"], SOME_TIME)))


def values(data: bytes, family: str = "", name: str = "report.json") -> list[Finding | Skip | ConnectorError]:
    """Each row as the connector reads it; a row that it cannot read as its error."""
    found: list[Finding | Skip | ConnectorError] = []
    for row in rows(data, family, name):
        try:
            found.append(connector.READERS[row["format"]](Row(row)))
        except ConnectorError as error:
            found.append(error)
    return found


def findings(data: bytes, family: str = "", name: str = "report.json") -> list[Finding]:
    return [value for value in values(data, family, name) if isinstance(value, Finding)]


def keys(data: bytes) -> list[str]:
    return [finding.key for finding in findings(data)]


def sarif(*results: Any, tool: str = "Tool", driver: dict[str, Any] | None = None, **run: Any) -> bytes:
    """A report of one run."""
    head = {"tool": {"driver": driver or {"name": tool}}, "results": list(results)}
    whole = {"version": "2.1.0", "runs": [head | run]}
    return json.dumps(whole).encode()


def result(
    rule: str = "R1", uri: str = "a.py", line: int = 1, code: str = "", text: str = "Bad", **more: Any
) -> dict[str, Any]:
    """A result at one place."""
    region: dict[str, Any] = {"startLine": line} | ({"snippet": {"text": code}} if code else {})
    place = {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}
    return {"ruleId": rule, "message": {"text": text}, "locations": [place]} | more


def bom(*vulnerabilities: dict[str, Any], **more: Any) -> bytes:
    """A CycloneDX document."""
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"tools": [{"name": "scan"}]}}
    return json.dumps(head | more | {"vulnerabilities": list(vulnerabilities)}).encode()


def generic(*items: Any, **more: Any) -> bytes:
    return json.dumps({"type": "Tool", "findings": list(items)} | more).encode()


def tool(root: Path) -> ReportFolder:
    return ReportFolder(ReportFolderSettings(path=str(root)))


async def veps(root: Path) -> tuple[list[Vep], Outcome]:
    async with tool(root).open() as session:
        reading = session.read(session.tool.veps())
        found = [each async for batch in reading for each in batch if isinstance(each, Vep)]
        return found, reading.outcome


async def families(root: Path, vep: str) -> list[Family | Skipped]:
    async with tool(root).open() as session:
        return [each async for each in session.families(Vep(id=vep, name=vep))]


async def read(root: Path, vep: str) -> dict[str, tuple[list[Finding | Odd], Outcome]]:
    """Every Family of a folder with what it holds; a skipped one is left out."""
    found: dict[str, tuple[list[Finding | Odd], Outcome]] = {}
    async with tool(root).open() as session:
        for family in [each async for each in session.families(Vep(id=vep, name=vep)) if isinstance(each, Family)]:
            reading = session.read(family.list)
            found[family.name] = [each async for batch in reading for each in batch], reading.outcome
    return found
