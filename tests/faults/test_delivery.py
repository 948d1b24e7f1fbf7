"""Deliveries of a real worker that is killed in their middle, while a person changes things there: in the end theirs
equals ours, nothing stands there twice, and no decision is lost."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from tests.faults.house import House
from tests.faults.stored import stored
from tests.world import ALICE
from tidegate.actions.delivery import request_delivery
from tidegate.actions.destination import add_destination, add_destination_route
from tidegate.demo.fake_defectdojo.server import FakeDefectDojo
from tidegate.store.models import Decision, Finding

PLACES = ["after import there", "before learning numbers", "after edit there"]
"""What is done there and not noted here; the last also in the middle of edits."""


@pytest.mark.parametrize("place", PLACES)
def test_a_worker_killed_in_a_delivery_while_a_person_writes_there(house: House, place: str) -> None:
    findings = Finding.objects.filter(feed__record__connection=house.acme.connection_id)
    with FakeDefectDojo() as dojo:
        destination = add_destination(
            ALICE,
            "Dojo",
            {"url": dojo.url},
            {"token": SecretStr(dojo.token)},
            product_type="Research and Development",
            writes_per_minute=6_000,
        )
        add_destination_route(ALICE, destination)
        worker = house.worker(stop=[place], lease=1)
        number = request_delivery(ALICE, house.acme.connection_id, destination)
        if "edit" in place:
            assert house.ends(number).status == "success"
            for one in findings.order_by("pk")[:6]:
                findings.filter(pk=one.pk).update(title=f"Changed {one.pk}")
            number = request_delivery(ALICE, house.acme.connection_id, destination)

        house.stopped()
        with dojo.world.lock:
            theirs = dojo.world.rows["findings"]
            said = next(row for row in sorted(theirs.values(), key=lambda row: -row["id"]) if row["active"])
            dojo.world.edit("findings", said["id"], false_p=True, active=False, is_mitigated=True)
        worker.kill()
        house.restart()
        house.all_end()

        assert house.operation(number).status == "success", house.operation(number).why
        again = request_delivery(ALICE, house.acme.connection_id, destination)
        assert house.ends(again).status == "success", house.operation(again).why
        compared = request_delivery(ALICE, house.acme.connection_id, destination, mode="reconcile")
        assert house.ends(compared).counts == {}, house.log(compared)
        with dojo.world.lock:
            rows = list(theirs.values())
    of_ours = {f"tidegate:{house.acme.connection_id}:{one.pk}": one for one in findings}
    assert sorted(row["unique_id_from_tool"] for row in rows) == sorted(
        name for name, one in of_ours.items() if one.open
    )
    assert all(row["title"].casefold() == of_ours[row["unique_id_from_tool"]].title.casefold() for row in rows)
    assert not any(row["duplicate"] for row in rows)
    theirs_said = Decision.objects.filter(by="somebody in Dojo")
    assert [(one.field, one.value) for one in theirs_said] == [("verdict", "false positive")]
    assert not of_ours[said["unique_id_from_tool"]].active
    assert stored()["decisions"]
