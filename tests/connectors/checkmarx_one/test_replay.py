"""Published payloads through Checkmarx One's reading functions, as `./dev replay` shows them (tests/replay.py)."""

import json
from pathlib import Path

import pytest

from tests import replay
from tidegate.connectors.checkmarx_one.fixtures.world import FILE


def test_a_folder_of_the_tools_name_is_read_by_the_tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "checkmarx_one"
    folder.mkdir()
    told = [each["json"] for each in json.loads(FILE.read_text())["exchanges"]]
    (folder / "projects.json").write_text(json.dumps(next(each for each in told if "projects" in each)))
    everything = [row for each in told if "results" in each for row in each["results"]]
    (folder / "results.json").write_text(json.dumps({"results": everything, "totalCount": len(everything)}))
    (folder / "gitlab.json").write_text('{"version": "15.0.0", "vulnerabilities": [{"id": "x"}]}')
    (folder / "report.json").write_text('{"scanResults": {"totalResults": 1, "resultsList": [{"queryName": "x"}]}}')
    (folder / "odd.json").write_text('{"results": [{"type": "quantum"}, {"type": "sast", "data": {}}, 7]}')

    assert replay.main([str(tmp_path), "--each"]) == 0

    lines = {line.split()[0].rpartition("/")[2]: line for line in reversed(capsys.readouterr().out.splitlines())}
    assert "projects: 1 read" in lines["projects.json"]
    assert "results: 3 repeated, 13 findings" in lines["results.json"]
    assert "vulnerabilities: 1 skipped (A report" in lines["gitlab.json"]
    assert "scanResults: 1 skipped (A report" in lines["report.json"]
    assert "1 odd (It is of the engine 'quantum', which is none that is known.), 1 odd (" in lines["odd.json"]
