"""What people decide about findings; each promise of records.md is named where it is held."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests import world
from tests.world import ALICE, BOB
from tidegate.actions import finding as findings
from tidegate.actions import record as records
from tidegate.actions.errors import NotThere, Refused
from tidegate.store.acting import acting
from tidegate.store.models import Connection, Decision, Held, Journal, Part, Record
from tidegate.store.writers.decision import expire_acceptances

pytestmark = pytest.mark.usefixtures("database")


def shop() -> int:
    id = world.record(world.connection())
    records.map_records(ALICE, [id], new_product="Shop")
    return id


@pytest.mark.parametrize("verdict", ["false positive", "accepted", "out of scope"])
def test_a_verdict_makes_inactive_and_leaves_open(verdict: str):
    """Active is derived: open, and neither a person nor the vendor says false positive, accepted or out of scope."""
    (finding,) = world.synced(shop(), "k1")

    findings.decide_finding(ALICE, finding, verdict=verdict)

    assert (world.of(finding).open, world.of(finding).active) == (True, False)
    assert world.tallies() == world.true_tallies()
    findings.decide_finding(ALICE, finding, verdict="none")
    assert world.of(finding).active
    assert not Decision.objects.exists()


def test_a_persons_word_beats_the_vendors():
    """A person's word beats the vendor's."""
    (finding,) = world.synced(shop(), "k1", vendor_verdict=1)
    assert not world.of(finding).active

    findings.decide_finding(ALICE, finding, verdict="real")

    assert world.of(finding).active


def test_a_decision_holds_for_all_branches_of_the_same_finding():
    """State and proof are per Branch; a person's decision holds for all Branches of the same finding."""
    record = shop()
    main, dev = world.synced(record, "k1")[0], world.synced(record, "k1", branch="dev")[0]
    (other,) = world.synced(record, "k2")

    branches = findings.decide_finding(BOB, dev, verdict="accepted", severity="Critical")

    assert branches == 2
    for id in (main, dev):
        assert (world.of(id).active, world.of(id).severity, world.of(id).severity_vendor) == (False, 5, 3)
        assert world.journal(id) == [("decided", "bob")]
    assert world.of(other).active
    before = Journal.objects.get(finding_id=main).before
    assert before.pop("step")
    assert before == {"decision": {"verdict": None, "severity": None}, "severity": 3, "active": True}


def test_the_journal_keeps_what_was_decided_before():
    """Every change of a finding can say what it was before."""
    (finding,) = world.synced(shop(), "k1")
    findings.decide_finding(ALICE, finding, note="mine", tags=["b", "a", "a"])

    findings.decide_finding(BOB, finding, note="yours", tags=[])

    before = Journal.objects.filter(finding_id=finding).latest("id").before["decision"]
    assert (before["note"]["value"], before["note"]["by"], before["tags"]["value"]) == ("mine", "alice", '["a", "b"]')
    assert list(Decision.objects.values_list("field", "value", "by")) == [("note", "yours", "bob")]


def test_verified_is_kept_and_changes_nothing_else():
    """What a person decided: … verified …"""
    (finding,) = world.synced(shop(), "k1")

    findings.decide_finding(ALICE, finding, verified=True)

    assert Decision.objects.values_list("field", "value").get() == ("verified", "true")
    assert world.of(finding).active
    findings.decide_finding(ALICE, finding, verified=None)
    assert not Decision.objects.exists()


def test_a_severity_taken_back_is_the_vendors_again():
    """What the vendor says of its own finding is kept beside what a person decided."""
    (finding,) = world.synced(shop(), "k1")
    findings.decide_finding(ALICE, finding, severity="Low")
    assert world.of(finding).severity == 1

    findings.decide_finding(ALICE, finding, severity=None)

    assert world.of(finding).severity == 3


def test_what_a_person_puts_below_the_threshold_closes_and_unknown_never_does():
    """Threshold: it looks at the severity in force (a person's before the vendor's)."""
    record = shop()
    Connection.objects.update(minimum_severity=3)
    low, unknown = world.synced(record, "k1", "k2")
    feed = world.read(record).feed_id
    Held.objects.create(finding_id=low, feed_id=feed, since_operation=1, latest_operation=1, standing="kept open")

    findings.decide_finding(ALICE, low, severity="Low")
    findings.decide_finding(ALICE, unknown, severity="Unknown")

    assert (world.of(low).open, world.of(low).closed_because, world.of(low).active) == (False, "threshold", False)
    assert not Held.objects.exists()
    assert world.of(unknown).open
    assert world.tallies() == world.true_tallies()


def test_a_closed_finding_stays_closed_whatever_is_decided():
    """A finding is closed only by evidence, and opened by it."""
    (finding,) = world.synced(shop(), "k1", open=False, closed_because="fixed")

    findings.decide_finding(ALICE, finding, verdict="real", severity="Critical")

    assert (world.of(finding).open, world.of(finding).active, world.of(finding).closed_because) == (
        False,
        False,
        "fixed",
    )


