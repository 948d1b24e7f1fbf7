"""Findings go to a DefectDojo and stay as ours are: each once, by its number, with what people there said of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import world
from tests.delivery.house import House
from tidegate.demo.fake_defectdojo.server import FakeDefectDojo
from tidegate.store import models

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(params=["3.2.0", "2.50.4"])
def house(request: pytest.FixtureRequest, database: object) -> Iterator[House]:
    with FakeDefectDojo(request.param) as fake:
        yield House(fake)


def test_findings_are_created_changed_closed_and_reopened_there(house: House):
    record = house.record()
    one, two, three = house.findings(record, 3)

    first = house.deliver()
    assert (first.status, first.why, first.counts) == ("success", "", {"created": 3})
    house.assert_equal([one, two, three])

    house.change(one, title="Another name", severity_vendor=5, severity=5)
    house.close(two)
    second = house.deliver()
    assert second.counts == {"changed": 1, "closed": 1}
    assert (house.their(one)["severity"], house.their(two)["is_mitigated"]) == ("Critical", True)

    house.change(two, open=True, active=True, closed_because=None)
    assert house.deliver().counts == {"reopened": 1}
    house.assert_equal([one, two, three])


def test_an_unchanged_delivery_writes_nothing_and_asks_once_a_test(house: House):
    record = house.record()
    house.findings(record, 30)
    house.deliver()

    again = house.deliver()

    assert (again.status, again.counts) == ("success", {})
    assert len(house.requests) == 1, house.requests
    assert house.writes() == []


def test_a_preview_says_what_would_be_written_and_asks_nobody(house: House):
    from tidegate.reads.preview import differences

    record = house.record()
    one, two, _ = house.findings(record, 3)
    house.deliver()
    house.findings(record, 4, "new")
    house.change(one, title="Other", severity=4, severity_vendor=4)  # it was Medium
    house.close(two)

    foreseen = house.deliver(preview=True)

    assert foreseen.counts == {"created": 4, "changed": 1, "closed": 1}
    assert house.requests == []
    page = differences(foreseen.pk)
    assert page is not None
    assert (page.counted, page.kept) == (6, 6)
    told = {row.finding_id: row for row in page.differences}
    assert [row.kind for row in page.differences].count("created") == 4
    assert (told[one].kind, told[one].record_id, told[one].what) == ("changed", record, "Would change there.")
    assert [(each.field, each.before, each.after) for each in told[one].changes] == [
        ("severity", "Medium", "High"),
        ("title", "", "Other"),
    ]
    assert (told[two].kind, told[two].because) == ("closed", "it is no longer reported")
    assert ("active", "yes", "no") in [(each.field, each.before, each.after) for each in told[two].changes]
    assert house.deliver().counts == foreseen.counts


def test_what_people_there_decide_is_decided_here_in_their_name(house: House):
    record = house.record()
    wrong, risky, far, lower = house.findings(record, 4)
    house.deliver()
    house.they_edit(wrong, false_p=True, active=False, is_mitigated=True)
    house.they_edit(risky, risk_accepted=True, active=False)
    house.they_edit(far, out_of_scope=True, active=False, is_mitigated=True)
    house.they_edit(lower, verified=True, severity="Low", tags=["mine"])

    done = house.deliver()

    assert done.counts == {"decided": 4}
    by = "somebody in Dojo"
    assert house.decisions(wrong) == {"verdict": ("false positive", by)}
    assert house.decisions(risky) == {"verdict": ("accepted", by)}
    assert house.decisions(far) == {"verdict": ("out of scope", by)}
    assert house.decisions(lower) == {"verified": ("true", by), "severity": ("1", by), "tags": ('["mine"]', by)}
    assert not world.of(wrong).active
    assert house.writes() == []
    house.assert_equal([wrong, risky, far, lower])
    assert house.deliver().counts == {}


def test_what_people_here_decide_is_so_there(house: House):
    from tidegate.actions.finding import decide_finding

    record = house.record()
    wrong, risky, far, lower, real = house.findings(record, 5)
    house.deliver()
    decide_finding(world.BOB, wrong, verdict="false positive")
    decide_finding(world.BOB, risky, verdict="accepted")
    decide_finding(world.BOB, far, verdict="out of scope")
    decide_finding(world.BOB, lower, severity="Low", verified=True, tags=["mine"])
    decide_finding(world.BOB, real, note="look at it")

    assert house.deliver().counts == {"changed": 3, "closed": 2}
    there = {one: house.their(one) for one in (wrong, risky, far, lower, real)}
    flags = ("active", "false_p", "risk_accepted", "out_of_scope", "verified")
    assert {one: [name for name in flags if row[name]] for one, row in there.items()} == {
        wrong: ["false_p"], risky: ["risk_accepted"], far: ["out_of_scope"], lower: ["active", "verified"],
        real: ["active"],
    }  # fmt: skip
    assert (there[lower]["severity"], there[lower]["tags"]) == ("Low", ["mine"])
    assert [each["entry"] for each in there[real]["notes"]] == ["look at it\n\n(bob, in Tidegate)"]
    assert house.deliver().counts == {}


def test_the_later_word_counts_and_both_stay_in_the_history(house: House):
    from tidegate.actions.finding import decide_finding

    record = house.record()
    one, two = house.findings(record, 2)
    house.deliver()
    house.they_edit(one, false_p=True, active=False, is_mitigated=True)
    decide_finding(world.BOB, one, verdict="accepted")  # later than theirs
    house.change(one, title="Another")  # what changed beside goes too
    decide_finding(world.BOB, two, verdict="accepted")
    house.they_edit(two, out_of_scope=True, active=False, is_mitigated=True)  # later than ours

    house.deliver()

    assert house.decisions(one)["verdict"] == ("accepted", "bob")
    assert house.decisions(two)["verdict"] == ("out of scope", "somebody in Dojo")
    assert (house.their(one)["risk_accepted"], house.their(one)["false_p"]) == (True, False)
    assert house.their(one)["title"] == "Another"
    lines = models.Journal.objects.filter(finding_id=one, kind="decided").order_by("id")
    said = [line.before["decision"].get("verdict") for line in lines]
    assert [None if each is None else each["value"] for each in said] == [None, "false positive"]


def test_notes_are_said_once_on_the_other_side_signed_and_never_come_back(house: House):
    from tidegate.actions.finding import decide_finding
    from tidegate.demo.fake_defectdojo.importing import note

    record = house.record()
    one, two = house.findings(record, 2)
    decide_finding(world.BOB, one, note="behind the firewall")
    house.deliver()
    assert [each["entry"] for each in house.their(one)["notes"]] == ["behind the firewall\n\n(bob, in Tidegate)"]
    assert house.deliver().counts == {}

    decide_finding(world.BOB, one, note="no longer")
    house.loses = {"POST /api/v2/findings/"}  # the work was done, the answer was lost
    house.deliver()
    house.deliver()
    assert [each["entry"][:9] for each in house.their(one)["notes"]] == ["behind th", "no longer"]

    with house.fake.world.lock:
        ann = house.fake.world.add_user("ann", "t-ann")
        note(house.fake.world, ann, house.fake.world.rows["findings"][house.their(two)["id"]], "seen by ann")
        house.fake.world.edit("findings", house.their(two)["id"], verified=True)
    house.deliver()
    house.deliver()

    assert house.decisions(two)["note"] == ("seen by ann", "somebody in Dojo")
    assert house.decisions(one)["note"] == ("no longer", "bob")
    assert [len(house.their(each)["notes"]) for each in (one, two)] == [2, 1]


def test_what_the_server_notes_of_an_acceptance_is_no_word_of_a_person(house: House):
    """It would come before what somebody wrote here."""
    from tidegate.actions.finding import decide_finding
    from tidegate.demo.fake_defectdojo.api import changed
    from tidegate.demo.fake_defectdojo.importing import note

    record = house.record()
    (one,) = house.findings(record, 1)
    decide_finding(world.BOB, one, note="behind the firewall")
    house.deliver()
    with house.fake.world.lock:
        ann = house.fake.world.add_user("ann", "t-ann", superuser=True)
        told = {"risk_accepted": True, "active": False}
        row = house.fake.world.rows["findings"][house.their(one)["id"]]
        changed(house.fake.world, ann, "findings", str(row["id"]), told)
        note(house.fake.world, ann, row, 'Ann (2) added this finding to the risk acceptance: "Until May" (https://x)')

    assert house.deliver().counts == {"decided": 1}

    assert {name: said for name, (said, _) in house.decisions(one).items()} == {
        "note": "behind the firewall", "verdict": "accepted",
    }  # fmt: skip
    assert house.deliver().counts == {}


def test_what_a_person_there_switched_off_stays_off_until_ours_changes(house: House):
    record = house.record()
    (one,) = house.findings(record, 1)
    house.deliver()
    house.they_edit(one, active=False)

    house.deliver()
    house.change(one, title="Another")
    house.deliver()

    assert (house.their(one)["active"], house.their(one)["title"]) == (False, "Another")
    house.close(one)
    house.deliver()
    assert house.their(one)["is_mitigated"]


def test_a_deleted_finding_is_not_made_again_until_a_person_repairs(house: House):
    record = house.record()
    one, two = house.findings(record, 2)
    house.deliver()
    house.fake.world.delete("findings", house.their(one)["id"])

    assert house.deliver().counts == {"deleted_there": 1}
    house.change(one, title="Another")
    assert house.deliver().counts == {}
    assert set(house.theirs) == {f"tidegate:{house.connection.pk}:{two}"}

    assert house.deliver("repair").counts == {"created": 1}
    house.assert_equal([one, two])


@pytest.mark.parametrize("kind", ["products", "engagements", "tests"])
def test_what_is_deleted_there_is_told_and_nothing_is_made_again(house: House, kind: str):
    record = house.record()
    (one,) = house.findings(record, 1)
    house.deliver()
    with house.fake.world.lock:
        house.fake.world.delete(kind, next(iter(house.fake.world.rows[kind])))

    for _ in range(2):
        done = house.deliver()
        assert done.status == "partial"
        assert f"The {kind[:-1].capitalize()} it was delivered into is gone" in done.why
    assert house.theirs == {}
    stale = house.record_row(record)
    assert stale.state == "Stale"
    assert f"its {kind[:-1].capitalize()} was deleted in DefectDojo («Dojo»)" in stale.why

    assert house.deliver("repair").status == "success"
    house.assert_equal([one])
    assert house.record_row(record).state == "Good"


def test_what_was_hidden_and_is_back_is_delivered_again_and_not_made_twice(house: House):
    record = house.record()
    (one,) = house.findings(record, 1)
    house.deliver()
    hidden = models.DeliveredTest.objects.get()
    models.DeliveredTest.objects.update(lost="test", lost_at=world.now())
    models.DeliveredTest.objects.update(their_id=9_999)
    assert house.deliver().status == "partial"
    assert house.record_row(record).state == "Stale"

    models.DeliveredTest.objects.update(their_id=hidden.their_id)
    house.change(one, title="Another")

    assert house.deliver("repair").counts == {"changed": 1}
    assert house.record_row(record).state == "Good"
    house.assert_equal([one])


def test_another_product_may_be_joined_where_the_one_before_was_deleted_there(house: House):
    from tidegate.actions.delivery import join_product
    from tidegate.actions.errors import Refused

    record = house.record()
    (one,) = house.findings(record, 1)
    house.deliver()
    ours = models.Product.objects.get().pk
    (before,) = house.fake.world.rows["products"]
    other = house.fake.world.add("products", name="Other", description="", prod_type=1, tags=[], authorized_users=[],
                                 enable_simple_risk_acceptance=True)  # fmt: skip
    with pytest.raises(Refused, match="there already"):
        join_product(world.ALICE, house.destination.pk, ours, other["id"])
    with house.fake.world.lock:
        house.fake.world.delete("products", before)
    house.deliver()
    assert house.record_row(record).state == "Stale"

    join_product(world.ALICE, house.destination.pk, ours, other["id"])

    assert house.record_row(record).state == "Good"
    assert house.deliver().counts == {"created": 1}
    house.assert_equal([one])


def test_a_test_that_others_import_into_is_noticed_and_left(house: House):
    from tidegate.demo.fake_defectdojo.importing import import_scan

    record = house.record()
    (one,) = house.findings(record, 1)
    house.deliver()
    test = next(iter(house.fake.world.rows["tests"]))
    report = b'{"findings": [{"title": "Theirs", "severity": "High", "description": "d"}]}'
    form = {"scan_type": "Generic Findings Import", "test": str(test), "close_old_findings": "false"}
    import_scan(house.fake.world, house.fake.world.rows["users"][1], form, report, again=True)
    house.change(one, title="Another")

    done = house.deliver()

    assert done.status == "partial"
    assert "1 findings that Tidegate did not write" in done.why
    assert house.writes() == []


def test_an_existing_product_is_joined_only_when_somebody_says_so(house: House):
    house.fake.world.add("products", name="Shop", description="", prod_type=1, tags=[], authorized_users=[],
                         enable_simple_risk_acceptance=False)  # fmt: skip
    record = house.record()
    (one,) = house.findings(record, 1)

    refused = house.deliver()
    assert refused.status == "partial"
    assert "is there already" in refused.why
    assert house.theirs == {}

    models.Destination.objects.update(join_products="same name")
    assert house.deliver().counts == {"created": 1}
    assert len(house.fake.world.rows["products"]) == 1
    house.assert_equal([one])


def test_a_products_new_name_follows_and_its_type_is_ours(house: House):
    record = house.record()
    house.findings(record, 1)
    house.deliver()
    models.Product.objects.update(name="Store")

    house.deliver()

    assert [row["name"] for row in house.fake.world.rows["products"].values()] == ["Store"]


def test_unknown_travels_as_medium_with_a_tag_and_twins_do_not_collide(house: House):
    record = house.record()
    twins = house.findings(record, 5, title="The same", severity_vendor=2)

    house.deliver()

    assert {house.their(one)["severity"] for one in twins} == {"Medium"}
    assert {tuple(house.their(one)["tags"]) for one in twins} == {("severity-unknown",)}
    house.assert_equal(twins)


def test_one_finding_that_the_server_breaks_on_does_not_keep_the_others(house: House, monkeypatch: pytest.MonkeyPatch):
    from tidegate.delivery.defectdojo import test as room

    record = house.record()
    findings = house.findings(record, 20)
    bad = findings[7]
    real = room.sent

    def sent(ours):
        told = real(ours)
        return told | {"component_version": "x" * 101} if ours.id == bad else told

    with monkeypatch.context() as patched:
        patched.setattr(room, "sent", sent)
        done = house.deliver()

    assert (done.status, done.counts) == ("partial", {"created": 19, "refused": 1})
    assert "1 findings were not taken by the server." in done.why
    house.change(bad, title="Mended")
    assert house.deliver().counts == {"created": 1}
    house.assert_equal(findings)
