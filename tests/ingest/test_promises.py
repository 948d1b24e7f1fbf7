"""What records.md promises of Discover and Sync where no neighbour holds it yet: each sentence, end to end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.acme import Acme, Rows, as_json, many, row, rows
from tests.ingest.scene import ALICE, Scene, meanwhile, on_findings
from tidegate.actions import connection as connections
from tidegate.actions import finding as findings
from tidegate.actions import operation as operations
from tidegate.actions import product as products
from tidegate.actions import record as records
from tidegate.actions.errors import Refused
from tidegate.reads import connection as connection_reads
from tidegate.reads import finding as finding_reads
from tidegate.reads import operation as operation_reads
from tidegate.reads import record as record_reads
from tidegate.store.models import Connection, Decision, Finding, Held, Journal, Operation, Product, Quarantine
from tidegate_sdk import Ask, Family, List, Vep


def shown(scene: Scene, key: str) -> Any:
    """The Record as people see it."""
    detail = record_reads.record(scene.record(key).pk)
    assert detail is not None
    return detail


def lose(scene: Scene, key: str) -> None:
    """The vendor has it no longer, and a Discover saw everything else."""
    del scene.world.products[key]
    scene.discover()


# A Record is facts


def test_an_undecided_or_ignored_record_that_is_gone_keeps_its_state_and_is_deleted_in_bulk(scene: Scene) -> None:
    """records.md: an undecided or ignored Record whose VEP is gone keeps its state and is shown as *no longer in the
    tool*; it can be deleted in bulk."""
    for key in ("new", "ignored", "here"):
        scene.world.add(key)
    scene.discover()
    records.ignore_records(ALICE, [scene.record("ignored").pk])
    del scene.world.products["new"]
    lose(scene, "ignored")

    gone = [row for row in record_reads.records().records if row.no_longer_in_the_tool]
    assert {(row.vendor_id, row.state) for row in gone} == {("new", "New"), ("ignored", "Ignored")}
    assert all("o longer in the tool" in row.why for row in gone)

    outcome = records.delete_records(ALICE, [row.id for row in gone])

    assert [item.ok for item in outcome.items] == [True, True]
    scene.discover()
    assert [row.vendor_id for row in record_reads.records().records] == ["here"]


def test_auto_map_that_is_switched_on_later_decides_undecided_records_at_the_next_discover(scene: Scene) -> None:
    """records.md: auto-map is switched on later: it decides undecided Records at the next Discover; ignored ones stay
    ignored, and a person's decision stands."""
    for key in ("undecided", "ignored", "mapped"):
        scene.world.add(key, key)
    scene.discover()
    records.ignore_records(ALICE, [scene.record("ignored").pk])
    scene.map("mapped", "Chosen by a person")

    connections.edit_connection(ALICE, scene.connection_id, auto_map=True)
    assert scene.record("undecided").decision == "undecided"
    scene.discover()

    assert {row.vendor_id: (row.state, row.product) for row in record_reads.records().records} == {
        "undecided": ("Good", "undecided"),
        "ignored": ("Ignored", None),
        "mapped": ("Good", "Chosen by a person"),
    }