def test_an_acceptance_ends_on_its_date():
    """an acceptance ends on its date."""
    record = shop()
    soon, later, vendors = (
        world.synced(record, "k1", "k2")[0],
        world.synced(record, "k3")[0],
        world.synced(record, "k4", vendor_verdict=2)[0],
    )
    end = world.now() + timedelta(days=1)
    for finding, until in ((soon, end), (later, end + timedelta(days=1)), (vendors, end)):
        findings.decide_finding(ALICE, finding, verdict="accepted", until=until)

    with acting("tidegate"):
        assert expire_acceptances(end - timedelta(seconds=1)) == 0
        assert expire_acceptances(end) == 1
        assert expire_acceptances(end) == 0

    assert [world.of(id).active for id in (soon, later, vendors)] == [True, False, False]
    assert world.journal(soon) == [("decided", "alice"), ("expired", "tidegate")]
    assert world.tallies() == world.true_tallies()


def test_the_end_of_an_acceptance_can_be_moved_alone():
    (finding,) = world.synced(shop(), "k1")
    end = world.now() + timedelta(days=1)
    findings.decide_finding(ALICE, finding, verdict="accepted", until=end)

    findings.decide_finding(ALICE, finding, until=end + timedelta(days=9))

    assert Decision.objects.get().until == end + timedelta(days=9)


TOMORROW = timedelta(days=1)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "Nothing was decided."),
        ({"verdict": "maybe"}, "«maybe» is no verdict."),
        ({"verdict": "real", "until": TOMORROW}, "«real» has no end"),
        ({"verdict": None, "until": TOMORROW}, "Only an acceptance has an end."),
        ({"until": TOMORROW}, "this finding is not accepted"),
        ({"verdict": "accepted", "until": -TOMORROW}, "would have ended already"),
        ({"severity": "Bad"}, "«Bad» is no severity."),
        ({"note": "a\0b"}, "The note contains"),
        ({"note": "x" * 10_001}, "The note has 10,001 characters"),
        ({"tags": [""]}, "The tag is empty"),
    ],
)
def test_what_cannot_be_decided_is_refused_and_nothing_is_written(said: dict[str, Any], sentence: str):
    (finding,) = world.synced(shop(), "k1")
    if isinstance(said.get("until"), timedelta):
        said = said | {"until": world.now() + said["until"]}

    with pytest.raises(Refused) as refused:
        findings.decide_finding(ALICE, finding, **said)

    assert sentence in refused.value.sentence
    assert not Decision.objects.exists()
    assert not Journal.objects.exists()


def test_an_end_without_a_zone_is_refused():
    (finding,) = world.synced(shop(), "k1")

    with pytest.raises(Refused, match="no time zone"):
        findings.decide_finding(ALICE, finding, verdict="accepted", until=world.now().replace(tzinfo=None))


@pytest.mark.parametrize("unknown", [99, 2**63, -5])
def test_an_unknown_finding_is_named(unknown: int):
    with pytest.raises(NotThere, match="no Finding"):
        findings.decide_finding(ALICE, unknown, verdict="real")
    with pytest.raises(NotThere, match="no Finding"):
        findings.close_findings(ALICE, [unknown])


# Closing what nothing watches


def left_by_remap(record: int) -> None:
    records.map_records(ALICE, [record], new_product="Other")


def missing(record: int) -> None:
    with acting("tidegate"):
        Record.objects.filter(pk=record).update(absent_since=world.now())


@pytest.mark.parametrize(
    "unwatch",
    [
        left_by_remap,
        lambda record: records.ignore_records(ALICE, [record]),
        lambda record: records.delete_records(ALICE, [record]),
        missing,
        lambda record: Connection.objects.update(deleted_at=world.now()),
        lambda record: Part.objects.update(last_outcome="skipped"),
    ],
    ids=["remap", "ignore", "delete", "Missing", "deleted Connection", "Family no longer read"],
)
def test_a_person_closes_unwatched_findings_together(unwatch: Any):
    """Unwatched: findings left behind by a remap, ignore, delete, Missing, a deleted Connection or a Family no longer
    read; a person may close them together."""
    record = shop()
    ids = world.synced(record, "k1", "k2")
    unwatch(record)

    outcome = findings.close_findings(BOB, ids)

    assert (outcome.changed, outcome.refused) == (2, 0)
    assert {world.of(id).closed_because for id in ids} == {"person"}
    assert world.journal(ids[0])[-1] == ("closed", "bob")
    assert world.tallies() == world.true_tallies()


def test_a_watched_finding_is_left_to_its_evidence():
    """A finding is closed only by evidence … or by a person (unwatched ones, or by the close of a remap)."""
    (open, closed) = world.synced(shop(), "k1") + world.synced(
        world.read(1).pk, "k2", open=False, closed_because="gone"
    )

    outcome = findings.close_findings(BOB, [open, closed])

    assert {share.sentence: share.number for share in outcome.shares} == {
        "Its Record still watches it: a Sync closes it when it is gone. Decide about it.": 1,
        "Is closed already.": 1,
    }
    assert [one.name for one in outcome.refusals] == ["Weakness k1"]
    assert world.of(open).open
