"""Published payloads through Security Hub's reading functions, as `./dev replay` shows them (tests/replay.py)."""

import json
from pathlib import Path

import pytest

from tests import replay
from tidegate.connectors.aws_security_hub.fixtures.world import VENDOR


def test_a_folder_of_the_tools_name_is_read_by_the_tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "aws_security_hub"
    folder.mkdir()
    answers = [each["json"] for each in json.loads(VENDOR.read_text())["exchanges"] if each["path"] == "/findings"]
    (folder / "answer.json").write_text(json.dumps(answers[1]))
    (folder / "import.json").write_text(json.dumps({"findings": answers[-1]["Findings"]}))
    (folder / "list.json").write_text(json.dumps([*answers[1]["Findings"], {"Title": "odd"}, 7]))
    (folder / "one.json").write_text(json.dumps(answers[1]["Findings"][0]))

    assert replay.main([str(tmp_path)]) == 0

    told = {line.split()[0].rpartition("/")[2]: line for line in capsys.readouterr().out.splitlines()}
    assert "findings: 2 findings" in told["answer.json"]
    assert "1 skipped (A sample finding, made to try something out.)" in told["import.json"]
    assert "2 odd" in told["list.json"] or told["list.json"].count("1 odd") == 2
    assert "1 findings" in told["one.json"]
