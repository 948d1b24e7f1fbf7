"""Published payloads through Tenable's reading functions, as `./dev replay` shows them (tests/replay.py)."""

import json
from pathlib import Path

import pytest

from tests import replay
from tidegate.connectors.tenable.fixtures.world import NETWORK, SCAN


def test_a_folder_of_the_tools_name_is_read_by_the_tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "tenable"
    folder.mkdir()
    answers = [each.get("json") for file in (NETWORK, SCAN) for each in json.loads(file.read_text())["exchanges"]]
    chunk = next(each for each in answers if isinstance(each, list))
    (folder / "chunk.json").write_text(json.dumps(chunk))
    (folder / "row.json").write_text(json.dumps(chunk[0]))
    (folder / "networks.json").write_text(json.dumps(next(each for each in answers if "networks" in (each or ()))))
    (folder / "scans.json").write_text(json.dumps(next(each for each in answers if "scans" in (each or ()))))
    (folder / "odd.json").write_text('[{"finding_id": "f", "severity": "low"}]')

    assert replay.main([str(tmp_path), "--each"]) == 0

    told = {line.split()[0].rpartition("/")[2]: line for line in reversed(capsys.readouterr().out.splitlines())}
    assert "vulnerabilities: 2 findings" in told["chunk.json"]
    assert "1 skipped (A host that Tenable does not track has another id in each scan.)" in told["chunk.json"]
    assert "vulnerabilities: 1 findings" in told["row.json"]
    assert "networks: 2 read" in told["networks.json"]
    assert "scans: 3 read" in told["scans.json"]
    assert "1 odd (The answer has no 'state'.)" in told["odd.json"]
