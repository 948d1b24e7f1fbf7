"""Whatever happens between two requests, or to an answer: in the end theirs equals ours, nothing is there twice, and no
decision is lost or made up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import world
from tests.delivery.house import House, Killed
from tidegate.demo.fake_defectdojo.server import FakeDefectDojo
from tidegate.store import models

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(params=["3.2.0", "2.50.4"])
def house(request: pytest.FixtureRequest, database: object) -> Iterator[House]:
    with FakeDefectDojo(request.param) as fake:
        yield House(fake)


def test_a_first_delivery_that_dies_at_any_request_is_mended_by_the_next(house: House):
    """Each request in turn is the last that the process lives to make; the Product is another each time. Of the newer
    server it is not sent any more, of the older one its answer came."""
    after = house.fake.world.is_old
    house.dies_after, dead = after, 0
    for number in range(1, 40):
        record = house.record(f"Shop {number}")
        findings = house.findings(record, 3)
        models.Record.objects.exclude(pk=record).update(absent_since=world.now())
        house.dies_at = number + number - 1  # each Test of a round before is looked at first
        try:
            house.deliver()
        except Killed:
            dead += 1
            house.dies_at = None
            done = house.left_behind()
            assert done.status == "success", done.why
        house.dies_at = None
        mine = {f"tidegate:{house.connection.pk}:{one}" for one in findings}
        assert mine <= set(house.theirs), f"died at request {number}"
        if dead < number:
            break

    assert dead >= 8
    with house.fake.world.lock:
        tests = house.fake.world.rows["tests"]
        names = [row["name"] for row in house.fake.world.rows["products"].values()]
    assert len(tests) == len(names) == len(set(names)) == dead + 1
    assert models.Decision.objects.count() == 0


def test_changes_that_die_at_any_request_are_mended_and_taken_for_nobodys_word(house: House):
    after = not house.fake.world.is_old
    record = house.record()
    findings = house.findings(record, 4)
    house.deliver()
    one, two, three, _ = findings
    dead = 0
    for number in range(1, 40):
        house.change(one, severity=number % 2 + 4, severity_vendor=number % 2 + 4, title=f"Round {number}")
        house.change(
            two, open=number % 2 == 0, active=number % 2 == 0, closed_because=None if number % 2 == 0 else "gone"
        )
        findings += house.findings(record, 1, f"round {number} ")
        house.dies_at, house.dies_after = number, after
        try:
            house.deliver()
        except Killed:
            dead += 1
            # Ours changes again before the next delivery: what was written half-way is still ours, and nobody's word.
            house.change(one, severity=1, severity_vendor=1)
            house.dies_at = None
            assert house.left_behind().status == "success"
        house.dies_at = None
        house.assert_equal(findings)
        if dead < number:
            break

    assert dead >= 6
    assert models.Decision.objects.count() == 0
    house.they_edit(three, false_p=True, active=False, is_mitigated=True)
    house.deliver()
    assert house.decisions(three) == {"verdict": ("false positive", "somebody in Dojo")}


@pytest.mark.parametrize("fault", ["lost", "500"])
def test_an_answer_that_is_lost_after_the_work_was_done_makes_nothing_twice(house: House, fault: str):
    record = house.record()
    findings = house.findings(record, 30)
    house.loses = {"POST /api/v2/products", "POST /api/v2/engagements", "POST /api/v2/import-scan"}
    if fault == "500":
        house.fake.world.break_after(11)

    for _ in range(3):
        house.deliver()

    house.assert_equal(findings)
    assert len(house.fake.world.rows["tests"]) == 1
    assert models.Decision.objects.count() == 0


def test_one_per_cent_changed_costs_requests_in_proportion(house: House):
    record = house.record()
    findings = house.findings(record, 300)
    house.deliver()
    created = len(house.requests)
    for one in findings[:3]:
        house.change(one, title=f"Another {one}")

    house.deliver()

    assert len(house.writes()) == 3
    assert len(house.requests) <= 3 + 5, house.requests
    assert created <= 30
    house.assert_equal(findings)


def test_a_reconciliation_says_what_differs_and_a_repair_mends_it(house: House):
    record = house.record()
    one, two, three = house.findings(record, 3)
    house.deliver()
    house.they_edit(one, title="Edited There")
    house.fake.world.delete("findings", house.their(two)["id"])

    compared = house.deliver("reconcile")
    assert compared.status == "partial"
    assert compared.counts == {"differing": 1, "deleted_there": 1}
    assert house.writes() == []

    assert house.deliver("repair").status == "success"
    house.assert_equal([one, two, three])
    assert house.deliver("reconcile").counts == {}
