"""Undo of a Sync: what it did is taken back, what people decided since stays, the next Sync tells the truth again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.acme import many, row, rows
from tests.ingest.scene import ALICE, Scene, in_another_thread, meanwhile
from tests.world import BOB, tallies, true_tallies
from tidegate.actions import connection as connections
from tidegate.actions import finding as decisions
from tidegate.actions import operation as operations
from tidegate.actions import record as records
from tidegate.actions.errors import Refused
from tidegate.actions.operation import see_through
from tidegate.actions.undo import undo_sync
from tidegate.store.models import Decision, Finding, Held, Journal, Operation, Part, Result, WordsDue

SHOWN = ("key", "title", "fields", "severity_vendor", "severity", "vendor_verdict", "open", "active", "closed_because")
"""What people see of a finding."""

EVERYTHING = (*SHOWN, "closed_operation", "closed_at")


def content(*names: str) -> dict[str, dict[str, Any]]:
    return {finding["key"]: finding for finding in Finding.objects.values(*(names or EVERYTHING))}


def undo(scene: Scene, sync: Any, *keys: str, by: Any = BOB) -> Any:
    """Undoes it, to its end; returns the Operation that did."""
    number = undo_sync(by, sync.pk, [scene.record(key).pk for key in keys] or None)
    see_through(number)
    return scene.operation(number)


@pytest.fixture
def changed(scene: Scene) -> tuple[Scene, Any, dict[str, dict[str, Any]]]:
    """A Sync that did something of everything; and what was there before it."""
    found = rows("same", "text", "words", "severe", "gone", "fixed", "judged", "back")
    scene.mapped(shop=found)
    scene.sync()
    scene.world.issues("shop").pop("back")
    scene.sync()
    before = content()
    issues = scene.world.issues("shop")
    issues["text"] = row("text", title="Another")
    issues["words"] = row("words", description="It has one now")
    issues["severe"] = row("severe", severity="critical")
    issues["fixed"] = row("fixed", status="fixed", title="Was")
    issues["judged"] = row("judged", status="false positive")
    issues["back"] = row("back", title="Back again")
    issues["new"] = row("new")
    issues.pop("gone")
    return scene, scene.sync(), before


def test_everything_is_as_before_and_what_was_created_is_inactive(changed: Any) -> None:
    """records.md, Undo: what it created becomes inactive (*undone*), what it changed, closed, reopened returns to what
    the journal says."""
    scene, sync, before = changed

    operation = undo(scene, sync)

    after = content()
    new = after.pop("new")
    assert after == before
    assert (new["open"], new["active"], new["closed_because"]) == (False, False, "undone")
    assert new["closed_operation"] == operation.pk
    assert new["closed_at"] is not None
    assert tallies() == true_tallies()
    assert operation.status == "success"
    assert operation.counts == {"inactive": 1, "as_before": 4, "open_again": 2, "closed_again": 1}
    assert operation.why == (
        f"Sync {sync.pk} is undone: 1 created is inactive, 4 changed are as before, 2 are open again,"
        " 1 is closed again."
    )
    assert scene.result(operation, "shop").outcome == "complete"
    assert "1 created is inactive" in scene.log(operation)


def test_each_line_of_the_journal_says_what_it_was_before_the_undo(changed: Any) -> None:
    """Issue 5, provenance: the whole story of a finding, with the Operation and who did it."""
    scene, sync, _ = changed
    was = scene.findings()

    operation = undo(scene, sync)

    lines = {
        line.finding.key: line for line in Journal.objects.filter(operation=operation.pk).select_related("finding")
    }
    assert {(line.kind, line.actor) for line in lines.values()} == {("undone", "bob")}
    assert lines.keys() == {"text", "words", "severe", "gone", "fixed", "judged", "back", "new"}
    assert lines["new"].before == {"open": True, "active": True}
    assert lines["text"].before == {"title": "Another"}
    assert lines["words"].before == {"fields": {"description": "It has one now"}}
    gone = lines["gone"].before
    assert (gone["open"], gone["closed_because"], gone["closed_operation"]) == (False, "gone", sync.pk)
    assert gone["closed_at"]
    assert (lines["severe"].before["severity_vendor"], lines["severe"].before["severity"]) == (5, 5)
    assert (lines["judged"].before["vendor_verdict"], lines["judged"].before["active"]) == (1, False)
    assert lines["back"].before == {"open": True, "active": True, "title": was["back"].title}


def test_what_the_undo_does_is_noted_where_others_look_for_it(changed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proofs stay: what was read was read. A Sync that reads meanwhile compares again; search finds the old words."""
    monkeypatch.setattr("tidegate.actions.operation.index_words", lambda *, seconds: None)
    scene, sync, _ = changed
    epoch, part, due = scene.record("shop").epoch, Part.objects.values().get(), set(WordsDue.objects.values_list("pk"))

    operation = undo(scene, sync)

    assert scene.record("shop").epoch == epoch + 1
    assert scene.record("shop").changing_operation_id is None
    assert Part.objects.values().get() == part
    results = Result.objects.filter(operation=sync)
    assert set(results.values_list("undone_by", flat=True)) == {operation.pk}
    assert results.count() == 2
    fresh = [one.finding_id for one in WordsDue.objects.all() if (one.pk,) not in due]
    assert {finding.key for finding in Finding.objects.filter(pk__in=fresh)} == {
        "text", "words", "severe", "fixed", "judged", "back"
    }  # fmt: skip
    nil = {key for key, finding in scene.findings().items() if finding.fingerprint == UUID(int=0)}
    assert nil == {"text", "words", "severe", "fixed", "judged", "back"}


