"""Published payloads through Semgrep's reading functions, as `./dev replay` shows them (tests/replay.py)."""

import json
from pathlib import Path

import pytest

from tests import replay
from tidegate.connectors.semgrep.fixtures.world import FILE


def test_a_folder_of_the_tools_name_is_read_by_the_tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "semgrep"
    folder.mkdir()
    told = {
        each["path"].rpartition("/")[2]: each["json"] for each in reversed(json.loads(FILE.read_text())["exchanges"])
    }
    everything = [each["json"].get("findings", []) for each in json.loads(FILE.read_text())["exchanges"][4:]]
    (folder / "projects.json").write_text(json.dumps(told["projects"]))
    (folder / "findings.json").write_text(json.dumps([row for rows in everything for row in rows]))
    (folder / "cli.json").write_text('{"results": [{"check_id": "x"}], "errors": []}')
    (folder / "odd.json").write_text('{"findings": [{"id": 7}, 7]}')

    assert replay.main([str(tmp_path), "--each"]) == 0

    lines = {line.split()[0].rpartition("/")[2]: line for line in reversed(capsys.readouterr().out.splitlines())}
    assert "projects: 1 read" in lines["projects.json"]
    assert "findings: 3 repeated, 12 findings" in lines["findings.json"]
    assert "results: 1 skipped (An answer of the command line" in lines["cli.json"]
    assert "1 odd (The answer has no 'status'.), 1 odd (" in lines["odd.json"]
