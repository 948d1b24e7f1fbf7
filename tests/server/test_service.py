"""`tidegate up` and its parts as a person runs them: real commands, a real database, real kills."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.homes import (
    Holder,
    ask,
    data_of,
    is_stopped,
    keepers,
    kill_everything,
    opened,
    server_processes,
    wait_for,
    words_of,
)
from tests.server.processes import TIDEGATE, Program, answers, free_port, get
from tidegate.server.part import MEND

MB = 1024
MOST_MEMORY = 350  # MB, of all Python processes together, idle
MOST_TIMES = 6  # the processor time of importing the libraries alone: 5 s where that takes 0.8
LIBRARIES = "import asyncio, django.db, django.forms, django.http, django.template, httpx2, psycopg, pydantic, typer"


def command(home: Path, *words: object, **environment: str) -> Program:
    return Program(TIDEGATE, *map(str, words), environment={"TIDEGATE_HOME": str(home), **environment})


def up(home: Path, port: int) -> Program:
    return command(home, "up", "--port", port)


def is_ready(port: int) -> bool:
    if not answers(port):
        return False
    found = get(port, "/readyz")
    return found.status_code == 200 and found.json()["scheduler"] and found.json()["workers"] > 0


def memory_of(process: int) -> int:
    """Kilobytes, what it shares counted in shares."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def seconds_of(process: int) -> float:
    """Of processor time that it has taken."""
    user, system = words_of(process, "stat").rpartition(b") ")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def seconds_of_libraries() -> float:
    """Of processor time that a Python takes to import them, and nothing of ours."""
    before = os.times()
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def runs(home: Path) -> bool:
    return bool(server_processes(data_of(home)))


# One command, one terminal, everything


def test_from_an_empty_home_to_everything_and_back(spot: Path):
    """Promise: one command, everything; stops cleanly, the database too."""
    home, port = spot / "home", free_port()
    with up(home, port) as program:
        program.until(f"Tidegate is up: http://127.0.0.1:{port}/")
        wait_for(lambda: is_ready(port), "every part lives")
        page = get(port, "/setup")

        assert (get(port).status_code, get(port).headers["location"]) == (302, "/setup")
        assert page.status_code == 200
        assert "The first administrator" in page.text
        assert program.end() == 0
        assert is_stopped(home)
        assert not program.family()


def test_all_of_it_takes_little_memory_and_little_time_to_the_first_page(home: Path):
    """Promise: at most 350 MB of Python, idle, and 5 s to the first page of a home that has been used before.

    The seconds are for `./dev bench start` on a machine at rest. Here, beside other tests, it is the processor time of
    whom the page waits for (scheduler and worker begin after it), compared with what the libraries take at this hour.
    """
    with up(home, free_port()) as program:
        program.until("Tidegate is up")  # from here on the tables are made
        program.end()
    port = free_port()
    with up(home, port) as program:
        wait_for(lambda: answers(port, "/setup"), "the first page")
        first = {b"tidegate.server.up", b"web"}
        waited_for = [one for one in program.family() if first & {*words_of(one).split(b"\0")}]
        assert len(waited_for) == 2
        took = sum(map(seconds_of, waited_for))
        allowed = MOST_TIMES * max(seconds_of_libraries() for _ in range(3))  # one may be spared what the page was not
        wait_for(lambda: is_ready(port), "every part lives")

        pythons = [one for one in [*program.family(), *keepers(home)] if b"python" in words_of(one).split(b"\0")[0]]
        used = sum(map(memory_of, pythons)) / MB

        assert len(pythons) == 5  # supervisor, web, scheduler, worker, and the keeper of the database
        assert used <= MOST_MEMORY
        assert took <= allowed
        assert program.end() == 0


def test_killed_it_leaves_nothing_running_not_even_the_database(home: Path):
    port = free_port()
    with up(home, port) as program:
        program.until("Tidegate is up")
        family = program.family()

        program.end(signal.SIGKILL)

        wait_for(lambda: not any(words_of(one) for one in family) and is_stopped(home), "nothing is left")


@pytest.mark.parametrize("part", ["web", "scheduler", "worker"])
def test_a_part_that_is_killed_comes_back(home: Path, part: str):
    port = free_port()
    with up(home, port) as program:
        program.until("Tidegate is up")
        (first,) = program.parts(part)

        os.kill(first, signal.SIGKILL)

        program.until(f"{part} is back.")
        wait_for(lambda: is_ready(port), "every part lives")
        assert program.parts(part) != [first]
        assert program.end() == 0


def test_when_the_database_and_its_keeper_are_killed_they_come_back_by_themselves(home: Path):
    """Promise: survives anything. Nobody new has to come for the database to be started again."""
    port = free_port()
    with up(home, port) as program:
        program.until("Tidegate is up")
        wait_for(lambda: is_ready(port), "every part lives")
        parts = program.family()

        kill_everything(home)

        wait_for(lambda: runs(home) and is_ready(port), "the database is back, and everything with it")
        wait_for(lambda: len(keepers(home)) == 1, "one keeper is there")
        assert program.family()[:1] == parts[:1]
        assert get(port, "/setup").status_code == 200
        assert program.end() == 0
    assert is_stopped(home)


