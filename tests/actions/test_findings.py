"""Deciding the same about many findings, by numbers or by a filter; to each it is what one decision would be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from tests import world
from tests.actions.test_matrix import everything_stored
from tests.world import ALICE, BOB
from tidegate.actions import finding as findings
from tidegate.actions import record as records
from tidegate.actions.errors import Forbidden, NotThere, Refused
from tidegate.actions.finding import close_findings, decide_finding, decide_findings, preview_findings
from tidegate.reads import finding as reads
from tidegate.rules.access import Grant, granted
from tidegate.rules.actor import Actor
from tidegate.rules.undo import undo_step
from tidegate.store import models
from tidegate.store.writers.words import index_words
from tidegate_sdk import Severity

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def shop(database: object) -> list[int]:
    """Four findings of «shop», the first also on another Branch, and one closed; each of another severity."""
    record = world.record(world.connection("Burp"), "shop")
    records.map_records(ALICE, [record], new_product="Shop")
    ranks = [Severity(word).rank for word in ("Critical", "High", "Low")]
    made = [world.synced(record, f"k{n}", severity_vendor=rank)[0] for n, rank in enumerate(ranks)]
    made += world.synced(record, "k0", branch="dev", severity_vendor=ranks[0])
    return made + world.synced(record, "gone", open=False, closed_because="gone", active=False)


def shares(done: Any) -> dict[str, int]:
    return {share.fate: share.number for share in done.shares}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "Nothing was decided"),
        ({"verdict": "nonsense"}, "is no verdict"),
        ({"severity": "Dreadful"}, "is no severity"),
        ({"verdict": "false positive", "until": datetime(2999, 1, 1, tzinfo=UTC)}, "has no end"),
        ({"verdict": "accepted", "until": datetime(2001, 1, 1, tzinfo=UTC)}, "ended already"),
        ({"until": datetime(2999, 1, 1, tzinfo=UTC)}, "Only an acceptance has an end"),
        ({"note": "a\x00b"}, "cannot be shown"),
        ({"verdict": "real", "expected": ""}, "not said how many"),
        ({"verdict": "real", "expected": "6"}, "there are 5 now"),
        ({"verdict": "real", "finding_ids": [1]}, "not clear which findings"),
        ({"verdict": "real", "matching": None}, "not clear which findings"),
        ({"verdict": "real", "matching": {"severity": "Info"}, "expected": "0"}, "No finding is so"),
    ],
)
def test_what_is_not_clear_or_not_as_expected_changes_nothing(shop: list[int], said: dict[str, Any], why: str):
    before = everything_stored()

    with pytest.raises(Refused, match=why):
        decide_findings(ALICE, **{"matching": {}, "expected": "5"} | said)

    assert everything_stored() == before


def test_numbers_that_nobody_has_change_nothing(shop: list[int]):
    with pytest.raises(NotThere, match="no Finding 987"):
        decide_findings(ALICE, [shop[0], 987], verdict="real")
    with pytest.raises(NotThere, match="no Finding 987"):
        close_findings(ALICE, [shop[0], 987])
    assert not models.Decision.objects.exists()


def test_a_preview_that_no_longer_fits_is_refused(shop: list[int]):
    seen = preview_findings(ALICE, "decide", matching={"status": "open"})
    decide_finding(BOB, shop[1], verdict="accepted")

    with pytest.raises(Refused, match="one was decided since"):
        decide_findings(ALICE, matching={"status": "open"}, expected=seen.expected, verdict="real")

    assert models.Decision.objects.get().by == "bob"


def test_more_than_can_be_are_refused(shop: list[int], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(findings, "MOST", 4)

    with pytest.raises(Refused, match="more than 4 findings"):
        preview_findings(ALICE, "decide", matching={})
    with pytest.raises(Refused, match="more than 4 findings"):
        decide_findings(ALICE, matching={}, expected="5", verdict="real")
    assert preview_findings(ALICE, "decide", matching={"status": "open"}).number == 4


def test_a_search_with_more_hits_than_are_ranked_is_refused(shop: list[int], monkeypatch: pytest.MonkeyPatch):
    """Of such a search the best hits are shown, which are never all: what nobody saw is not decided about."""
    for one in models.Finding.objects.all():
        models.WordsDue.objects.create(feed_id=one.feed_id, finding_id=one.pk)
    index_words()
    assert decide_findings(ALICE, matching={"search": "k0"}, expected="2", verdict="real").changed == 2
    monkeypatch.setattr(reads, "HITS", 4)

    with pytest.raises(Refused, match="hits of a search"):
        preview_findings(ALICE, "decide", matching={"search": "weakness"})


def test_what_is_not_seen_is_not_there_and_what_may_not_be_is_told(shop: list[int]):
    """promises.md, Users: roles are checked; what lies elsewhere is not there."""
    other = world.record(world.connection("Other"), "other")
    records.map_records(ALICE, [other], new_product="Other")
    (elsewhere,) = world.synced(other, "x")
    one, two = (models.Product.objects.get(name=name).pk for name in ("Shop", "Other"))
    reader = Actor("person", "carol", granted([Grant("reader", "product", one)]))
    mixed = Actor("person", "carol", granted([Grant("reader", "product", one), Grant("mapper", "product", two)]))

    with pytest.raises(Forbidden):
        decide_findings(reader, matching={}, expected="5", verdict="real")
    with pytest.raises(Forbidden):
        decide_findings(mixed, [shop[0], elsewhere], verdict="real")
    done = decide_findings(mixed, matching={}, expected="6", verdict="real")

    assert shares(done) == {"decide": 1, "forbidden": 5}
    assert preview_findings(reader, "decide", matching={}).number == 5
    assert {row.feed.record_id for row in models.Decision.objects.select_related("feed")} == {other}


def test_findings_that_a_change_is_at_are_left_alone(shop: list[int]):
    change = world.operation(models.Connection.objects.get(), "change", "running", scope={"change": "close"})
    models.Record.objects.update(changing_operation=change)

    done = decide_findings(ALICE, shop, verdict="real")

    assert (shares(done), done.changed, len(done.refusals)) == ({"changing": 5}, 0, 5)
    assert not models.Decision.objects.exists()


SAID: list[dict[str, Any]] = [
    {"verdict": "false positive"},
    {"verdict": "out of scope", "note": "elsewhere", "tags": ["b", "a"], "verified": True},
    {"verdict": "accepted", "until": datetime(2999, 1, 1, tzinfo=UTC)},
    {"severity": "Low"},
    {"severity": "Critical", "verdict": "real"},
    {"verdict": "none", "severity": "none", "note": "", "tags": [], "verified": None},
    {"note": "only a note"},
]


def state() -> list[Any]:
    found = models.Finding.objects.order_by("pk").values_list("pk", "severity", "open", "active", "closed_because")
    said = models.Decision.objects.order_by("family", "key_hash", "field")
    told = models.Journal.objects.filter(kind="decided").order_by("finding_id", "pk")
    return [
        list(found),
        list(said.values_list("feed_id", "family", "key_hash", "field", "value", "until", "by")),
        [(row.finding_id, row.actor, without_times(row.before)) for row in told],
    ]


def without_times(before: dict[str, Any]) -> dict[str, Any]:
    said = {field: old and {**old, "at": "", "until": bool(old["until"])} for field, old in before["decision"].items()}
    return before | {"decision": said, "step": "each its own"}


@pytest.mark.parametrize("minimum", ["Info", "Medium"])
@pytest.mark.parametrize("said", SAID, ids=lambda said: " ".join(map(str, said.values()))[:40])
def test_many_at_once_are_what_each_would_be(shop: list[int], said: dict[str, Any], minimum: str):
    """One statement for many does to each what the statement for one does: decision, severity, activity, closing below
    the threshold, journal, on all Branches."""
    models.Connection.objects.update(minimum_severity=Severity(minimum).rank)
    decide_finding(BOB, shop[0], verdict="accepted", until=world.now() + timedelta(days=9), severity="High", note="old")
    decide_finding(BOB, shop[1], verdict="false positive", tags=["x"])
    with transaction.atomic():
        for finding in (shop[0], shop[1], shop[2], shop[4]):
            decide_finding(ALICE, finding, **said)
        singly = state()
        transaction.set_rollback(True)

    done = decide_findings(ALICE, matching={}, expected="5", **said)

    assert state() == singly
    assert (done.changed, done.step is None) == (5, False)
    assert world.tallies() == world.true_tallies()


def test_what_nothing_watches_is_closed_together(shop: list[int]):
    """records.md, Unwatched: a person may close them together."""
    records.map_records(ALICE, [models.Record.objects.get().pk], new_product="Another")
    watched = world.synced(models.Record.objects.get().pk, "new")

    seen = preview_findings(ALICE, "close", matching={})
    done = close_findings(BOB, matching={"status": "unwatched"}, expected="4")
    again = close_findings(BOB, matching={}, expected="6")

    assert shares(seen) == {"close": 4, "closed": 1, "watched": 1}
    assert (done.changed, shares(again)) == (4, {"closed": 5, "watched": 1})
    assert [one.id for one in again.refusals] == watched
    assert world.journal(shop[0])[-1] == ("closed", "bob")
    assert world.tallies() == world.true_tallies()


def test_it_takes_few_statements_whatever_their_number(shop: list[int], django_assert_max_num_queries: Any):
    record = models.Record.objects.get().pk
    world.synced(record, *(f"many {n}" for n in range(150)))
    with django_assert_max_num_queries(40):
        done = decide_findings(ALICE, matching={"record_id": record}, expected="155", verdict="out of scope")

    assert (done.changed, len(done.shares[0].examples)) == (155, 5)
    assert models.Decision.objects.count() == 154


def stands() -> list[Any]:
    """What each finding is and what was decided about it, but for the journal."""
    facts = ("pk", "open", "active", "severity", "closed_because", "closed_operation", "closed_at")
    decided = ("feed_id", "family", "key_hash", "field", "value", "until", "by", "at")
    return [
        list(models.Finding.objects.order_by("pk").values_list(*facts)),
        sorted(models.Decision.objects.values_list(*decided), key=str),
    ]


@pytest.mark.parametrize("minimum", ["Info", "Medium"])
@pytest.mark.parametrize("said", SAID, ids=lambda said: " ".join(map(str, said.values()))[:40])
def test_an_undo_is_exactly_what_was(shop: list[int], said: dict[str, Any], minimum: str):
    """Promise: every step can be undone. What was said before is back with its author, its time and its end; what the
    step put below the threshold is open again; the journal tells both."""
    models.Connection.objects.update(minimum_severity=Severity(minimum).rank)
    decide_finding(BOB, shop[0], verdict="accepted", until=world.now() + timedelta(days=9), severity="High", note="old")
    decide_finding(BOB, shop[1], verdict="false positive", tags=["x"])
    before = stands()
    done = decide_findings(ALICE, shop[:2] + shop[3:], **said)

    undone = findings.undo(BOB, step=done.step)

    assert stands() == before
    assert (undone.changed, undone.refused, undone.step) == (4, 0, None)
    assert world.journal(shop[0])[-2:] == [("decided", "alice"), ("undone", "bob")]
    told = reads.finding(shop[0])
    assert told is not None
    assert told.story[-1].what.startswith("Undone by bob")
    assert world.tallies() == world.true_tallies()


def test_what_was_decided_again_or_undone_is_left_alone(shop: list[int]):
    """A Sync in between hinders no undo, another word does; an undo is not undone."""
    first = decide_findings(ALICE, shop[:3], verdict="accepted")
    decide_finding(BOB, shop[1], note="beside it")
    decide_finding(BOB, shop[2], verdict="real")

    done = findings.undo(ALICE, step=first.step)
    again = findings.undo(ALICE, step=first.step)

    assert shares(done) == {"undo": 3, "decided since": 1}  # the first on both its Branches
    assert [one.id for one in done.refusals] == [shop[2]]
    assert shares(again) == {"undone": 3, "decided since": 1}
    assert dict(models.Decision.objects.values_list("field", "value")) == {"note": "beside it", "verdict": "real"}
    with pytest.raises(Refused, match="undo already"):
        findings.undo(ALICE, step=undo_step(first.step or uuid4()))
    with pytest.raises(NotThere, match="no step"):
        findings.undo(ALICE, step=uuid4())
    with pytest.raises(NotThere, match="Nobody decided"):
        findings.undo(ALICE, finding_id=shop[4])


def test_what_was_closed_together_opens_together(shop: list[int]):
    records.map_records(ALICE, [models.Record.objects.get().pk], new_product="Another")
    decide_finding(BOB, shop[0], verdict="accepted")
    before = stands()
    done = close_findings(BOB, matching={"status": "unwatched"}, expected="4")
    models.Finding.objects.filter(pk=shop[2]).update(closed_because="fixed")

    undone = findings.undo(ALICE, step=done.step)

    assert shares(undone) == {"reopen": 3, "closed since": 1}
    models.Finding.objects.filter(pk=shop[2]).update(open=True, active=True, closed_because=None, closed_at=None)
    assert stands() == before


def test_only_whoever_may_decide_there_undoes(shop: list[int]):
    """Others' findings of a step are not there for whoever does not see them, and stay for whoever only looks."""
    product, other = models.Product.objects.get().pk, world.record(models.Connection.objects.get(), "other")
    records.map_records(ALICE, [other], new_product="Other")
    theirs = world.synced(other, "theirs")
    seen = models.Product.objects.get(name="Other").pk
    step = decide_findings(ALICE, [shop[0], *theirs], verdict="accepted").step
    carol = Actor("person", "carol", granted([Grant("mapper", "product", product), Grant("reader", "product", seen)]))
    dave = Actor("person", "dave", granted([Grant("mapper", "product", seen)]))

    assert shares(findings.undo(carol, step=step)) == {"undo": 2, "forbidden": 1}
    assert shares(findings.undo(dave, step=step)) == {"undo": 1}