def test_a_missing_record_whose_target_was_deleted_meanwhile_is_stale_when_its_vep_is_back(scene: Scene) -> None:
    """records.md: a Missing VEP is back: Good again (or Stale); Missing is shown with Stale's reason too if both."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    there = scene.world.products["shop"]
    lose(scene, "shop")
    products.delete_product(ALICE, Product.objects.get(name="Product shop").pk, "Product shop")
    both = shown(scene, "shop").record
    assert both.state == "Missing"
    assert "also stale since" in both.why
    scene.world.products["shop"] = there

    scene.discover()

    assert shown(scene, "shop").record.state == "Stale"


def test_a_stale_record_is_refused_with_its_why_and_its_product_is_never_made_again(scene: Scene) -> None:
    """records.md: Product deleted: Stale at once; never silently made again. A Stale Record is asked to sync: refused,
    with its why."""
    scene.configure(auto_map=True)
    scene.mapped(shop=rows("a"), api=rows("b"))
    scene.sync()
    products.delete_product(ALICE, Product.objects.get(name="Product shop").pk, "Product shop")

    with pytest.raises(Refused, match=r"Stale since .*the Product «Product shop» that it wrote to was deleted"):
        scene.sync("shop")
    scene.sync()
    scene.discover()
    scene.sync()

    assert shown(scene, "shop").record.state == "Stale"
    assert not Product.objects.filter(name="Product shop").exists()
    assert scene.findings("shop") == {}


@pytest.mark.parametrize(("odd", "missing"), [({"id": "shop"}, {"old"}), ({"name": "No id"}, set[str]())])
def test_a_vep_that_cannot_be_read_counts_as_seen_and_without_an_id_nothing_is_missing(
    scene: Scene, odd: dict[str, str], missing: set[str]
) -> None:
    """records.md, One odd item: if its id can be read it counts as seen, the others may go; without a readable id
    nothing does. Discover cannot prove that it saw everything: nothing becomes Missing."""
    scene.mapped(shop=rows("a"), api=rows("b"), old=rows("c"))
    listed = {"items": [odd, {"id": "api", "name": "Product api", "parent": ""}], "total": 2}
    scene.world.interfere = lambda request: as_json(listed) if request.url.path == "/products" else None

    operation = scene.discover()

    assert operation.counts["quarantined"] == 1
    assert {row.vendor_id for row in record_reads.records(state="missing").records} == missing


def test_a_hold_of_absences_ends_when_a_later_discover_sees_enough_again(scene: Scene) -> None:
    """records.md: more than half of more than ten VEPs gone at once is held; what a later complete Discover no longer
    sees, and is not too much at once, is Missing."""
    keys = [f"site{number}" for number in range(12)]
    scene.mapped(**{key: rows(key) for key in keys})
    there = dict(scene.world.products)
    scene.world.products = {key: there[key] for key in keys[:3]}
    held = scene.discover()
    assert "now sees 3 of 12" in held.why
    assert record_reads.records(state="missing").records == []
    scene.world.products = {key: there[key] for key in keys[:8]}

    operation = scene.discover()

    assert (operation.status, operation.counts["missing"]) == ("success", 4)
    assert {row.vendor_id for row in record_reads.records(state="missing").records} == set(keys[8:])
    with pytest.raises(Refused, match="holds nothing any more"):
        operations.approve(ALICE, held.pk)


def test_a_deleted_record_comes_back_with_the_history_it_had(scene: Scene) -> None:
    """records.md: user deletes a Record: if the VEP still exists, Discover brings it back as New with its history."""
    scene.mapped(shop=rows("a"))
    records.delete_records(ALICE, [scene.record("shop").pk])

    scene.discover()

    found = shown(scene, "shop")
    assert (found.record.state, found.record.earlier_product) == ("New", "Product shop")
    assert [change.what for change in found.history] == [
        "Found by Discover 1.",
        "Mapped to «Product shop».",
        "Deleted. Its mapping was taken away.",
        "Discovered again.",
    ]


def test_only_logins_rejected_three_times_running_pause_a_connection(scene: Scene) -> None:
    """records.md, Operations: one whose login is rejected three times *running* pauses itself, by Discover or by Sync;
    a login between them begins the count anew. A paused Connection runs nothing."""

    def rejected(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(401)

    scene.world.interfere = rejected
    scene.discover()
    scene.sync()
    scene.world.interfere = None
    scene.discover()
    scene.world.interfere = rejected
    scene.sync()
    scene.discover()
    assert scene.connection.paused_at is None

    scene.sync()

    assert scene.connection.paused_at is not None
    for run in (scene.sync, scene.discover):
        with pytest.raises(Refused, match="rejected three times running"):
            run()


def test_a_continued_connection_goes_on_where_the_deleted_one_ended(scene: Scene) -> None:
    """records.md: *continue the deleted one*: same Records, Tests, decisions; Products, Engagements, Tests and Findings
    stay and still say where they came from."""
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    findings.decide_finding(ALICE, scene.findings()["a"].pk, verdict="accepted")
    connections.delete_connection(ALICE, scene.connection_id, "Acme")
    left = finding_reads.findings(status="unwatched").findings
    assert {(one.key, one.connection, one.product) for one in left} == {
        ("a", "Acme", "Product shop"),
        ("b", "Acme", "Product shop"),
    }

    again = connections.add_connection(ALICE, "acme", "Acme", {}, {}, continues=scene.connection_id, discover=False)
    scene.discover()
    operation = scene.sync()

    assert again == scene.connection_id
    assert operation.counts == {"seen": 2, "unchanged": 2, "records": 1}
    assert (scene.findings()["a"].active, scene.findings()["b"].active) == (False, True)
    assert finding_reads.findings(status="unwatched").findings == []


def test_a_decision_can_be_undone_until_a_sync_wrote_under_it(scene: Scene) -> None:
    """records.md: every decision can be undone as one step until a Sync wrote under it; a Discover does not hinder."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    scene.discover()
    scene.sync("shop")

    undone = {key: records.undo(ALICE, record_id=scene.record(key).pk).items[0].ok for key in ("shop", "api")}

    assert undone == {"shop": False, "api": True}
    assert (scene.record("shop").decision, scene.record("api").decision) == ("mapped", "undecided")


