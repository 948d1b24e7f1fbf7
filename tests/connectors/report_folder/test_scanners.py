"""What bandit and ruff write today: read whole, and each finding itself after lines moved above it."""

import shutil
import subprocess
import sys
from pathlib import Path

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
