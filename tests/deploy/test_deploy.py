"""What starts Tidegate where nobody types: systemd's units, the container file, compose."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tidegate.cli import COMMANDS
from tidegate.cli.service import PORT
from tidegate.config import Settings
from tidegate.server.part import MEND

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = {"tidegate.service": "up", "tidegate-part@.service": "%i"}
# systemdlint takes 0077 for what is given, wants every service to manage control groups, and reads one number where
# systemd.service(5) says: a list.
MISREAD = ("Security.UMaskOW", "Security.Delegate", "InvalidValue")
CONTAINER = (DEPLOY / "Containerfile").read_text()
COMPOSE = (DEPLOY / "compose.yaml").read_text()


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    parser.read(DEPLOY / "systemd" / name)
    return parser


def program(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name) or name


@pytest.mark.parametrize("name", UNITS)
def test_the_linter_of_units_finds_nothing_but_what_it_misreads(name: str):
    run = subprocess.run(
        [program("systemdlint"), "--norootfs", DEPLOY / "systemd" / name], check=False, capture_output=True, text=True
    )

    told = re.findall(r"\[([\w.]+)\] - (.*)", run.stderr)
    assert {(kind, text) for kind, text in told if kind not in MISREAD} == set()
    assert {text for kind, text in told if kind == "InvalidValue"} <= {f"RestartPreventExitStatus=2 {MEND}"}


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_waits_for_ready_gives_the_grace_and_leaves_the_order_of_the_end_to_us(name: str):
    service = unit(name)["Service"]

    assert service["Type"] == "notify"
    assert service["KillMode"] == "mixed"
    assert int(service["TimeoutStopSec"]) > Settings.model_fields["grace_seconds"].default
    assert service["RestartPreventExitStatus"] == f"2 {MEND}"
    assert service["ExecStart"] == f"/opt/tidegate/bin/tidegate {UNITS[name]}"


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_may_write_nowhere_but_in_its_home(name: str):
    service = unit(name)["Service"]

    assert service["User"] == "tidegate"
    assert service["ProtectSystem"] == "strict"
    assert service["Environment"] == f"TIDEGATE_HOME=/var/lib/{service['StateDirectory']}"
    for word in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome", "RestrictSUIDSGID"):
        assert service[word] == "yes"
    assert service["CapabilityBoundingSet"] == ""


def test_the_container_file_is_clean():
    run = subprocess.run(
        [program("hadolint"), "--no-color", DEPLOY / "Containerfile"], check=False, capture_output=True, text=True
    )

    assert (run.returncode, run.stdout) == (0, "")


def test_the_container_runs_as_nobody_in_particular_and_holds_no_secret():
    last = CONTAINER.rpartition("\nFROM ")[2]

    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert "STOPSIGNAL SIGTERM" in last
    assert f"http://127.0.0.1:{PORT}/healthz" in last
    assert f"EXPOSE {PORT}" in last
    assert not re.search(r"(?i)(ARG|ENV)[^\n]*(secret|password|token)", CONTAINER)


def test_only_what_the_container_file_copies_can_come_into_the_image():
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.*)$", CONTAINER, re.MULTILINE) for word in line.split()[:-1]
    }

    assert kept == copied
    assert all((ROOT / name).exists() for name in copied)


def test_what_is_started_is_a_command_of_tidegate():
    commands = re.findall(r"command: \[([\w-]+)", COMPOSE)

    assert sorted(commands) == ["migrate", "scheduler", "web", "worker"]
    assert set(commands) <= set(COMMANDS)


def test_compose_lets_nobody_in_from_outside_and_gives_the_grace():
    assert f'ports: ["127.0.0.1:{PORT}:{PORT}"]' in COMPOSE
    assert COMPOSE.count("ports:") == 1
    grace = re.search(r"stop_grace_period: (\d+)s", COMPOSE)
    assert grace
    assert int(grace[1]) > Settings.model_fields["grace_seconds"].default


def test_every_setting_of_the_example_is_one():
    named = re.findall(r"^#(TIDEGATE_\w+)=", (DEPLOY / "tidegate.env.example").read_text(), re.MULTILINE)

    assert named
    assert {name.removeprefix("TIDEGATE_").lower() for name in named} <= set(Settings.model_fields)