def test_the_badge_follows_the_last_sync_and_goes_by_itself(scene: Scene) -> None:
    """records.md: beside the state stands a badge, derived from the last Sync of the Record, gone by itself: failing,
    held, skipped, nothing visible. The Operation is *partial*, the badge *held*."""
    scene.mapped(shop=many(30))
    everything = scene.world.issues("shop")
    badges: list[str] = []

    def synced() -> Any:
        operation = scene.sync()
        badges.append(shown(scene, "shop").record.badge)
        return operation

    synced()
    scene.world.interfere = on_findings(lambda request: httpx2.Response(500))
    synced()
    scene.world.interfere = None
    scene.world.products["shop"].families["issues"] = rows("f0")
    held = synced()
    assert held.status == "partial"
    scene.world.products["shop"].families["issues"] = everything
    synced()
    scene.world.products["shop"].skipped["issues"] = "No scan has completed yet."
    synced()
    scene.world.products["shop"].skipped.clear()
    synced()

    assert badges == ["", "failing", "held", "", "skipped", ""]


def test_a_sync_that_is_shown_nothing_at_all_says_so_and_the_record_carries_it_as_a_badge(scene: Scene) -> None:
    """records.md, Operations: a success in which nothing at all was visible says so, with what the token probably
    lacks; the badge is *nothing visible*."""
    scene.mapped(shop={})

    operation = scene.sync()

    assert operation.status == "success"
    assert "Nothing at all was visible. Check what the account may see" in operation.why
    assert shown(scene, "shop").record.badge == "nothing visible"


# What a finding is


def branches(monkeypatch: pytest.MonkeyPatch, *, secret: bool = False) -> None:
    """Acme's Families are named `family@branch` in its world from here on."""

    def families(self: Acme, vep: Vep) -> Iterator[Family]:
        for name in self.world.products[vep.id].families:
            family, _, branch = name.partition("@")
            listing = List(Ask(f"products/{vep.id}/findings/{name}"), "items", self.paging(), self.finding, "id")
            yield Family(family, listing, branch=branch, off=frozenset({403}), secret=secret)

    monkeypatch.setattr(Acme, "families", families)


def in_branches(scene: Scene, **families: Rows) -> None:
    """A mapped Record with these Families; `__` stands for `@`."""
    scene.mapped(shop={})
    scene.world.products["shop"].families = {name.replace("__", "@"): there for name, there in families.items()}


def by_part() -> dict[tuple[str, str, str], tuple[bool, bool]]:
    """Open and active, by Family, Branch and the vendor's id."""
    return {(one.family, one.branch, one.key): (one.open, one.active) for one in Finding.objects.all()}


