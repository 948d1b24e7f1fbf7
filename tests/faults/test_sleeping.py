"""promises.md, process faults: SIGSTOP of a worker past its lease, then SIGCONT: it must not write."""

from __future__ import annotations

import signal
import time

import pytest

from tests.faults.house import House, until
from tests.faults.stored import Stored, stored, versions
from tidegate.store.writers.operation import lease_is_alive


@pytest.mark.parametrize(
    "place",
    [
        "before record #2",
        "after fence",
        "after compare",
        "after transaction",
        "before verdict",
        "after closing",
        "before end",
    ],
)
def test_a_worker_that_slept_past_its_lease_writes_nothing(
    house: House, undisturbed: dict[str, Stored], place: str
) -> None:
    """Another worker takes the Operation over and finishes it; who wakes says that it lost it, and goes on working.

    One that holds its fence cannot be overtaken: it sleeps in a transaction, so the other waits for it, and who wakes
    finds its lease gone at the next fence.
    """
    sleeper = house.worker(stop=[place], lease=1)
    number = house.ask("sync")
    stopped = house.stopped()
    inside = place in ("after fence", "after compare", "after transaction", "after closing")
    sleeper.signal(signal.SIGSTOP)
    while not inside and somebody_is_in_a_transaction(house):
        # Another of its threads, that beats or writes its log: who takes over would wait for that for ever.
        sleeper.signal(signal.SIGCONT)
        time.sleep(0.05)
        sleeper.signal(signal.SIGSTOP)
    house.restart()
    if inside:
        until(
            house.somebody_waits_for_a_lock, "whoever takes over waits for the sleeper's transaction", told=house.told
        )
    else:
        assert house.ends(number).attempt == 2
        before = versions()

    stopped.go_on()
    sleeper.signal(signal.SIGCONT)
    if not inside:
        sleeper.says("operation.lost")
        assert versions() == before  # not one row was written again
    house.ends(number)

    assert stored() == undisturbed["sync"]
    goes_on_working(house, sleeper)


def somebody_is_in_a_transaction(house: House) -> bool:
    """Whether a connection of the service is in the middle of one, or of a statement."""
    return bool(
        house.do(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend' AND state <> 'idle'"
        )
    )


def goes_on_working(house: House, worker: object) -> None:
    """With all others gone, what is asked for next is done."""
    for process in house.processes:
        if process is not worker:
            process.end()
    assert house.ends(house.ask("discover")).deaths == 0


def test_a_worker_that_sleeps_within_a_transaction_does_not_bind_the_hands_of_others(house: House) -> None:
    """It may sleep for ever with its fence held, and nobody can take its Operation over: but all others are run, by a
    worker that has one hand."""
    sleeper = house.worker(stop=["after compare"], lease=1)
    number = house.ask("sync")
    house.stopped()
    sleeper.signal(signal.SIGSTOP)
    until(lambda: not lease_is_alive(number), "its lease runs out")
    house.scheduler()
    house.worker(concurrency=1)
    until(house.somebody_waits_for_a_lock, "somebody tries to take it over", told=house.told)

    assert house.ends(house.ask("sync", house.beta)).status == "success"

    sleeper.kill()
    assert house.ends(number).status == "partial"


def test_a_worker_that_slept_does_not_end_what_another_one_runs(house: House, undisturbed: dict[str, Stored]) -> None:
    """It wakes just before it would write the end, while who took over is about to do the same."""
    sleeper = house.worker(stop=["before end"], lease=1)
    number = house.ask("sync")
    asleep = house.stopped()
    sleeper.signal(signal.SIGSTOP)
    house.worker(stop=["before end"])
    house.scheduler()
    awake = house.stopped()

    asleep.go_on()
    sleeper.signal(signal.SIGCONT)
    sleeper.says("operation.lost")
    assert (house.operation(number).status, house.operation(number).attempt) == ("running", 2)

    awake.go_on()
    assert house.ends(number).status == "partial"
    assert stored() == undisturbed["sync"]
