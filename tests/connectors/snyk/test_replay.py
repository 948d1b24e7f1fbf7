"""Published payloads through Snyk's reading functions, as `./dev replay` shows them (tests/replay.py)."""

import json
from pathlib import Path

import pytest

from tests import replay
from tidegate.connectors.snyk.fixtures.world import FILE


def test_a_folder_of_the_tools_name_is_read_by_the_tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "snyk"
    folder.mkdir()
    answers = [each["json"] for each in json.loads(FILE.read_text())["exchanges"]]
    issues = next(each for each in answers if each["data"] and "issues" in each["links"]["self"])
    projects = next(each for each in answers if "/projects" in each["links"]["self"])
    (folder / "issues.json").write_text(json.dumps(issues))
    (folder / "rows.json").write_text(json.dumps(issues["data"]))
    (folder / "projects.json").write_text(json.dumps(projects))
    (folder / "nothing.json").write_text('{"jsonapi": {"version": "1.0"}, "data": []}')
    (folder / "odd.json").write_text('[{"attributes": {"type": "code"}}, 7]')

    assert replay.main([str(tmp_path), "--each"]) == 0

    told = {line.split()[0].rpartition("/")[2]: line for line in reversed(capsys.readouterr().out.splitlines())}
    assert "issues: 2 findings" in told["issues.json"]
    assert "1 skipped (A licence is no weakness.)" in told["issues.json"]
    assert "issues: 2 findings" in told["rows.json"]
    assert "projects: 2 read" in told["projects.json"]
    assert "issues: 0 findings" in told["nothing.json"]
    assert "1 odd (The answer has no 'attributes.effective_severity_level'.), 1 odd (TypeError" in told["odd.json"]