def test_a_finding_is_itself_by_feed_family_branch_and_the_vendors_id(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """records.md: a finding is itself by (Feed, Family, Branch, the vendor's id for it), compared as it is written."""
    branches(monkeypatch)
    in_branches(scene, code__main=rows("a", "A"), code__dev=rows("a"), secrets__main=rows("a"))

    scene.sync()

    assert by_part().keys() == {
        ("code", "main", "a"),
        ("code", "main", "A"),
        ("code", "dev", "a"),
        ("secrets", "main", "a"),
    }


def test_state_and_proof_are_per_branch(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """records.md: state and proof are per Branch; the proof is kept per Record, Family and Branch (pages, declared
    total, seen) and shown."""
    branches(monkeypatch)
    in_branches(scene, code__main=rows("a", "b"), code__dev=rows("a", "b"))
    first = scene.sync()
    for name in ("code@main", "code@dev"):
        scene.world.products["shop"].families[name].pop("a")
    scene.world.interfere = lambda request: httpx2.Response(500) if "code@dev" in request.url.path else None

    second = scene.sync()

    still_open = {key for key, (open, _) in by_part().items() if open}
    assert still_open == {("code", "main", "b"), ("code", "dev", "a"), ("code", "dev", "b")}
    told = {part.branch: (part.outcome, part.proven_by, part.proof) for part in shown(scene, "shop").families}
    proof = {"kind": "whole", "pages": 1, "declared": 1, "seen": 1, "equation": {"vendor": 1, "open": 1}}
    assert told["main"] == ("complete", second.pk, proof)
    assert told["dev"] == (
        "incomplete",
        first.pk,
        proof | {"declared": 2, "seen": 2, "equation": {"vendor": 2, "open": 2}},
    )


def test_a_decision_holds_for_branches_that_the_vendor_shows_only_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """records.md: a person's decision holds for all Branches of the same finding, and for no other Family."""
    branches(monkeypatch)
    in_branches(scene, code__main=rows("a"))
    scene.sync()
    findings.decide_finding(ALICE, Finding.objects.get().pk, verdict="false positive", severity="Low")
    scene.world.products["shop"].families |= {"code@dev": rows("a"), "secrets@dev": rows("a")}

    scene.sync()

    assert by_part() == {
        ("code", "main", "a"): (True, False),
        ("code", "dev", "a"): (True, False),
        ("secrets", "dev", "a"): (True, True),
    }
    assert Finding.objects.get(family="code", branch="dev").severity == 1


def test_findings_of_two_connections_are_not_merged(scene: Scene) -> None:
    """records.md: Tidegate does not merge findings of different Tools; one Test per Connection."""
    other = Scene(scene.world, Connection.objects.create(tool="acme", label="Other", created_by="alice").pk)
    scene.mapped(shop=rows("a"))
    other.discover()
    other.map("shop", "Product shop")
    scene.sync()
    other.sync()
    scene.world.issues("shop").clear()

    scene.sync()

    assert {(one.feed.test.name, one.key, one.open) for one in Finding.objects.select_related("feed__test")} == {
        ("Acme", "a", False),
        ("Other", "a", True),
    }


def test_an_accepted_finding_still_closes_and_comes_back_open_and_inactive(scene: Scene) -> None:
    """records.md: a finding that a person accepted still closes when the vendor stops reporting it; one that comes back
    is open, and active only if no decision says otherwise."""
    scene.mapped(shop=rows("accepted", "plain", "stays"))
    scene.sync()
    findings.decide_finding(ALICE, scene.findings()["accepted"].pk, verdict="accepted")
    gone = {key: scene.world.issues("shop").pop(key) for key in ("accepted", "plain")}
    scene.sync()
    assert scene.open() == {"stays"}
    scene.world.issues("shop").update(gone)

    scene.sync()

    said = {key: (one.open, one.active) for key, one in scene.findings().items()}
    assert said == {"accepted": (True, False), "plain": (True, True), "stays": (True, True)}


def test_a_creation_is_a_fact_of_the_row_and_last_seen_the_last_complete_read(scene: Scene) -> None:
    """records.md: New → created (a fact of the row; the journal begins with the first change). Same → nothing is
    written: its last-seen is the last complete read of its Record, Family and Branch."""
    scene.mapped(shop=rows("a"))
    first = scene.sync()
    assert (scene.findings()["a"].created_operation, Journal.objects.count()) == (first.pk, 0)
    second = scene.sync()
    scene.world.interfere = on_findings(lambda request: httpx2.Response(500))

    scene.sync()

    assert scene.part("shop").proven_operation_id == second.pk
    assert shown(scene, "shop").families[0].proven_at == scene.part("shop").proven_at
    assert Journal.objects.count() == 0


def test_nothing_is_ever_deleted_by_a_sync(scene: Scene) -> None:
    """records.md: nothing is ever deleted by a sync: gone, fixed or below the threshold, the row stays."""
    scene.mapped(shop=rows("gone", "fixed", "below", "stays"))
    scene.sync()
    before = {key: one.pk for key, one in scene.findings().items()}
    scene.world.issues("shop").pop("gone")
    scene.world.issues("shop")["fixed"]["status"] = "fixed"
    scene.world.issues("shop")["below"]["severity"] = "low"
    scene.configure(minimum_severity=3)

    scene.sync()

    assert {key: one.pk for key, one in scene.findings().items()} == before
    because = {key: one.closed_because for key, one in scene.findings().items()}
    assert because == {"gone": "gone", "fixed": "fixed", "below": "threshold", "stays": None}


@pytest.mark.parametrize("verdict", ["false positive", "out of scope", "accepted"])
def test_everything_that_a_person_decides_survives_change_closing_and_return(scene: Scene, verdict: str) -> None:
    """records.md: what a person decided (false positive, out of scope, accepted, verified, severity, notes, tags)
    survives every sync. What the vendor says of its own finding is kept beside it."""
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    said: dict[str, Any] = {"verified": True, "severity": "Low", "note": "mine", "tags": ["web"]}
    findings.decide_finding(ALICE, scene.findings()["a"].pk, verdict=verdict, **said)
    decided = set(Decision.objects.values_list("field", "value", "by", "at"))
    taken = scene.world.issues("shop").pop("a") | {"title": "New words", "severity": "critical"}
    scene.sync()
    scene.world.issues("shop")["a"] = taken | {"status": "false positive"}
    scene.sync()
    scene.world.mapping_version = 2

    scene.sync()

    assert set(Decision.objects.values_list("field", "value", "by", "at")) == decided
    assert {field for field, _, _, _ in decided} == {"verdict", "verified", "severity", "note", "tags"}
    found = scene.findings()["a"]
    assert (found.title, found.severity, found.active) == ("New words", 1, False)
    assert (found.severity_vendor, found.vendor_verdict) == (5, 1)


def test_a_severity_that_cannot_be_told_is_imported_and_shown_before_low(scene: Scene) -> None:
    """records.md: a severity that cannot be told is *Unknown*: imported, shown before Low, never filtered by a
    threshold, and reported."""
    scene.mapped(shop={key: row(key, severity=key) for key in ("low", "apocalyptic", "medium")})

    operation = scene.sync()

    listed = [(one.key, one.severity) for one in finding_reads.findings().findings]
    assert listed == [("medium", "Medium"), ("apocalyptic", "Unknown"), ("low", "Low")]
    assert "apocalyptic" in scene.log(operation)


# What may close


def test_a_cancelled_sync_leaves_what_is_gone_pending_and_the_next_replaces_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """records.md, Order of an apply: a cancelled or failed one leaves pending, and the next replaces it."""
    from tidegate.ingest import sync as ingest

    scene.mapped(shop=rows("a", "b", "c", "d"))
    scene.sync()
    gone = {key: scene.world.issues("shop").pop(key) for key in ("a", "b")}
    before = scene.findings()
    verdict = ingest._verdict  # pyright: ignore[reportPrivateUsage]

    def cancelled(run: Any, connection: Any) -> Any:
        operations.cancel(ALICE, run.claim.operation)
        return verdict(run, connection)

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "_verdict", cancelled)
        assert scene.sync().status == "cancelled"
    assert scene.open() == before.keys()
    assert scene.waiting("pending") == {"a", "b"}
    scene.world.issues("shop")["a"] = gone["a"]
    scene.world.issues("shop").pop("c")

    last = scene.sync()

    assert scene.open() == {"a", "d"}
    assert scene.findings()["b"].closed_operation == last.pk
    assert not Held.objects.exists()


@pytest.mark.parametrize("moved", ["remapped", "ignored"])
def test_what_is_pending_in_a_feed_that_its_record_left_is_not_closed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, moved: str
) -> None:
    """records.md, Order of an apply: pending that is still open, in a Feed its Record still writes to, becomes closed
    or held; in another it stays open."""
    from tidegate.ingest import sync as ingest

    scene.mapped(shop=rows("a", "b"), api=rows("c", "d"))
    scene.sync()
    scene.world.issues("shop").pop("a")
    scene.world.issues("api").pop("c")
    verdict = ingest._verdict  # pyright: ignore[reportPrivateUsage]

    def meanwhile(run: Any, connection: Any) -> Any:
        ruled = verdict(run, connection)
        if moved == "remapped":
            scene.map("shop", "Elsewhere")
        else:
            records.ignore_records(ALICE, [scene.record("shop").pk])
        return ruled

    monkeypatch.setattr(ingest, "_verdict", meanwhile)
    scene.sync()

    assert scene.open() == {"a", "b", "d"}


