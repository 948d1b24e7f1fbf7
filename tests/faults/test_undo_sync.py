"""promises.md 6, of an undo: killed between two Records or within one, it is taken up again and each is undone once."""

from __future__ import annotations

import pytest

from tests.faults.house import House
from tests.world import BOB, tallies, true_tallies
from tidegate.actions.undo import undo_sync
from tidegate.store.models import Finding, Journal, Operation, Record, Result


@pytest.mark.parametrize("place", ["after undoing #2", "before undoing #4"])
def test_a_worker_killed_in_an_undo(house: House, place: str) -> None:
    """promises.md 6: the row says what is left, and doing a thing twice changes nothing. The first place is within a
    transaction, so that what it did is gone; the second is behind one."""
    sync = Operation.objects.get(type="sync", connection_id=house.acme.connection_id)
    created = Finding.objects.filter(created_operation=sync.pk)
    number = undo_sync(BOB, sync.pk)
    worker = house.worker(stop=[place], lease=1)

    house.stopped()
    done = Result.objects.filter(operation_id=number).count()
    worker.kill()
    house.restart()
    operation = house.ends(number)

    assert done == {"after undoing #2": 1, "before undoing #4": 3}[place]
    assert (operation.status, operation.deaths) == ("success", 1)
    assert operation.counts == {"inactive": created.count()}
    assert set(created.values_list("open", "closed_because", "closed_operation")) == {(False, "undone", number)}
    assert Journal.objects.filter(operation=number).count() == created.count() == 50
    assert Result.objects.filter(operation_id=number).count() == 5
    assert not Record.objects.filter(changing_operation__isnull=False).exists()
    assert tallies() == true_tallies()
