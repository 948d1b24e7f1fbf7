"""promises.md 6: after kill -9 of whichever process at any place and a restart, the database equals what an undisturbed
run would have left. A place is a name in orders.py: entering it, or leaving it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.faults.house import House, until
from tests.faults.stored import Stored, stored
from tests.server.processes import free_port
from tidegate.reads.service import service
from tidegate.store.models import Operation
from tidegate.store.writers.operation import lease_is_alive

WORKER_IN_SYNC = [
    "before look",
    "before claim",
    "after claim",
    "before run",
    "before login",
    "after login",
    "after staging",
    "before reading #3",
    "before record",
    "after fence",
    "before compare",
    "after compare",
    "after create",
    "after change",
    "after write",
    "after results",
    "after transaction",
    "after record",
    "before record #3",
    "before second look",
    "after second look",
    "before second apply",
    "after second apply",
    "before judging",
    "before verdict",
    "after verdict",
    "before closing",
    "after closing",
    "before closing #2",
    "after closing #3",
    "before ending",
    "after account",
    "before log",
    "before end",
    "before letting go",
    "after letting go",
    "after end",
    "after look",
]
WORKER_IN_DISCOVER = [
    "after claim",
    "after discover login",
    "before list",
    "after list",
    "before discover apply",
    "after discover staging",
    "after refresh",
    "after missing",
    "after quarantine",
    "after auto-map",
    "after discover apply",
    "before end",
    "after letting go",
    "after end",
]
ALL_IN_SYNC = ["after claim", "before write", "after transaction", "after record", "after verdict", "before end"]
FOREGROUND_IN_SYNC = ["after own claim", "after write", "after record", "before verdict", "after closing", "before end"]
HANDING_BACK = ["before hand back", "before next offer", "after hand back"]
SOLITARY_IN_SYNC = ["after claim", "after write", "before closing", "after letting go"]
SCHEDULER = [
    "before time",
    "before tick",
    "before reconcile",
    "after jobs of the dead",
    "before next offer",
    "after next offer",
    "after reconcile",
]

DUE = ["before due", "before due offer", "after due offer", "after plan", "after due"]


def places() -> list[tuple[str, str]]:
    """Every place at which a process is killed here, and whose."""
    by_process = {
        "worker, sync": WORKER_IN_SYNC,
        "worker, discover": WORKER_IN_DISCOVER,
        "all, sync": ALL_IN_SYNC,
        "foreground, sync": FOREGROUND_IN_SYNC,
        "worker, handing back": HANDING_BACK,
        "solitary, sync": SOLITARY_IN_SYNC,
        "scheduler": SCHEDULER,
        "scheduler, due": DUE,
    }
    return [(process, place) for process, there in by_process.items() for place in there]


def test_there_are_at_least_forty_places() -> None:
    """Issue 4: at 40 or more named points of Discover and Sync, of worker, scheduler and everything."""
    assert len(set(places())) == len(places())
    assert len({place for process, place in places() if not process.startswith("scheduler")}) >= 40


def test_what_is_compared_has_something_of_everything(undisturbed: dict[str, Stored]) -> None:
    """A comparison that holds nothing proves nothing."""
    sync, discover = undisturbed["sync"], undisturbed["discover"]
    assert {"changed", "closed", "decided"} <= {kind for _, kind, _, _ in sync["journal"]}
    assert len(sync["held"]) == 26
    assert "n" in {row[1] for row in sync["findings"]}
    assert sync["decisions"]
    assert all(sync[name] for name in sync if name != "held absences")
    assert {(row[1], row[2], row[5]) for row in discover["records"]} >= {
        ("late", "Late", True),
        ("api", "Renamed", True),
        ("old", "Product old", False),
    }


@pytest.mark.parametrize("place", WORKER_IN_SYNC)
def test_a_worker_killed_in_a_sync(house: House, undisturbed: dict[str, Stored], place: str) -> None:
    """promises.md 6. The row says what is left, and doing a thing twice changes nothing."""
    worker = house.worker(stop=[place], lease=1)
    number = house.ask("sync")

    house.stopped()
    worker.kill()
    house.restart()
    house.all_end()

    assert stored() == undisturbed["sync"]
    assert house.operation(number).status == "partial"
    assert house.operation(number).deaths <= 1


@pytest.mark.parametrize("place", WORKER_IN_DISCOVER)
def test_a_worker_killed_in_a_discover(house: House, undisturbed: dict[str, Stored], place: str) -> None:
    """promises.md 6."""
    worker = house.worker(stop=[place], lease=1)
    number = house.ask("discover")

    house.stopped()
    worker.kill()
    house.restart()
    house.all_end()

    assert stored() == undisturbed["discover"]
    assert house.operation(number).status == "success"


@pytest.mark.parametrize("place", ["before beat", "after beat"])
def test_a_worker_killed_in_its_heart(house: House, undisturbed: dict[str, Stored], place: str) -> None:
    """promises.md 6: in the thread that beats, while another one is in the middle of a Record."""
    worker = house.worker(stop=["after write", place], lease=1)
    number = house.ask("sync")

    assert {house.stopped().place for _ in range(2)} == {"after write", place}
    worker.kill()
    house.restart()
    house.all_end()

    assert stored() == undisturbed["sync"]
    assert house.operation(number).deaths == 1


@pytest.mark.parametrize("place", ALL_IN_SYNC)
def test_everything_killed_in_a_sync(house: House, undisturbed: dict[str, Stored], place: str) -> None:
    """promises.md 6: worker, scheduler, and the command of the person who waits for it, all at once."""
    house.worker(stop=[place], lease=1)
    house.scheduler()
    until(lambda: service().workers, "the worker is there")
    house.start("sync", "Acme")

    house.stopped()
    for process in house.processes:
        process.kill_all()
    house.restart()
    house.all_end()

    assert stored() == undisturbed["sync"]


@pytest.mark.parametrize("place", FOREGROUND_IN_SYNC)
def test_a_person_s_own_run_killed(house: House, undisturbed: dict[str, Stored], place: str) -> None:
    """promises.md 6: where nothing else runs, the command does it itself; the service finishes what it left."""
    command = house.start("sync", "Acme", stop=[place], lease=1)

    house.stopped()
    command.kill()
    house.restart()
    house.all_end()

    assert stored() == undisturbed["sync"]


def test_a_person_s_own_run_killed_is_finished_by_the_next_one(house: House, undisturbed: dict[str, Stored]) -> None:
    """promises.md 6, on a machine where nothing else runs. records.md: a killed Operation is taken up and finishes."""
    command = house.start("sync", "Acme", stop=["before record #3"], lease=1)
    house.stopped()
    command.kill()

    again = house.start("discover", "Acme")

    assert again.code() == 0, again.said
    assert house.operation(Operation.objects.get(type="sync", attempt=2).pk).status == "partial"
    house.all_end()
    assert stored()["findings"] == undisturbed["sync"]["findings"]


@pytest.mark.parametrize("place", HANDING_BACK)
def test_a_worker_killed_while_it_hands_back(house: House, undisturbed: dict[str, Stored], place: str) -> None:
    """promises.md 6: kill -9 follows SIGTERM, as an impatient machine does it."""
    worker = house.worker(stop=["before record #3", place], lease=1)
    house.ask("sync")

    first = house.stopped()
    worker.signal(signal.SIGTERM)
    first.go_on()
    assert house.stopped().place == place
    worker.kill()
    house.restart()
    house.all_end()

    assert stored() == undisturbed["sync"]


@pytest.mark.parametrize("place", SOLITARY_IN_SYNC)
def test_a_solitary_process_killed(house: House, undisturbed: dict[str, Stored], place: str) -> None:
    """promises.md 6: a worker died with the Operation, so it runs in a process of its own; that is killed too, and its
    worker lives on."""
    first = house.worker(stop=["before record #2"], lease=1)
    number = house.ask("sync")
    house.stopped()
    first.kill()

    worker = house.worker(stop=[place], lease=1)
    house.scheduler()
    solitary = house.stopped()
    assert solitary.pid != worker.pid
    solitary.kill()
    worker.kill_all()
    house.worker()
    house.all_end()

    assert stored() == undisturbed["sync"]
    assert house.operation(number).deaths <= 2


@pytest.mark.parametrize("place", SCHEDULER)
def test_a_scheduler_killed(house: House, undisturbed: dict[str, Stored], place: str) -> None:
    """promises.md 6: while it takes up what a dead worker left."""
    worker = house.worker(stop=["after write"], lease=1)
    number = house.ask("sync")
    house.stopped()
    worker.kill()
    until(lambda: not lease_is_alive(number), "the lease runs out")

    scheduler = house.scheduler(stop=[place])
    house.stopped()
    scheduler.kill()
    house.restart()
    house.all_end()

    assert stored() == undisturbed["sync"]
    assert house.operation(number).deaths == 1


@pytest.mark.parametrize("place", DUE)
def test_a_scheduler_killed_while_it_asks_for_what_is_due(
    house: House, undisturbed: dict[str, Stored], place: str
) -> None:
    """promises.md 6: asked for once, neither forgotten nor doubled."""
    house.schedule("sync")
    before = Operation.objects.count()

    scheduler = house.scheduler(stop=[place])
    house.stopped()
    scheduler.kill()
    house.restart()
    until(lambda: Operation.objects.count() > before, "it is asked for", told=house.told)
    house.all_end()

    assert Operation.objects.count() == before + 1
    assert stored() == undisturbed["sync"]


@pytest.mark.parametrize("place", ["after transaction", "before end"])
def test_tidegate_up_killed(house: House, undisturbed: dict[str, Stored], place: str) -> None:
    """promises.md 6: the supervisor itself; its parts end with it, and the next `tidegate up` goes on."""
    words = ("up", "--port", str(free_port()))
    first = house.start(*words, stop=[place], lease=2, TIDEGATE_GRACE_SECONDS="2")
    until(lambda: service().workers, "the worker is there", told=house.told)
    number = house.ask("sync")
    stopped = house.stopped()
    first.kill()
    until(lambda: not lives(stopped.pid), "its worker does not outlive it", told=house.told)

    second = house.start(*words, TIDEGATE_GRACE_SECONDS="5")
    house.ends(number)

    assert stored() == undisturbed["sync"]
    assert second.end() == 0


def lives(pid: int) -> bool:
    """Whether there is such a process, other than a dead one that nobody has buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