def collapsed(scene: Scene) -> Any:
    """A Sync that holds f5 to f29."""
    scene.mapped(shop=many(30))
    scene.sync()
    scene.world.products["shop"].families["issues"] = many(5)
    return scene.sync()


def test_approve_touches_only_what_is_still_gone_at_the_latest_read(scene: Scene) -> None:
    """records.md: *Approve* closes what the person saw and is still gone; a list that a later read replaced is none."""
    first = collapsed(scene)
    scene.world.products["shop"].families["issues"] = many(8)
    second = scene.sync()

    with pytest.raises(Refused, match="holds nothing any more"):
        operations.approve(ALICE, first.pk)
    assert operations.approve(ALICE, second.pk) == 22

    assert scene.open() == set(many(8))


def test_what_is_kept_open_says_since_when_it_is_not_seen_and_counts_for_no_collapse(scene: Scene) -> None:
    """records.md: *Keep open* leaves these open, shown as *not seen since …*; kept-open findings are left out of what a
    collapse is judged by."""
    scene.mapped(shop=many(60))
    scene.sync()
    seen = scene.findings()["f50"].created_at
    scene.world.products["shop"].families["issues"] = many(25)
    operations.keep_open(ALICE, scene.sync().pk)

    told = next(one for one in finding_reads.findings(status="kept open", limit=100).findings if one.key == "f50")
    assert told.why == f"Not seen since {seen:%Y-%m-%d}; kept open by alice."
    scene.world.products["shop"].families["issues"] = many(10)
    operation = scene.sync()

    # 15 of the 25 that are left are too many; of all 60 that are open they would not be.
    assert (operation.status, operation.counts["held"], operation.counts["kept_open"]) == ("partial", 15, 35)
    assert len(scene.open()) == 60


