"""The run itself: a test that does not run is a failure, and none reaches the outside."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.guards.repository import ROOT

NOT_RUN = """
import pytest

def test_skip(): pytest.skip("no database")

@pytest.mark.skipif(True, reason="no database")
def test_skipif(): pass

@pytest.mark.xfail(reason="some day")
def test_xfail(): assert False

@pytest.mark.xfail(reason="some day")
def test_xpass(): pass

@pytest.fixture
def base(): pytest.skip("no database")

def test_fixture(base): pass
"""

OUTSIDE = """
import socket, pytest

@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
@pytest.mark.parametrize("host", ["192.0.2.1", "10.0.0.1"])
def test_survives_every_error(host, kind):
    try:
        with socket.socket(type=kind) as client:
            client.connect((host, 80))
    except Exception:
        pass
"""

INSIDE = """
import socket

def test_loopback():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()

def test_local_socket(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("s")
        server.listen()
        client.connect("s")
"""


def outcome(folder: Path, *modules: str) -> tuple[str, str]:
    """A run of its own with this checkout's conftest and nothing else of it: its last line, and all it said."""
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    for number, module in enumerate(modules):
        (folder / f"test_{number}.py").write_text(module)
    (folder / "pytest.ini").write_text("[pytest]\n")
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(folder)]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return run.stdout.splitlines()[-1].strip("= ").split(" in ")[0], run.stdout


def test_a_test_that_is_skipped_or_expected_to_fail_fails_the_run(tmp_path: Path):
    last, said = outcome(tmp_path, NOT_RUN)

    assert last == "3 failed, 2 errors", said
    assert "no database" in said
    assert "some day" in said


def test_a_module_that_is_skipped_fails_the_run(tmp_path: Path):
    last, said = outcome(tmp_path, "import pytest\npytest.importorskip('not_there')\ndef test_a(): pass")

    assert last == "1 error", said


def test_a_connection_to_the_outside_fails_the_test(tmp_path: Path):
    last, said = outcome(tmp_path, OUTSIDE)

    assert last == "4 failed", said
    assert "wanted to reach 192.0.2.1" in said


def test_loopback_and_local_sockets_are_open(tmp_path: Path):
    last, said = outcome(tmp_path, INSIDE)

    assert last == "2 passed", said
