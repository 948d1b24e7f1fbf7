"""An Operation that kills whoever runs it is given up after the third time, and takes nobody else along."""

from __future__ import annotations

from tests.faults.house import House, until


def test_an_operation_that_kills_three_processes_is_failed_and_its_neighbour_is_not_blamed(house: House) -> None:
    """Issue 4: failed with that reason, not tried for ever. Two Operations run in one worker, one is poison: the worker
    dies of it, then two solitary processes do; the neighbour is only counted the death of its worker."""
    poison = {"die": ["before record #1"], "connection": house.acme.connection_id, "lease": 1}
    worker = house.worker(stop=["before hand back"], **poison)
    house.silence("/shop/", times=1)
    neighbour = house.ask("sync", house.beta)
    until(lambda: house.vendor.findings_asked() == ["shop"], "the neighbour reads", told=house.told)
    number = house.ask("sync")
    assert worker.code() == -9

    second = house.worker(**poison)
    house.scheduler()
    failed = house.ends(number)

    assert (failed.status, failed.cause, failed.deaths, failed.attempt) == ("failed", "deaths", 3, 3)
    assert "3 processes" in failed.why
    beside = house.ends(neighbour)
    assert beside.status == "success"
    assert beside.deaths <= 1
    assert not second.ended
    assert house.ends(house.ask("discover")).status == "success"  # the Connection is free again