def test_the_next_sync_brings_the_truth_of_the_vendor_and_holds_what_it_would_close_again(changed: Any) -> None:
    """records.md, Undo: closings that a person undid come back as *held* if repeated; issue 5: the next sync brings the
    vendor's truth again."""
    scene, sync, _ = changed
    truth = content(*SHOWN)
    undo(scene, sync)

    again = scene.sync()

    after = content(*SHOWN)
    closed = {"gone", "fixed"}
    assert {key: facts for key, facts in after.items() if key not in closed} == {
        key: facts for key, facts in truth.items() if key not in closed
    }
    assert scene.waiting() == closed
    assert scene.open() >= closed
    assert again.status == "partial"
    assert again.counts["held"] == 2
    assert again.counts["reopened"] == 2
    assert "created" not in again.counts
    assert tallies() == true_tallies()
    operations.approve(ALICE, again.pk)
    assert {key: finding.closed_because for key, finding in scene.findings().items() if not finding.open} == {
        "gone": "gone",
        "fixed": "fixed",
    }


def test_what_the_vendor_shows_again_after_an_undo_is_simply_open(scene: Scene) -> None:
    """records.md: found again → off the list."""
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    issues = scene.world.issues("shop")
    b = issues.pop("b")
    undo(scene, scene.sync())
    issues["b"] = b

    again = scene.sync()

    assert again.counts["unchanged"] == 2
    assert not Held.objects.exists()
    issues.pop("b")
    assert scene.sync().counts["closed"] == 1, "it was shown since, so it closes as any other"


def test_an_undone_closing_is_remembered_and_no_page_shows_it(changed: Any) -> None:
    """records.md, Undo. It waits for nothing yet: nobody is asked before it comes again."""
    from tidegate.reads.finding import finding as read
    from tidegate.reads.operation import operation as read_operation

    scene, sync, _ = changed

    undo(scene, sync)

    assert {(held.finding.key, held.because, held.standing, held.undone) for held in Held.objects.all()} == {
        ("gone", "gone", "pending", True),
        ("fixed", "fixed", "pending", True),
    }
    assert set(Held.objects.values_list("since_operation", "latest_operation")) == {(sync.pk, sync.pk)}
    gone = scene.findings()["gone"]
    seen = Held.objects.get(finding=gone).last_seen_at
    assert seen == Operation.objects.get(pk=sync.pk - 1).ended_at, "the last Sync that showed it"
    told = read(gone.pk)
    assert told is not None
    assert told.finding.why == "Open: the tool reports it."
    shown = read_operation(sync.pk)
    assert shown is not None
    assert shown.held == []
    assert shown.operation.held == 0