def test_approve_leaves_what_another_operation_holds_in_the_same_record(scene: Scene) -> None:
    """records.md: *Approve* closes what the person saw; each complete read of a Family replaces its list, and a Family
    that could not be read keeps the one it had."""
    scene.mapped(shop=many(30, "i"))
    scene.world.products["shop"].families["secrets"] = many(30, "s")
    scene.sync()
    scene.world.products["shop"].families = {"issues": many(5, "i"), "secrets": many(5, "s")}
    first = scene.sync()
    scene.world.interfere = lambda request: httpx2.Response(500) if "/secrets" in request.url.path else None
    second = scene.sync()

    assert operations.approve(ALICE, second.pk) == 25
    assert scene.open() == {*many(5, "i"), *many(30, "s")}
    assert operations.approve(ALICE, first.pk) == 25
    assert scene.open() == {*many(5, "i"), *many(5, "s")}


def test_a_held_list_goes_along_when_its_findings_are_moved(scene: Scene) -> None:
    """records.md: on *move*, Feed and findings go over with history and decisions; what was held stays held there, and
    each complete read replaces the list."""
    held = collapsed(scene)
    since = set(Held.objects.values_list("since_operation", flat=True))

    scene.map("shop", "Elsewhere", already_imported="move")
    operation = scene.sync()

    assert scene.waiting() == set(many(30)) - set(many(5))
    assert set(Held.objects.values_list("since_operation", flat=True)) == since == {held.pk}
    assert operations.approve(ALICE, operation.pk) == 25
    assert scene.open() == set(many(5))


