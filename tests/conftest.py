"""What holds for the whole run: every test counts, and none leaves this machine."""

import ipaddress
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import pytest

SPOT = "TIDEGATE_TEST_SPOT"  # as in tests/spot.py; this file stands alone, and tests/guards tries it so


def pytest_configure(config: pytest.Config) -> None:
    """A short folder that every user can search, for homes whose server runs as somebody else; the workers share it."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        spot = Path(tempfile.mkdtemp(prefix="tidegate-"))
        spot.chmod(0o711)
        os.environ[SPOT] = str(spot)
        os.environ["XDG_DATA_HOME"] = str(spot / "data")  # no test may meet the real home of whoever runs it
        config.add_cleanup(lambda: shutil.rmtree(spot, ignore_errors=True))  # the last of all: servers in it end first


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport():
    return counted((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report():
    return counted((yield))


def counted(report: pytest.TestReport | pytest.CollectReport):
    """A skip or an expected failure is a failure: nobody reads the yellow ones."""
    if report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"Skipped or expected to fail, and neither counts here: {reason(report)}"
    elif getattr(report, "wasxfail", None) is not None and report.outcome == "passed":
        report.outcome = "failed"
        report.longrepr = f"Expected to fail and passed; the mark can go: {reason(report)}"
    vars(report).pop("wasxfail", None)
    return report


def reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    said = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    return getattr(report, "wasxfail", "") or said or "no reason given"


def refuse_the_outside(event: str, arguments: tuple) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        sock, address = arguments[:2]
        if sock.family in (socket.AF_INET, socket.AF_INET6) and address and not stays_here(address[0]):
            # Not an Exception: code under test that survives every error must not survive this one.
            pytest.fail(f"A test wanted to reach {address[0]}; only loopback and local sockets are open.")


def stays_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# An audit hook sees what asyncio and every library do; replacing socket.socket would not.
sys.addaudithook(refuse_the_outside)