def test_closings_that_the_sync_held_wait_no_longer_but_what_a_person_kept_open_is_kept(scene: Scene) -> None:
    """Held rows that the undone Sync began go away; kept open ones stay."""
    scene.mapped(shop=many(30), api=many(30, "g"))
    scene.sync()
    scene.world.issues("shop").clear()
    scene.world.issues("shop").update(many(3))
    scene.world.issues("api").clear()
    scene.world.issues("api").update(many(3, "g"))
    sync = scene.sync()
    Held.objects.filter(feed__record=scene.record("api")).update(standing=Held.KEPT_OPEN)

    operation = undo(scene, sync)

    assert scene.waiting("kept open") == {f"g{n}" for n in range(3, 30)}
    assert scene.waiting() == set()
    assert operation.counts == {"let_go": 27}
    assert len(scene.open()) == 60


def test_what_waits_since_an_earlier_sync_goes_on_waiting(scene: Scene) -> None:
    """Only what the undone Sync began goes away."""
    scene.mapped(shop=many(30))
    scene.sync()
    scene.world.issues("shop").clear()
    scene.world.issues("shop").update(many(3))
    first = scene.sync()
    scene.world.issues("shop").pop("f0")

    undo(scene, scene.sync())

    assert scene.waiting() == {f"f{n}" for n in range(3, 30)}
    assert set(Held.objects.values_list("since_operation", flat=True)) == {first.pk}


def test_a_closing_that_was_held_because_it_was_undone_is_remembered_when_that_sync_is_undone_too(scene: Scene) -> None:
    """Whoever undid it once did not change their mind."""
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    scene.world.issues("shop").pop("b")
    undo(scene, scene.sync())
    again = scene.sync()
    assert scene.waiting() == {"b"}
    Held.objects.update(since_operation=again.pk)  # it is this one that began to hold it

    undo(scene, again)

    assert scene.waiting("pending") == {"b"}
    scene.sync()
    assert scene.waiting() == {"b"}
    assert scene.open() == {"a", "b"}


# What people decided since


def test_decisions_of_people_since_are_in_force_after_an_undo(changed: Any) -> None:
    """records.md, Undo: later decisions of people stay."""
    scene, sync, before = changed
    found = scene.findings()
    decisions.decide_finding(ALICE, found["text"].pk, verdict="false positive")
    decisions.decide_finding(ALICE, found["gone"].pk, severity="Low")
    decisions.decide_finding(ALICE, found["judged"].pk, verdict="real")
    decisions.decide_finding(ALICE, found["new"].pk, note="mine")

    operation = undo(scene, sync)

    after = content()
    assert (after["text"]["title"], after["text"]["open"], after["text"]["active"]) == ("Weakness text", True, False)
    assert (after["gone"]["open"], after["gone"]["active"], after["gone"]["severity"]) == (True, True, 1)
    assert after["gone"]["severity_vendor"] == before["gone"]["severity_vendor"]
    assert (after["judged"]["active"], after["judged"]["vendor_verdict"]) == (True, 0)
    assert Decision.objects.count() == 4
    assert "kept" not in operation.counts


def test_an_acceptance_that_has_ended_is_not_in_force(changed: Any) -> None:
    """records.md: an acceptance ends on its date."""
    scene, sync, _ = changed
    decisions.decide_finding(ALICE, scene.findings()["gone"].pk, verdict="false positive")
    Decision.objects.update(until="2020-01-01T00:00:00Z")

    undo(scene, sync)

    assert scene.findings()["gone"].active


def test_what_a_person_closed_since_stays_closed_and_only_its_texts_go_back(changed: Any) -> None:
    """records.md, Undo: later decisions of people stay."""
    scene, sync, _ = changed
    decided = Finding.objects.filter(key__in=["text", "back", "new"])
    decided.update(
        open=False, active=False, closed_because="person", closed_operation=None, closed_at="2026-05-01T00:00Z"
    )

    of_a_change = {"closed_because": "person", "closed_operation": sync.pk + 1}
    Finding.objects.filter(key="gone").update(**of_a_change)

    operation = undo(scene, sync)

    after = scene.findings()
    assert {key for key, finding in after.items() if finding.closed_because == "person"} == {
        "text",
        "back",
        "new",
        "gone",
    }
    assert after["text"].title == "Weakness text"
    assert after["back"].title == "Weakness back"
    assert operation.counts == {"as_before": 3, "open_again": 1, "kept": 4}
    assert "; 4 were decided by a person since and stay." in operation.why


