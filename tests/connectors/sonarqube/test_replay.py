"""Published payloads through SonarQube's reading functions, as `./dev replay` shows them (tests/replay.py)."""

import json
from pathlib import Path

import pytest

from tests import replay
from tidegate.connectors.sonarqube.fixtures.world import SERVER


def test_a_folder_of_the_tools_name_is_read_by_the_tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "sonarqube"
    folder.mkdir()
    answers = {each["path"]: each["json"] for each in json.loads(SERVER.read_text())["exchanges"]}
    (folder / "issues.json").write_text(json.dumps(answers["/sonar/api/issues/search"]))
    (folder / "hotspots.json").write_text(json.dumps(answers["/sonar/api/hotspots/search"]["hotspots"]))
    (folder / "risks.json").write_text(json.dumps(answers["/sonar/api/v2/sca/issues-releases"]["issuesReleases"][:2]))
    (folder / "project.json").write_text(json.dumps(answers["/sonar/api/components/search"]["components"][0]))
    (folder / "rule.json").write_text(json.dumps(answers["/sonar/api/rules/search"]["rules"][0]))
    (folder / "nothing.json").write_text("[]")
    (folder / "odd.json").write_text('[{"rule": "java:S1", "type": "VULNERABILITY"}, 7]')

    assert replay.main([str(tmp_path), "--each"]) == 0

    told = {line.split()[0].rpartition("/")[2]: line for line in reversed(capsys.readouterr().out.splitlines())}
    assert "vulnerabilities: 3 findings" in told["issues.json"]
    assert "1 skipped (Only issues of type vulnerability are read.)" in told["issues.json"]
    assert "hotspots: 4 findings" in told["hotspots.json"]
    assert "dependency risks: 2 findings" in told["risks.json"]
    assert "projects: 1 read" in told["project.json"]
    assert "rules: 1 read" in told["rule.json"]
    assert "hotspots: 0 findings" in told["nothing.json"]
    assert "1 odd (The answer has no 'key'.), 1 odd (TypeError" in told["odd.json"]
