"""promises.md, database faults: its connections are cut, of everybody or of one, wherever a Sync is."""

from __future__ import annotations

import pytest

from tests.faults.house import House, until
from tests.faults.stored import Stored, stored

CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


@pytest.mark.parametrize(
    "place",
    [
        "before login",
        "before record #2",
        "after fence",
        "after compare",
        "after write",
        "after transaction",
        "before verdict",
        "after closing",
        "before end",
        "after letting go",
    ],
)
def test_all_connections_cut(house: House, undisturbed: dict[str, Stored], place: str) -> None:
    """The Operation is handed back by the worker that lives on, and nobody's death is counted."""
    worker = house.worker(stop=[place])
    scheduler = house.scheduler()
    number = house.ask("sync")
    stopped = house.stopped()
    house.do(CUT)
    stopped.go_on()
    ended = house.ends(number)

    assert (ended.status, ended.deaths) == ("partial", 0), house.told()
    assert stored() == undisturbed["sync"]
    assert not worker.ended
    assert not scheduler.ended


def test_connections_cut_again_and_again(house: House, undisturbed: dict[str, Stored]) -> None:
    """Whatever is cut in the middle of whatever: it ends as if nothing had been."""
    worker, scheduler = house.restart()
    number = house.ask("sync")
    for _ in range(10):
        house.do(CUT)
        until(lambda: worker.said.count("database_away") or True, "")
    ended = house.ends(number)

    assert (ended.status, ended.deaths) == ("partial", 0), house.told()
    assert stored() == undisturbed["sync"]
    assert not worker.ended
    assert not scheduler.ended


def test_a_person_s_own_run_outlives_a_cut(house: House, undisturbed: dict[str, Stored]) -> None:
    """Where no worker is: the command waits for the database and goes on."""
    command = house.start("sync", "Acme", stop=["after write"])
    stopped = house.stopped()
    house.do(CUT)
    stopped.go_on()

    assert command.code() == 3, command.said
    assert stored() == undisturbed["sync"]