def test_what_a_person_opened_again_since_stays_open(changed: Any) -> None:
    """The other way round; and nothing is held of it: the person said so themselves."""
    scene, sync, _ = changed
    Finding.objects.filter(key="gone").update(
        open=True, active=True, closed_because=None, closed_operation=None, closed_at=None
    )

    operation = undo(scene, sync)

    assert scene.findings()["gone"].open
    assert operation.counts["kept"] == 1
    assert set(Held.objects.values_list("finding__key", flat=True)) == {"fixed"}


def test_closings_that_were_held_and_approved_stay_closed(scene: Scene) -> None:
    """Approve names the Sync in its lines, but a person said it."""
    scene.mapped(shop=many(30))
    scene.sync()
    scene.world.issues("shop").clear()
    scene.world.issues("shop").update(many(3) | rows("new"))
    sync = scene.sync()
    operations.approve(ALICE, sync.pk)

    operation = undo(scene, sync)

    assert scene.open() == {"f0", "f1", "f2"}
    assert operation.counts == {"inactive": 1, "kept": 27}
    assert not Held.objects.exists()


def test_a_threshold_that_was_raised_since_stays_in_force(changed: Any) -> None:
    """records.md, Threshold: below it nothing is stored; later decisions of people stay."""
    scene, sync, _ = changed
    connections.edit_connection(ALICE, scene.connection_id, minimum_severity=5)
    scene.forget_what_waits()

    operation = undo(scene, sync)

    assert scene.open() == set()
    after = scene.findings()
    assert {after[key].closed_because for key in ("gone", "fixed", "severe")} == {"threshold"}
    assert after["severe"].severity == 4
    assert after["severe"].closed_operation == operation.pk
    assert not Held.objects.exists()
    assert tallies() == true_tallies()


def test_what_the_sync_closed_below_the_threshold_is_open_again_as_severe_as_it_was(scene: Scene) -> None:
    """A closing by the threshold is a closing as any other, and is held where it comes again."""
    scene.configure(minimum_severity=3)
    scene.mapped(shop=rows("a"))
    scene.sync()
    scene.world.issues("shop")["a"] = row("a", severity="low")
    sync = scene.sync()

    undo(scene, sync)

    assert (scene.findings()["a"].open, scene.findings()["a"].severity) == (True, 4)
    again = scene.sync()
    assert scene.waiting() == {"a"}
    assert again.counts["held"] == 1
    operations.approve(ALICE, again.pk)
    assert scene.findings()["a"].closed_because == "threshold"


def test_what_was_reopened_is_closed_as_it_was_also_where_nobody_knows_by_which_operation(scene: Scene) -> None:
    """A closing by a person has no Operation; and its time is what it was."""
    scene.mapped(shop=rows("a"))
    scene.sync()
    Finding.objects.update(
        open=False, active=False, closed_because="person", closed_operation=None, closed_at="2026-05-01T00:00Z"
    )
    before = content()
    sync = scene.sync()
    assert scene.open() == {"a"}

    undo(scene, sync)

    assert content() == before


# What cannot be undone


def refused(sync: Any, *record_ids: int) -> str:
    with pytest.raises(Refused) as error:
        undo_sync(BOB, getattr(sync, "pk", sync), list(record_ids) or None)
    return str(error.value)


def test_only_the_latest_applied_sync_of_a_record_can_be_undone(scene: Scene) -> None:
    """records.md, Undo: an applied Sync can be undone while it is the Record's latest."""
    scene.mapped(shop=rows("a"))
    first, second = scene.sync(), scene.sync()

    assert f"Sync {second.pk} was applied later" in refused(first)
    assert f"tidegate operation undo {second.pk} --record {scene.record('shop').pk}" in refused(first)
    undone = undo(scene, second)
    assert f"Operation {undone.pk} undid that one" in refused(first)
    assert scene.open() == {"a"}


def test_a_later_sync_that_applied_nothing_does_not_stand_in_the_way(scene: Scene) -> None:
    """Failed and dropped results wrote nothing."""
    scene.mapped(shop=rows("a"))
    first, second = scene.sync(), scene.sync()
    Result.objects.filter(operation=second).update(outcome="failed", feed_id=None)

    undo(scene, first)

    assert scene.open() == set()
    assert "applied nothing to it" in refused(second, scene.record("shop").pk)
    assert "applied to no Record" in refused(second)


