"""What six scanners write today: read whole, and each finding itself after lines moved above it."""

import json
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.model import vulnerability
from cyclonedx.model.bom import Bom
from cyclonedx.output.json import JsonV1Dot6

from tests.connectors.report_folder.reading import findings, look
from tidegate_sdk import Finding, Severity

CODE = """\
import hashlib
import pickle
import subprocess


def run(command, data):
    subprocess.call(command, shell=True)
    password = "hunter2"
    pickle.loads(data)
    pickle.loads(data)
    return hashlib.md5(data), password
"""
MOVED = '"""Words on top."""\n\nimport os\n\nprint(os.name)\n' + CODE.replace(
    "    password", "    # why\n\n    password"
)


def scan(folder: Path, code: str) -> dict[str, list[Finding]]:
    """The findings of both scanners in this code."""
    folder.mkdir(exist_ok=True)
    (folder / "app.py").write_text(code)
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    assert ruff
    commands = {
        "Bandit": [sys.executable, "-m", "bandit", "-q", "-r", ".", "-f", "sarif"],
        "ruff": [ruff, "check", "--isolated", "--no-cache", "--select", "S", "--output-format", "sarif", "."],
    }
    found: dict[str, list[Finding]] = {}
    for name, command in commands.items():
        written = subprocess.run(command, cwd=folder, capture_output=True, check=False).stdout
        assert [state["family"] for state in look(written)["states"]] == [name]
        found[name] = findings(written)
    return found


def test_findings_of_bandit_and_ruff_are_themselves_after_lines_moved(tmp_path: Path):
    """records.md: the connector builds an id from what stays when lines move."""
    before, after = scan(tmp_path / "app", CODE), scan(tmp_path / "app", MOVED)

    for name in ("Bandit", "ruff"):
        assert len(before[name]) >= 5
        assert [finding.key for finding in before[name]] == [finding.key for finding in after[name]]
        assert [finding.line for finding in before[name]] != [finding.line for finding in after[name]]


def test_a_fixed_line_takes_away_its_own_finding_alone(tmp_path: Path):
    before = scan(tmp_path / "app", CODE)
    after = scan(tmp_path / "app", CODE.replace("shell=True", "shell=False").replace("subprocess.call", "print"))

    for name in ("Bandit", "ruff"):
        gone = {finding.key for finding in before[name]} - {finding.key for finding in after[name]}
        assert {finding.rule for finding in before[name] if finding.key in gone} == {
            "B602" if name == "Bandit" else "S602"
        }


def test_severities_weaknesses_and_places_are_read(tmp_path: Path):
    found = scan(tmp_path / "app", CODE)
    shell = next(finding for finding in found["Bandit"] if finding.rule == "B602")

    assert (shell.severity, shell.cwe, shell.path, shell.line) == (Severity.HIGH, (78,), "app.py", 7)
    assert "subprocess.call(command, shell=True)" in shell.evidence
    assert all(finding.path.endswith("/app/app.py") for finding in found["ruff"])
    assert all(finding.severity is not Severity.UNKNOWN for name in found for finding in found[name])


# Scanners of other things than Python


PROGRAM = """\
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
  char name[16];
  strcpy(name, argv[1]);
  return system(name);
}
"""
IMAGE = """\
FROM debian:latest
RUN sudo apt-get install curl
RUN cd /tmp && curl http://example.org | sh
"""
WORKFLOW = """\
name: ci
on: pull_request_target
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          ref: ${{ github.event.pull_request.head.sha }}
      - run: echo "${{ github.event.pull_request.title }}"
"""
SCANNERS = {
    "Flawfinder": ("name.c", PROGRAM, ["flawfinder", "--sarif", "name.c"], {"FF1001", "FF1013", "FF1044"}),
    "Hadolint": ("Dockerfile", IMAGE, ["hadolint", "-f", "sarif", "Dockerfile"],
                 {"DL3003", "DL3004", "DL3007", "DL4006"}),
    "zizmor": ("ci.yml", WORKFLOW, ["zizmor", "--offline", "--no-progress", "--format", "sarif", "ci.yml"],
               {f"zizmor/{name}" for name in ("artipacked", "dangerous-triggers", "excessive-permissions",
                                              "template-injection", "unpinned-uses")}),
}  # fmt: skip


def written_by(scanner: str, folder: Path, above: str = "") -> bytes:
    """What the scanner writes about its file, with these words above it."""
    name, content, (program, *arguments), _ = SCANNERS[scanner]
    (folder / name).write_text(above + content)
    found = shutil.which(program, path=str(Path(sys.executable).parent))
    assert found
    return subprocess.run([found, *arguments], cwd=folder, capture_output=True, check=False).stdout


@pytest.mark.parametrize("scanner", SCANNERS)
def test_every_finding_of_a_scanner_is_read_and_is_itself_after_lines_moved(scanner: str, tmp_path: Path):
    name, *_, rules = SCANNERS[scanner]
    before = written_by(scanner, tmp_path)
    after = written_by(scanner, tmp_path, "/* Words on top. */\n\n" if name.endswith(".c") else "# Words on top.\n\n")

    assert [state["family"] for state in look(before)["states"]] == [scanner]
    assert {finding.rule for finding in findings(before)} == rules
    assert {finding.key for finding in findings(before)} == {finding.key for finding in findings(after)}
    assert all(finding.path == name and finding.line for finding in findings(before))
    assert all(finding.severity is not Severity.UNKNOWN for finding in findings(before))


def listed_by_cyclonedx(folder: Path) -> bytes:
    """The bill of materials that cyclonedx-py makes of two requirements."""
    (folder / "requirements.txt").write_text("django==1.11.29\nrequests==2.19.0\n")
    program = Path(sys.executable).parent / "cyclonedx-py"
    command = [str(program), "requirements", "requirements.txt"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout


def test_a_bill_of_materials_of_cyclonedx_py_is_told_to_be_one(tmp_path: Path):
    """It found nothing because it looked for nothing, and must not close what a scanner found."""
    assert "is a bill of materials without vulnerabilities" in look(listed_by_cyclonedx(tmp_path))["problem"]


def test_vulnerabilities_in_a_bill_of_materials_of_cyclonedx_py_are_read(tmp_path: Path):
    """Written by CycloneDX's own library, as scanners that use it do."""
    bom: Any = Bom.from_json(json.loads(listed_by_cyclonedx(tmp_path)))  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]
    django = next(component for component in bom.components if component.name == "django")
    model: Any = vulnerability  # its classes are made by decorators, which no type checker sees through
    rating = model.VulnerabilityRating(score=Decimal("9.8"), severity=model.VulnerabilitySeverity.CRITICAL)
    target = model.BomTarget(ref=str(django.bom_ref.value))
    found = model.Vulnerability(id="CVE-2020-7471", ratings=[rating], cwes=[89], affects=[target])
    bom.vulnerabilities.add(found)

    (finding,) = findings(JsonV1Dot6(bom).output_as_string().encode())

    assert (finding.ids, finding.severity, finding.cwe) == (("CVE-2020-7471",), Severity.CRITICAL, (89,))
    assert (finding.component, finding.version, finding.purl) == ("django", "1.11.29", "pkg:pypi/django@1.11.29")
