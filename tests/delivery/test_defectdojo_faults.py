"""Whatever happens between two requests, or to an answer: in the end theirs equals ours, nothing is there twice, and no
decision is lost or made up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

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
    house.deliver()
    assert house.requests == [house.requests[0]]
    assert house.writes() == []
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


def test_somebody_writes_there_at_any_moment_of_a_delivery_and_no_word_of_theirs_is_lost(house: House):
    """Before each of its requests in turn a person there says something about another finding."""
    record = house.record()
    findings = house.findings(record, 24)
    house.deliver()
    house.fake.interfere, moments = (lambda question: None), 0
    for number in range(1, 20):
        said, edited = findings[number], findings[0]
        house.change(edited, title=f"Round {number}")
        house.change(said, title=f"Said {number}")
        asked = 0

        def interfere(question: object, *, said: int = said, number: int = number) -> None:
            nonlocal asked
            asked += 1
            if asked == number:
                house.they_edit(said, false_p=True, active=False, is_mitigated=True)

        house.fake.interfere = interfere
        assert house.deliver().status == "success"
        house.fake.interfere = lambda question: None
        if asked < number:
            break
        moments += 1
        house.deliver()
        assert house.decisions(said) == {"verdict": ("false positive", "somebody in Dojo")}, f"at request {number}"
        house.assert_equal(findings)

    assert moments >= 4


@pytest.mark.parametrize("halfway", [False, True], ids=["its answer lost", "half of it stored"])
def test_hours_without_the_server_after_an_import_of_which_nobody_heard(house: House, halfway: bool):
    """The import came to its end, or broke off in its middle, and then the server was away; the world here went on."""
    record = house.record()
    findings = house.findings(record, 30)
    gone = False

    def away(question: Any) -> int | None:
        nonlocal gone
        if gone:
            return 502
        gone = question.name == "POST import-scan"
        return None

    if halfway:
        house.fake.world.break_after(11)
    else:
        house.loses = {"POST /api/v2/import-scan"}
    house.fake.interfere = away
    for hour in (0, 3, 6):
        hours_pass(hour)
        assert house.deliver().status == "failed"
    with house.fake.world.lock:
        assert len(house.fake.world.rows["findings"]) == (11 if halfway else 30)
    house.close(findings[0])
    house.change(findings[1], title="Another")
    findings += house.findings(record, 5, "later")
    house.fake.interfere = lambda question: None

    for _ in range(2):
        assert house.deliver().status == "success"

    house.assert_equal(findings)
    assert house.deliver("reconcile").counts == {}
    assert models.Decision.objects.count() == 0


def test_imports_that_a_proxy_never_answers_come_to_an_end_and_blame_no_finding(house: House):
    """Whatever is asked is answered; whatever is imported takes too long for the proxy, and nothing of it arrives."""
    record = house.record()
    findings = house.findings(record, 30)
    house.fake.interfere = lambda question: 504 if question.name.endswith("import-scan") else None

    ended = house.deliver()

    assert ended.status == "failed"
    assert "nothing of them arrived" in ended.why
    assert ended.counts.get("refused", 0) == 0
    house.fake.interfere = lambda question: None
    assert house.deliver().status == "success"
    house.assert_equal(findings)


def hours_pass(hours: int) -> None:
    """Since all that was noted of the delivery."""
    back = timedelta(hours=hours)
    models.DeliveredTest.objects.update(pending_at=F("pending_at") - back, read_at=F("read_at") - back)