def test_it_cannot_be_undone_twice_nor_can_the_undo(scene: Scene) -> None:
    """An undo cannot itself be undone: the next Sync brings the truth again."""
    scene.mapped(shop=rows("a"))
    sync = scene.sync()
    operation = undo(scene, sync)

    assert f"undone already, by Operation {operation.pk}" in refused(sync)
    assert f"Operation {operation.pk} undid it already" in refused(sync, scene.record("shop").pk)
    assert "an undo is not undone itself" in refused(operation)


def test_a_preview_or_a_discover_cannot_be_undone(scene: Scene) -> None:
    """A preview wrote nothing; a Discover imports nothing."""
    scene.mapped(shop=rows("a"))
    sync = scene.sync()
    discover = Operation.objects.get(type="discover")
    Operation.objects.filter(pk=sync.pk).update(preview=True)

    assert "wrote nothing" in refused(sync)
    assert "is no Sync" in refused(discover)
    assert "There is no Operation 99." in refused(99)


def test_a_sync_that_has_not_ended_cannot_be_undone(scene: Scene) -> None:
    scene.mapped(shop=rows("a"))
    scene.sync()
    number = operations.request_sync(ALICE, scene.connection_id)

    assert f"tidegate operation cancel {number}" in refused(number)


def test_a_sync_of_an_earlier_version_cannot_be_undone(scene: Scene) -> None:
    """Tidegate did not note where it wrote."""
    scene.mapped(shop=rows("a"))
    sync = scene.sync()
    Result.objects.update(feed_id=None)

    assert f"Tidegate did not note where Sync {sync.pk} wrote" in refused(sync)


def ignored(scene: Scene) -> None:
    records.ignore_records(ALICE, [scene.record("shop").pk])


def remapped(scene: Scene) -> None:
    scene.map("shop", "Elsewhere")


def deleted(scene: Scene) -> None:
    records.delete_records(ALICE, [scene.record("shop").pk])


def product_deleted(scene: Scene) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM product")


STANDS_IN_THE_WAY: dict[str, Any] = {
    "The Record was ignored since. Undo that first: tidegate record undo": ignored,
    "The Record writes to «Elsewhere» now": remapped,
    "The Record was deleted since": deleted,
    "The product that Sync 3 wrote to was deleted": product_deleted,
}


@pytest.mark.parametrize("says", STANDS_IN_THE_WAY)
def test_a_record_that_writes_elsewhere_by_now_says_which_decision_stands_in_the_way(scene: Scene, says: str) -> None:
    """The Record still writes to the Feed that the Sync was applied to; also when the undo is carried out."""
    scene.mapped(shop=rows("a"))
    sync = scene.sync()
    asked = undo_sync(BOB, sync.pk)
    Operation.objects.filter(pk=asked).update(status="failed")  # as a way to let the Record be decided
    scene.record("shop")._meta.model.objects.update(changing_operation=None)
    STANDS_IN_THE_WAY[says](scene)

    assert says in refused(sync)
    Operation.objects.filter(pk=asked).update(status="pending")
    see_through(asked)

    operation = scene.operation(asked)
    assert operation.status == "failed"
    assert says in operation.why
    assert scene.open() == {"a"} or not Finding.objects.exists()


def test_a_record_that_moved_with_its_findings_can_be_undone_still(scene: Scene) -> None:
    """A remap that moves: the Feed itself goes along."""
    scene.mapped(shop=rows("a"))
    sync = scene.sync()
    scene.map("shop", "Elsewhere", already_imported="move")
    for operation in Operation.objects.filter(type="change"):
        see_through(operation.pk)

    undo(scene, sync)

    assert scene.open() == set()


def test_a_whole_operation_is_undone_only_where_all_its_records_allow_it(scene: Scene) -> None:
    """Issue 5: undo of a whole Operation where all its Records allow it; each refusal says why."""
    scene.mapped(shop=rows("a"), api=rows("b"), web=rows("c"))
    sync = scene.sync()
    later = scene.sync("api")

    said = refused(sync)

    assert "for 1 of 3 Records" in said
    assert f"Product api: Sync {later.pk} was applied later" in said
    shop, web = scene.record("shop").pk, scene.record("web").pk
    assert f"tidegate operation undo {sync.pk} --record {shop} --record {web}" in said
    assert scene.open() == {"a", "b", "c"}
    assert not Operation.objects.filter(type="change").exists()
    operation = undo(scene, sync, "shop", "web")
    assert scene.open() == {"b"}
    assert operation.counts == {"inactive": 2}


