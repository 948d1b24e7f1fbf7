"""The table over a folder of published reports, which whoever works on the readers looks at (tests/replay.py)."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import replay
from tests.connectors.report_folder.reading import FIXTURES, sarif

ROOT = Path(__file__).parents[3]


def test_every_file_of_a_folder_has_its_line(capsys: pytest.CaptureFixture[str]):
    assert replay.main([str(FIXTURES)]) == 0

    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert {path.name for path in FIXTURES.iterdir() if path.is_file()} <= lines.keys()
    assert "PyCheck/nightly/linux" in lines["rules-behind-results.sarif"]
    assert "neither JSON nor XML" in lines["world.py"]


def test_each_finding_is_shown_on_demand(capsys: pytest.CaptureFixture[str]):
    replay.main([str(FIXTURES), "--each"])

    assert "Critical | Shell command built from input | app/run it.py:12 |" in capsys.readouterr().out


def test_a_crash_is_told_and_is_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "a.sarif").write_bytes(sarif())
    (tmp_path / "b.sarif").write_bytes(sarif())
    monkeypatch.setattr(replay.connector, "rows", lambda *_: 1 / 0)

    assert replay.main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.count("CRASHED") == 2


def test_it_runs_as_a_script_from_anywhere(tmp_path: Path):
    command = [sys.executable, str(ROOT / "tests/replay.py"), str(FIXTURES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
