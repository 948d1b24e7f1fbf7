"""Published payloads through Dependency-Track's reading functions, as `./dev replay` shows them (tests/replay.py)."""

import json
from pathlib import Path

import pytest

from tests import replay
from tidegate.connectors.dependency_track.fixtures.world import FOUR


def test_a_folder_of_the_tools_name_is_read_by_the_tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "dependency_track"
    folder.mkdir()
    answers = {each["path"].split("/")[3]: each["json"] for each in json.loads(FOUR.read_text())["exchanges"][2:]}
    (folder / "export.json").write_text(json.dumps({"version": "1.3", "findings": answers["finding"]}))
    (folder / "answer.json").write_text(json.dumps(answers["finding"][:2]))
    (folder / "projects.json").write_text(json.dumps(answers["project"]))
    (folder / "nothing.json").write_text('{"findings": null}')
    (folder / "odd.json").write_text('[{"matrix": "a:b:c", "vulnerability": {}}, 7]')

    assert replay.main([str(tmp_path)]) == 0

    told = {line.split()[0].rpartition("/")[2]: line for line in capsys.readouterr().out.splitlines()}
    assert "3 findings" in told["export.json"]
    assert "1 skipped (An analyzer found the same once more.)" in told["export.json"]
    assert "2 findings" in told["answer.json"]
    assert "projects: 1 skipped (Inactive project versions are not read.)" in told["projects.json"]
    assert "vulnerabilities: 0 findings" in told["nothing.json"]
    assert "1 odd (The answer has no 'vulnerability.vulnId'.), 1 odd" in told["odd.json"]
