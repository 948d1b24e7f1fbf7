"""A worker that is told to stop hands back what it runs: nobody died, and nothing is read twice."""

from __future__ import annotations

import signal
from collections import Counter

import pytest

from tests.faults.house import House, until
from tests.faults.stored import Stored, stored
from tidegate.store.models import Lease


def asked(house: House) -> Counter[str]:
    """How often each Record's findings were asked for."""
    return Counter(house.vendor.findings_asked())


def applied(house: House, number: int) -> set[str]:
    """The Records that the Operation is done with."""
    question = (
        "SELECT vendor_id FROM result JOIN record ON record.id = record_id WHERE operation_id = %s AND family = ''"
    )
    return {record for (record,) in house.do(question, number)}


def test_sigterm_hands_back_and_another_worker_does_only_what_is_left(
    house: House, undisturbed: dict[str, Stored]
) -> None:
    """promises.md, process faults; issue 4: a resumed Operation does only what is left, and no death is counted."""
    first = house.worker(stop=["after record #2"])
    number = house.ask("sync")
    stopped = house.stopped()
    done = applied(house, number)
    assert len(done) == 2
    first.signal(signal.SIGTERM)
    stopped.go_on()

    assert first.code() == 0
    lease = Lease.objects.get(pk=number)
    assert lease.handed_back
    house.vendor.forget()
    house.worker()  # the hand-back offered it: it needs no scheduler
    ended = house.ends(number)

    assert stored() == undisturbed["sync"]
    assert (ended.deaths, ended.attempt) == (0, 2)
    assert not done & set(asked(house))
    assert "Handed back" in house.log(number)


@pytest.mark.parametrize("place", ["before judging", "after verdict", "after closing"])
def test_sigterm_after_everything_was_read_asks_the_vendor_nothing_more(
    house: House, undisturbed: dict[str, Stored], place: str
) -> None:
    """What was read and judged is carried out from the rows."""
    first = house.worker(stop=[place])
    number = house.ask("sync")
    stopped = house.stopped()
    first.signal(signal.SIGTERM)
    stopped.go_on()
    assert first.code() == 0
    house.vendor.forget()
    house.worker()
    ended = house.ends(number)

    assert stored() == undisturbed["sync"]
    assert ended.deaths == 0
    assert house.vendor.asked == []


def test_sigterm_while_the_vendor_is_silent_does_not_wait_for_it(house: House, undisturbed: dict[str, Stored]) -> None:
    """A vendor that never answers keeps nobody from stopping within the grace."""
    house.silence("/api/")
    first = house.worker()
    number = house.ask("sync")
    until(lambda: "api" in asked(house), "it waits for the vendor", told=house.told)

    assert first.end(seconds=24) == 0

    house.vendor.before = None
    house.worker()
    assert house.ends(number).deaths == 0
    assert stored() == undisturbed["sync"]


def test_a_statement_that_does_not_end_within_the_grace_loses_only_itself(
    house: House, undisturbed: dict[str, Stored]
) -> None:
    """Somebody holds a lock for hours: the statement that waits for it is cancelled, and the Operation handed back."""
    with house.lock("SELECT FROM record WHERE vendor_id = 'api' FOR UPDATE"):
        first = house.worker(TIDEGATE_GRACE_SECONDS="4")
        number = house.ask("sync")
        until(house.somebody_waits_for_a_lock, "it waits for the lock", told=house.told)
        assert first.end() == 0
        assert Lease.objects.get(pk=number).handed_back

    house.worker()
    assert house.ends(number).deaths == 0
    assert stored() == undisturbed["sync"]


def test_sigterm_twice_ends_it_at_once_and_the_next_one_takes_it_up(
    house: House, undisturbed: dict[str, Stored]
) -> None:
    """Somebody in a hurry says it again: then it is as if it had been killed, and nothing half done is kept."""
    first = house.worker(stop=["before hand back"], lease=1)
    number = house.ask("sync")
    house.silence("/api/")
    until(lambda: "api" in asked(house), "it waits for the vendor", told=house.told)
    first.signal(signal.SIGTERM)
    house.stopped()
    until(lambda: first.signal(signal.SIGTERM) or first.ended, "it ends", told=house.told)
    assert first.code() == 130

    house.vendor.before = None
    house.restart()
    assert house.ends(number).deaths == 1
    assert stored() == undisturbed["sync"]


def test_a_long_sync_lets_a_short_one_go_first_and_reads_nothing_twice(
    house: House, undisturbed: dict[str, Stored]
) -> None:
    """Issue 4: different Connections fairly; a 10-hour Sync does not starve short ones. One hand, a slice of three
    seconds: by its first Record it is time for others."""
    short_slice = {"tidegate.jobs.crew:Crew.__init__.__defaults__": [3.0], "tidegate.jobs.crew:LOOK_SECONDS": 0.0}
    house.worker(concurrency=1, stop=["before record", "after hand back"], hold=short_slice)
    long = house.ask("sync")
    stopped = house.stopped()
    short = house.ask("sync", house.beta)
    has_had_it = "SELECT 1 FROM operation WHERE id = %s AND started_at < now() - interval '4 seconds'"
    until(lambda: house.do(has_had_it, long), "it has had its slice")
    stopped.go_on()
    stopped = house.stopped()
    assert stopped.place == "after hand back"
    done = applied(house, long)
    house.vendor.forget()
    stopped.go_on()
    house.ends(long)

    began = house.do("SELECT id FROM operation WHERE id IN (%s, %s) ORDER BY ended_at", short, long)
    assert began == [(short,), (long,)]
    assert (house.operation(long).deaths, house.operation(long).attempt) == (0, 2)
    assert "Others wait for their turn" in house.log(long)
    assert done
    assert asked(house)["shop"] == 1  # Beta's own
    assert not (done - {"shop"}) & set(asked(house))
    assert stored()["held"] == undisturbed["sync"]["held"]
