"""A database that comes back for those who hold it: killed, given up on, or a given one that was off."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.server.homes import (
    ask,
    data_of,
    halted,
    is_stopped,
    keepers,
    kill_everything,
    kill_keeper,
    opened,
    postmaster_of,
    wait_for,
)
from tidegate.server.postgres.database import Database


def quiet(_: str) -> None:
    return


def accepts(database: Database) -> bool:
    try:
        return ask(database, "SELECT 1") == [(1,)]
    except Exception as error:  # noqa: BLE001 - any kind of no
        return not error


def give_up(home: Path) -> None:
    """Make the keeper give up: the server dies and cannot be started again for a reason that a person must mend."""
    data = data_of(home)
    data.joinpath("global", "pg_control").rename(data / "global" / "pg_control.away")
    os.kill(postmaster_of(home), signal.SIGKILL)
    wait_for(lambda: is_stopped(home), "the keeper gives up")


def mend(home: Path) -> None:
    data = data_of(home)
    data.joinpath("global", "pg_control.away").rename(data / "global" / "pg_control")


@pytest.mark.parametrize("killed", ["everything", "keeper"])
def test_while_it_is_kept_up_what_was_killed_comes_back_under_the_same_url(home: Path, killed: str):
    with opened(home) as database, database.kept_up(quiet):
        ask(database, "CREATE TABLE kept AS SELECT 42 AS answer")

        (kill_everything if killed == "everything" else kill_keeper)(home)

        wait_for(lambda: accepts(database) and keepers(home), "the database is back, with a keeper")
        assert ask(database, "SELECT answer FROM kept") == [(42,)]
    wait_for(lambda: is_stopped(home), "all of it stops")  # a newcomer that came too late to be the keeper, too


def test_a_server_killed_while_its_keeper_was_dead_comes_back(home: Path):
    with opened(home) as database, database.kept_up(quiet):
        kill_keeper(home)
        os.kill(postmaster_of(home), signal.SIGKILL)

        wait_for(lambda: accepts(database) and keepers(home), "the database is back, with a keeper")


def test_a_keeper_that_gave_up_is_followed_by_another_until_the_cause_is_mended(home: Path):
    """Until now long-lived holders waited for a newcomer, for ever."""
    said: list[str] = []
    with opened(home) as database, database.kept_up(said.append):
        give_up(home)
        wait_for(lambda: said, "it says why it does not start")
        time.sleep(4)  # it is tried again meanwhile, and the same reason is not said twice

        mend(home)

        wait_for(lambda: accepts(database), "the database is back")
        reasons = [text for text in said if not text.startswith(("PostgreSQL is starting", "Waiting"))]
        assert len(reasons) == 1
        assert "did not start" in reasons[0]
    assert is_stopped(home)


def test_to_wait_for_it_can_be_interrupted(home: Path):
    stop = threading.Event()
    answers: list[bool] = []
    with opened(home) as database:
        give_up(home)
        waiting = threading.Thread(target=lambda: answers.append(database.revive(stop, quiet)))
        waiting.start()
        time.sleep(0.5)
        stop.set()
        waiting.join(60)

        assert answers == [False]
        mend(home)


def test_several_who_revive_at_once_do_not_fight(home: Path):
    stop, answers = threading.Event(), list[bool]()
    with opened(home) as database, opened(home) as same:
        kill_everything(home)

        def revive(one: Database) -> None:
            answers.append(one.revive(stop, quiet))

        threads = [threading.Thread(target=revive, args=(one,)) for one in (database, same) * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert answers == [True] * 8
        assert len(keepers(home)) == 1
        assert accepts(database)
    assert is_stopped(home)


def test_whoever_stops_keeping_it_up_leaves_no_keeper_behind(home: Path):
    with opened(home) as database, database.kept_up(quiet):
        kill_everything(home)
    wait_for(lambda: is_stopped(home), "nothing is left")


def test_a_server_that_is_halted_for_a_while_is_waited_for(home: Path):
    answers: list[bool] = []
    with opened(home) as database:
        waiting = threading.Thread(target=lambda: answers.append(database.revive(threading.Event(), quiet)))
        with halted(home):
            waiting.start()
            time.sleep(1)
            assert answers == []
        waiting.join(60)

        assert answers == [True]


def test_a_given_database_is_waited_for_until_it_can_be_reached(home: Path):
    said: list[str] = []
    stop = threading.Event()
    with opened(home) as database:
        given = Database(database.url, embedded=False)
        kill_everything(home)
        waiting = threading.Thread(target=lambda: said.append(str(given.revive(stop, said.append))))
        waiting.start()
        wait_for(lambda: said, "it says that it cannot be reached")

        assert database.revive(stop, quiet)

        waiting.join(60)
        assert said[-1] == "True"
        assert "refuses us" in said[0]


def test_waiting_for_a_given_database_can_be_interrupted():
    stop = threading.Event()
    stop.set()

    assert not Database("host=127.0.0.1 port=1", embedded=False).revive(stop, quiet)