def test_two_of_them_share_one_home(home: Path):
    """Any number of each part may run; what the one ends, the other does not miss."""
    ports = free_port(), free_port()
    with up(home, ports[0]) as first, up(home, ports[1]) as second:
        for program, port in zip((first, second), ports, strict=True):
            program.until("Tidegate is up")
            wait_for(lambda port=port: is_ready(port), "every part lives")
        assert len(keepers(home)) == 1

        assert first.end() == 0

        wait_for(lambda: is_ready(ports[1]), "the other goes on")
        assert second.end() == 0
    assert is_stopped(home)


# What a person must mend is said at once


def test_a_port_that_is_taken_is_said_before_anything_is_made(spot: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with up(spot / "home", port) as program:
            assert program.code() == MEND

            assert f"Tidegate cannot listen on 127.0.0.1, port {port}: it is taken." in program.said
            assert "choose another port with --port" in program.said
            assert "Traceback" not in program.said
    assert not (spot / "home" / "postgres").exists()


def test_a_setting_that_cannot_be_used_is_said_before_anything_starts(spot: Path):
    with command(spot / "home", "up", TIDEGATE_GRACE_SECONDS="soon") as program:
        assert program.code() == 2

        assert "TIDEGATE_GRACE_SECONDS is 'soon', which is not usable" in program.said


def test_a_given_database_without_migrations_stops_everything_with_what_to_run(spot: Path, home: Path):
    with opened(home) as database:
        url = as_url(database.url, "fresh")
        ask(database, "CREATE DATABASE fresh")

        with command(spot / "other", "up", "--port", free_port(), TIDEGATE_DATABASE_URL=url) as program:
            assert program.code() == MEND

            assert "Next: Run: tidegate migrate" in program.said
            assert "Tidegate did not start: web says above why not" in program.said


def test_a_given_database_that_does_not_answer_yet_is_waited_for(spot: Path):
    """A machine that boots starts Tidegate before its PostgreSQL: that is nobody's mistake."""
    url = f"postgresql://tidegate@127.0.0.1:{free_port()}/tidegate"
    with command(spot / "home", "up", "--port", free_port(), TIDEGATE_DATABASE_URL=url) as program:
        said = program.until("web ended with code 1; it starts again in 1 s.")

        assert "refuses us" in said
        assert program.end() == 0


def test_a_password_that_is_wrong_is_not_tried_for_ever(spot: Path, home: Path):
    with opened(home) as database:
        url = as_url(database.url, "tidegate", password="wrong")

        with command(spot / "other", "worker", TIDEGATE_DATABASE_URL=url) as program:
            assert program.code() == MEND

            assert "Check user and password" in program.said
            assert "wrong" not in program.said


def as_url(conninfo: str, database: str, password: str = "") -> str:
    from urllib.parse import quote

    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(conninfo)
    secret = quote(password or str(parts["password"]), safe="")
    return f"postgresql://tidegate:{secret}@/{database}?host={quote(str(parts['host']), safe='')}"


# The parts alone


@pytest.mark.parametrize("part", ["web", "scheduler", "worker"])
def test_each_part_runs_alone_and_tells_systemd(home: Path, tmp_path: Path, part: str):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.settimeout(60)
        words = [part, "--port", free_port()] if part == "web" else [part]
        with command(home, *words, NOTIFY_SOCKET=str(tmp_path / "notify")) as program:
            assert ear.recv(4096) == b"READY=1\nSTATUS=Ready."
            program.tell(signal.SIGTERM)

            assert ear.recv(4096) == b"STOPPING=1"
            assert program.code() == 0
    assert is_stopped(home)


def test_told_to_stop_while_the_database_starts_a_part_leaves_at_once(spot: Path):
    with command(spot / "home", "scheduler") as program:
        program.until("Making a new database")

        assert program.end() == 0
        assert "Preparing the tables" not in program.said
    wait_for(lambda: not keepers(spot / "home"), "the database it began is ended too")


def test_a_page_for_everybody_is_said_loudly(home: Path):
    with command(home, "web", "--host", "0.0.0.0", "--port", free_port()) as program:
        program.until("Careful: whoever can reach 0.0.0.0")

        assert "can try to log in" in program.said


# One home, two containers


def test_whoever_finds_a_home_kept_where_they_cannot_see_says_what_they_wait_for(home: Path):
    with Holder(home) as holder:
        holder.url()
        apart = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
        with Holder(home, "root", through=apart) as other:
            said = other.next("progress")

            assert "Another Tidegate keeps the database" in said
            assert "TIDEGATE_DATABASE_URL" in said
            other.kill()
        holder.leave()
