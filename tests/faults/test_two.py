"""Two of a kind: one Operation offered to two workers is run once, and two schedulers double nothing."""

from __future__ import annotations

from tests.faults.house import House, until
from tests.faults.stored import Stored, stored
from tidegate.reads.service import service
from tidegate.store.models import Operation

ROUNDS = 15


def offer_to_everybody(house: House, number: int, times: int = 6) -> None:
    """As many jobs for one Operation as nobody would make: without the lock that keeps them one."""
    house.do(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args)"
        " SELECT 'operations', 'look_at_operation', 10, jsonb_build_object('operation', %s::bigint)"
        " FROM generate_series(1, %s)",
        number,
        times,
    )


def test_two_workers_offered_one_operation_run_it_once(house: House, undisturbed: dict[str, Stored]) -> None:
    """promises.md, process faults: two workers offered the same Operation, many times over."""
    for _ in range(2):
        house.worker(concurrency=4)
    until(lambda: service().workers == 2, "both are there", told=house.told)
    ran: set[str] = set()
    for turn in range(ROUNDS):
        house.vendor.forget()
        number = house.ask("sync")
        offer_to_everybody(house, number)
        ended = house.ends(number)
        assert (ended.attempt, ended.deaths) == (1, 0)
        until(lambda number=number: "Ended" in house.log(number), "its log is written")
        assert house.log(number).count("Logged in as") == 1
        assert house.vendor.asked.count("/account") == 1
        if turn == 0:
            assert stored() == undisturbed["sync"]
        ran.add(ended.worker)
    until(lambda: not house.do("SELECT 1 FROM procrastinate_jobs"), "every job is looked at", told=house.told)
    assert stored() == undisturbed["sync"]


def test_two_schedulers_double_nothing(house: House) -> None:
    """Issue 4: one keeps the time, the other takes its place when it dies; what is due is asked for once."""
    house.schedule("sync")
    before = Operation.objects.count()
    schedulers = [house.scheduler(), house.scheduler()]
    until(lambda: Operation.objects.count() > before, "what is due is asked for", told=house.told)
    keeper = house.do(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND objid::bigint = hashtext('tidegate.scheduler')::bigint & 4294967295"
    )
    assert keeper == [(1,)]

    for scheduler in schedulers:
        scheduler.kill()
        house.scheduler()
    house.worker()
    house.all_end()

    assert Operation.objects.count() == before + 1
    assert not any(scheduler.said for scheduler in schedulers), house.told()