def test_findings_of_a_family_no_longer_read_are_unwatched_until_it_is_read_again(scene: Scene) -> None:
    """records.md, Unwatched: findings left behind by a Family no longer read are unwatched: derived, filterable."""
    scene.mapped(shop=rows("a"))
    scene.world.products["shop"].families["secrets"] = rows("s")
    scene.sync()
    scene.world.products["shop"].off.add("secrets")
    scene.sync()
    assert [one.key for one in finding_reads.findings(status="unwatched").findings] == ["s"]
    scene.world.products["shop"].off.clear()

    scene.sync()

    assert finding_reads.findings(status="unwatched").findings == []


def test_what_a_person_closed_is_open_again_when_the_vendor_still_reports_it(scene: Scene) -> None:
    """records.md: **Open** is the vendor's side: reported, not below the threshold, not gone. Back → open."""
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    scene.map("shop", "Elsewhere", already_imported="close")
    assert scene.open() == set()
    scene.map("shop", "Product shop")
    scene.world.issues("shop").pop("b")

    operation = scene.sync()

    assert scene.open() == {"a"}
    assert operation.counts["reopened"] == 1
    assert scene.findings()["b"].closed_because == "person"


def test_a_secret_that_cannot_be_read_leaves_no_raw_form_behind(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """records.md, One odd item: set aside with its reason; no raw form in Families of secrets."""
    branches(monkeypatch, secret=True)
    in_branches(scene, secrets=rows("a") | {"b": {"id": "b", "title": "hunter2", "status": "open"}})

    operation = scene.sync()

    odd = Quarantine.objects.get()
    assert (odd.vendor_key, odd.raw, operation.counts["quarantined"]) == ("b", "", 1)
    assert odd.reason
    assert "hunter2" not in odd.reason + scene.log(operation)


# Operations


def test_an_operation_says_what_it_was_who_asked_and_how_it_went(scene: Scene) -> None:
    """records.md, Operations: type, trigger, who, scope, status, start, end, duration, counts, per-Record results, a
    log a person can read. A Sync can be asked for one Record, a selection, or all."""
    scene.mapped(shop=rows("a"), api=rows("b"), web=rows("c"))
    selection = [scene.record(key).pk for key in ("shop", "api")]

    told = operation_reads.operation(scene.sync("shop", "api").pk)

    assert told is not None
    said = told.operation
    assert (said.type, said.trigger, said.actor, said.status) == ("sync", "manual", "alice", "success")
    assert said.records == sorted(selection)
    assert said.started_at is not None
    assert said.ended_at is not None
    assert said.seconds == round((said.ended_at - said.started_at).total_seconds(), 3)
    assert said.counts == {"seen": 2, "created": 2, "records": 2}
    results = [(result.record_id, result.outcome, result.counts) for result in told.results if not result.family]
    assert sorted(results) == [(id, "complete", {"seen": 1, "created": 1}) for id in sorted(selection)]
    assert "Product shop: 1 created, 1 seen." in [line.text for line in told.log]
    assert set(scene.findings()) == {"a", "b"}


def test_a_second_request_joins_the_one_that_waits_and_widens_its_scope(scene: Scene) -> None:
    """records.md, Operations: at most one of each waits, and a second request joins it and widens its scope."""
    from tidegate.store.writers.operation import request_operation

    scene.mapped(shop=rows("a"), api=rows("b"), web=rows("c"))
    waiting = request_operation(
        "sync", scene.connection_id, actor="bob", records=[scene.record("web").pk, scene.record("shop").pk]
    )

    operation = scene.sync("shop", "api")

    assert operation.pk == waiting
    assert set(scene.findings()) == {"a", "b", "c"}
    waiting = request_operation("sync", scene.connection_id, actor="bob", records=[scene.record("web").pk])
    assert scene.sync().pk == waiting
    assert scene.operation(waiting).counts["records"] == 3
    assert request_operation("discover", scene.connection_id, actor="bob") != waiting


def test_two_selections_of_nothing_are_one_of_nothing_that_ends_well(scene: Scene) -> None:
    """Found by the soak: what failed was asked for again, twice, when none of it could sync any more."""
    from tidegate.store.writers.operation import request_operation

    scene.mapped(shop=rows("a"))
    waiting = request_operation("sync", scene.connection_id, actor="bob", records=[])

    assert request_operation("sync", scene.connection_id, actor="bob", records=[]) == waiting
    assert scene.operation(waiting).scope == {"records": []}
    operations.see_through(waiting)
    assert (scene.operation(waiting).status, scene.findings()) == ("success", {})


# What endings and reads say


def test_an_acceptance_ends_on_its_date_at_the_next_run_also_where_nothing_changed(scene: Scene) -> None:
    """records.md: a person's word beats the vendor's; an acceptance ends on its date."""
    scene.mapped(shop=rows("a"))
    scene.sync()
    findings.decide_finding(
        ALICE, scene.findings()["a"].pk, verdict="accepted", until=datetime.now(UTC) + timedelta(days=1)
    )
    assert not scene.findings()["a"].active
    Decision.objects.update(until=datetime.now(UTC) - timedelta(seconds=1))

    operation = scene.sync()

    assert scene.findings()["a"].active
    assert scene.journal("a")[-1].kind == "expired"
    assert "their acceptance has ended" in scene.log(operation)


def test_a_cancelled_sync_counts_what_it_applied(scene: Scene) -> None:
    """records.md, Operations: counts; what is applied stays."""
    scene.mapped(**{f"p{n}": rows(f"f{n}") for n in range(8)})

    meanwhile(scene, lambda: operations.cancel(ALICE, Operation.objects.get(status="running").pk), asked="/p5/")
    operation = scene.sync()

    assert operation.status == "cancelled"
    assert operation.counts["created"] == len(scene.findings()) > 0


def test_a_missing_record_says_where_a_discover_saw_nothing_at_all(scene: Scene) -> None:
    """records.md: every state can say why in one sentence."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    scene.world.products.clear()
    held = scene.discover()
    operations.approve(ALICE, held.pk)

    why = next(row.why for row in record_reads.records().records if row.name == "Product shop")

    assert why.startswith("Missing since ")
    assert "saw no vendor products at all and not this one" in why


@pytest.mark.parametrize("how", ["missing", "ignored", "elsewhere", "deleted", "no longer read"])
def test_a_finding_left_behind_says_since_when_and_why(scene: Scene, how: str) -> None:
    """records.md: findings left behind by a remap, ignore, delete, Missing … are *unwatched since …*: derived."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    scene.sync()
    shop = scene.record("shop").pk
    if how == "missing":
        del scene.world.products["shop"]
        scene.discover()
    elif how == "ignored":
        records.ignore_records(ALICE, [shop])
    elif how == "elsewhere":
        scene.map("shop", "Elsewhere")
    elif how == "deleted":
        records.delete_records(ALICE, [shop])
    else:
        scene.world.products["shop"].off.add("issues")
        scene.sync()

    (left,) = finding_reads.findings(status="unwatched").findings
    (watched,) = [row for row in finding_reads.findings().findings if row.key == "b"]

    assert left.why.startswith("Open, unwatched since 2"), left.why
    assert left.unwatched_since is not None
    assert left.last_seen_at is not None
    assert (watched.why, watched.unwatched_since) == ("Open: the tool reports it.", None)


def test_a_connection_says_what_a_discover_held(scene: Scene) -> None:
    """records.md: held: one problem on the Connection ("this token now sees 12 of 380 projects")."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    scene.world.products.clear()
    scene.discover()

    found = connection_reads.connection(scene.connection_id)

    assert found is not None
    assert "now sees 0 of 2" in found.connection.why
