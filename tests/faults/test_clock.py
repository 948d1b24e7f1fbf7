"""promises.md, process faults: a clock that jumps. Machines agree by the database's clock, so that is the one that
does: each lease is left as the jump would leave it."""

from __future__ import annotations

import time

import pytest

from tests.faults.house import House, until
from tests.faults.stored import Stored, stored

LEASE = 2.0
HOUR = 3600


def jump(house: House, seconds: float) -> None:
    """The database's clock jumps: whatever was written before lies so many seconds further away."""
    house.do("UPDATE lease SET until = until - make_interval(secs => %s)", seconds)


@pytest.mark.parametrize("seconds", [HOUR, -HOUR, 6, -6], ids=["ahead", "back", "a little ahead", "a little back"])
def test_a_jump_with_a_dead_worker_delays_nobody_by_more_than_a_lease(
    house: House, undisturbed: dict[str, Stored], seconds: float
) -> None:
    """A lease of the future would be believed for an hour."""
    worker = house.worker(stop=["after record #2"], lease=LEASE)
    number = house.ask("sync")
    house.stopped()
    worker.kill()
    jump(house, seconds)
    began = time.monotonic()
    house.restart()
    until(lambda: house.operation(number).attempt == 2, "it is taken over", told=house.told)

    assert time.monotonic() - began < LEASE + 5 + 6 + 20  # what a clock may be off, a solitary process, a slow machine
    assert house.ends(number).deaths == 1
    assert stored() == undisturbed["sync"]


@pytest.mark.parametrize("seconds", [HOUR, -HOUR], ids=["ahead", "back"])
def test_a_jump_while_a_worker_lives_applies_nothing_twice(
    house: House, undisturbed: dict[str, Stored], seconds: float
) -> None:
    """Its next beat puts the lease right; if another one was quicker, the fence decides."""
    house.worker(stop=["after record #2", "before verdict"], lease=LEASE)
    number = house.ask("sync")
    stopped = house.stopped()
    house.worker(lease=LEASE)
    house.scheduler()
    for _ in range(5):
        jump(house, seconds)
        time.sleep(0.3)  # some jumps fall between two beats
    stopped.go_on()
    until(lambda: house.operation(number).status != "running" or release(house), "it ends", told=house.told)
    house.ends(number)

    assert stored() == undisturbed["sync"]
    assert house.operation(number).status == "partial"


def release(house: House) -> bool:
    """Lets whoever has come to the verdict go on."""
    while house.somebody_stopped():
        house.stopped().go_on()
    return False


@pytest.mark.parametrize("hours", [48, -48], ids=["ahead", "behind"])
def test_a_worker_with_another_time_is_no_better_and_no_worse(
    house: House, undisturbed: dict[str, Stored], hours: int
) -> None:
    """A machine two days ahead or behind claims, beats and ends like any other; a neighbour leaves it its Operation."""
    house.worker(stop=["before record #2"], lease=LEASE, clock=hours * HOUR)
    number = house.ask("sync")
    stopped = house.stopped()
    house.worker()
    house.scheduler()
    beats = [row for (row,) in house.do("SELECT until FROM lease")]
    until(lambda: house.do("SELECT 1 FROM lease WHERE until > %s", beats[0]), "it beats", told=house.told)
    assert house.do("SELECT 1 FROM lease WHERE until BETWEEN now() AND now() + interval '3 seconds'")
    stopped.go_on()
    ended = house.ends(number)

    assert (ended.attempt, ended.deaths) == (1, 0)
    assert stored() == undisturbed["sync"]