def test_one_record_is_undone_and_another_of_the_same_sync_is_not(scene: Scene) -> None:
    """Issue 5: undo of the latest applied Sync of a Record; what the same Sync did elsewhere stays."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    scene.sync()
    scene.world.issues("shop")["a"] = row("a", title="Another")
    scene.world.issues("api")["b"] = row("b", title="Another")
    sync = scene.sync()

    operation = undo(scene, sync, "shop")

    assert {key: finding.title for key, finding in scene.findings().items()} == {"a": "Weakness a", "b": "Another"}
    assert operation.counts == {"as_before": 1}
    assert scene.result(sync, "api").undone_by is None


def test_what_is_left_of_an_operation_is_undone_as_a_whole(scene: Scene) -> None:
    """A Record that was undone singly does not stand in the way of the others."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    sync = scene.sync()
    undo(scene, sync, "shop")

    operation = undo(scene, sync)

    assert operation.scope["records"] == [scene.record("api").pk]
    assert scene.open() == set()


def test_a_record_that_the_sync_did_not_read_says_so(scene: Scene) -> None:
    scene.mapped(shop=rows("a"), api=rows("b"))
    sync = scene.sync("shop")

    assert f"Product api: Sync {sync.pk} did not read it" in refused(sync, scene.record("api").pk)
    assert "There is no Record 99." in refused(sync, 99)


# While others are at work


def test_two_at_once_undo_once(scene: Scene) -> None:
    """The second is told who has the Record, and afterwards that it is done."""
    scene.mapped(shop=rows("a"))
    sync = scene.sync()
    first = undo_sync(ALICE, sync.pk)

    assert f"Operation {first} has its findings on their way" in refused(sync)
    see_through(first)

    assert f"undone already, by Operation {first}" in refused(sync)
    assert len(scene.journal("a")) == 1


def test_a_sync_that_read_the_record_before_the_undo_applies_the_truth_and_closes_nothing(scene: Scene) -> None:
    """records.md, While a Sync runs: what only an undo meanwhile makes look gone stays open."""
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    issues = scene.world.issues("shop")
    issues.pop("b")
    issues["a"] = row("a", title="Another")
    sync = scene.sync()

    meanwhile(scene, lambda: undo(scene, sync))
    again = scene.sync()

    assert scene.open() == {"a", "b"}
    assert scene.findings()["a"].title == "Another"
    assert scene.waiting() == set()
    assert again.counts.get("closed", 0) == 0


def test_while_an_undo_is_under_way_no_sync_writes_to_its_records(scene: Scene) -> None:
    """A change has its Records to itself."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    sync = scene.sync()
    scene.world.issues("shop").update(rows("new"))
    scene.world.issues("api").update(rows("other"))
    asked: list[int] = []

    meanwhile(scene, lambda: asked.append(undo_sync(BOB, sync.pk, [scene.record("shop").pk])))
    again = scene.sync()

    assert scene.result(again, "shop").outcome == "dropped"
    assert scene.open() == {"a", "b", "other"}
    see_through(asked[0])
    assert scene.open() == {"b", "other"}


def test_what_a_cancelled_undo_left_is_asked_for_again(scene: Scene) -> None:
    """records.md, Operations: what is applied stays, what is not is not begun; and again for what is left only."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    sync = scene.sync()
    asked = undo_sync(BOB, sync.pk)
    operations.cancel(ALICE, asked)
    assert scene.open() == {"a", "b"}
    Result.objects.create(operation_id=asked, record=scene.record("shop"), outcome="complete")

    again = operations.request_again(ALICE, asked)

    assert scene.operation(again).scope["records"] == [scene.record("api").pk]
    see_through(again)
    assert scene.open() == {"a"}
    with pytest.raises(Refused, match="Nothing of Operation"):
        operations.request_again(ALICE, again)


def test_a_record_that_has_its_result_already_is_not_undone_twice(scene: Scene) -> None:
    """promises.md 6: taken up again it goes on where it was; doing it twice changes nothing."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    sync = scene.sync()
    asked = undo_sync(BOB, sync.pk)
    in_another_thread(lambda: see_through(asked))
    lines = Journal.objects.count()
    Operation.objects.filter(pk=asked).update(status="pending", ended_at=None)

    see_through(asked)

    assert Journal.objects.count() == lines == 2
    assert scene.operation(asked).counts == {"inactive": 2}
