"""Sync: what flows into a Product, what is written, and what never is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acme import many, row, rows
from tests.ingest.scene import ALICE, Scene


def test_findings_arrive_in_global_connectors_in_one_test_per_connection(scene: Scene) -> None:
    """records.md: stored under the mapped Product, in the one Engagement Global Connectors, one Test per Connection."""
    scene.mapped(shop=rows("a", "b"), api=rows("c"))
    scene.map("api", "Product shop")

    operation = scene.sync()

    assert operation.status == "success"
    assert operation.counts == {"seen": 3, "created": 3, "records": 2}
    tests = {finding.feed.test_id for finding in scene.findings().values()}
    assert len(tests) == 1
    test = scene.findings()["a"].feed.test
    assert (test.engagement.name, test.engagement.kind, test.connection_id) == (
        "Global Connectors",
        "connectors",
        scene.connection_id,
    )


def test_two_records_in_one_product_never_close_each_others_findings(scene: Scene) -> None:
    """records.md: each Record owns the findings of its Feeds; syncing one never closes another's."""
    scene.mapped(shop=rows("a", "b"), api=rows("a", "c"))
    scene.map("api", "Product shop")
    scene.sync()
    scene.world.issues("shop").pop("a")

    scene.sync()

    assert scene.open("shop") == {"b"}
    assert scene.open("api") == {"a", "c"}


def test_an_unmapped_or_ignored_record_imports_nothing(scene: Scene) -> None:
    """records.md: unmapped Records (New, Ignored) import nothing."""
    from tidegate.actions.record import ignore_records

    scene.world.add("shop", findings=rows("a"))
    scene.world.add("api", findings=rows("b"))
    scene.discover()
    ignore_records(ALICE, [scene.record("api").pk])

    operation = scene.sync()

    assert scene.findings() == {}
    assert "No Record was to be read" in operation.why


def test_the_same_state_twice_writes_nothing_to_the_findings_table(scene: Scene) -> None:
    """promises.md 2: applying the same vendor state twice moves no counter and no xmin of the findings table.
    records.md: same → nothing is written."""
    from django.db import connection

    scene.world.paged = "steady"
    scene.mapped(shop=many(35), api=many(3, "g"))
    scene.sync()

    def look() -> tuple[Any, ...]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute("SELECT n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables WHERE relname = 'finding'")
            counters = cursor.fetchone()
            cursor.execute("SELECT id, xmin::text, xmax::text FROM finding ORDER BY id")
            return counters, cursor.fetchall()

    before = look()
    operation = scene.sync()

    assert look() == before
    assert operation.counts == {"seen": 38, "unchanged": 38, "records": 2}


def test_a_change_is_journalled_with_what_it_was_before(scene: Scene) -> None:
    """records.md: changed → updated, with what changed."""
    scene.mapped(shop=rows("a", "b"))
    first = scene.sync()
    scene.world.issues("shop")["a"] |= {"title": "Renamed", "severity": "low", "description": "new words"}

    second = scene.sync()

    finding = scene.findings()["a"]
    assert (finding.title, finding.severity, finding.fields["description"]) == ("Renamed", 1, "new words")
    assert (finding.created_operation, finding.changed_operation) == (first.pk, second.pk)
    (line,) = scene.journal("a")
    assert (line.kind, line.operation, line.actor) == ("changed", second.pk, "tidegate")
    assert line.before["title"] == "Weakness a"
    assert line.before["severity"] == 4
    assert line.before["fields"]["description"] is None
    assert scene.journal("b") == []


def test_gone_findings_close_with_the_operation_that_saw_them_gone_and_come_back_open(scene: Scene) -> None:
    """records.md: gone → closed, with the time and the Operation that saw it gone; back → open."""
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    gone = scene.world.issues("shop").pop("a")

    second = scene.sync()

    finding = scene.findings()["a"]
    assert (finding.open, finding.active, finding.closed_because, finding.closed_operation) == (
        False,
        False,
        "gone",
        second.pk,
    )
    assert finding.closed_at is not None
    assert second.counts["closed"] == 1
    scene.world.issues("shop")["a"] = gone
    third = scene.sync()
    finding = scene.findings()["a"]
    assert (finding.open, finding.active, finding.closed_because) == (True, True, None)
    assert third.counts["reopened"] == 1
    assert [line.kind for line in scene.journal("a")] == ["closed", "reopened"]
    assert scene.journal("a")[1].before["closed_operation"] == second.pk


def test_what_the_vendor_says_is_fixed_closes_at_once_and_is_no_collapse(scene: Scene) -> None:
    """records.md: what the vendor says is fixed closes at once and does not count for a collapse."""
    scene.mapped(shop=many(30))
    scene.sync()
    for finding in scene.world.issues("shop").values():
        finding["status"] = "fixed"

    operation = scene.sync()

    assert operation.status == "success"
    assert scene.open() == set()
    assert {finding.closed_because for finding in scene.findings().values()} == {"fixed"}


def test_what_was_fixed_before_it_was_ever_seen_is_not_imported(scene: Scene) -> None:
    """records.md: fetch everything the vendor says is open, and, where it says so, what is fixed; *fixed* is
    evidence."""
    scene.mapped(shop=rows("a", status="fixed"))

    operation = scene.sync()

    assert scene.findings() == {}
    assert operation.counts["skipped"] == 1


def test_a_threshold_stores_nothing_below_it_but_always_what_is_unknown(scene: Scene) -> None:
    """records.md: below the threshold nothing is stored; Unknown is never filtered by a threshold and is reported."""
    scene.configure(minimum_severity=4)
    scene.mapped(shop=rows("high") | rows("low", severity="low") | rows("odd", severity="apocalyptic"))

    operation = scene.sync()

    assert set(scene.findings()) == {"high", "odd"}
    assert scene.part("shop").below == 1
    assert "apocalyptic" in scene.log(operation)


def test_what_falls_below_the_threshold_closes_and_returns(scene: Scene) -> None:
    """records.md: what now falls below the threshold closes at once; lowering it brings back and creates."""
    scene.configure(minimum_severity=3)
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    scene.world.issues("shop")["a"]["severity"] = "low"

    scene.sync()

    assert scene.findings()["a"].closed_because == "threshold"
    scene.configure(minimum_severity=0)
    scene.sync()
    assert scene.open() == {"a", "b"}


def test_the_threshold_looks_at_a_persons_severity_before_the_vendors(scene: Scene) -> None:
    """records.md: the threshold looks at the severity in force (a person's before the vendor's)."""
    from tidegate.actions.finding import decide_finding

    scene.mapped(shop=rows("a", severity="low"))
    scene.sync()
    decide_finding(ALICE, scene.findings()["a"].pk, severity="Critical")
    scene.configure(minimum_severity=4)

    scene.sync()

    finding = scene.findings()["a"]
    assert (finding.open, finding.severity, finding.severity_vendor) == (True, 5, 1)


def test_decisions_survive_every_sync(scene: Scene) -> None:
    """promises.md 5: what a person decided is still there after any number of syncs, closings and returns.
    records.md: what a person decided survives every sync."""
    from tidegate.actions.finding import decide_finding
    from tidegate.store.models import Decision

    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    decide_finding(ALICE, scene.findings()["a"].pk, verdict="false positive", note="seen it, harmless")
    taken = scene.world.issues("shop").pop("a")
    scene.sync()
    scene.world.issues("shop")["a"] = taken | {"title": "Said differently"}

    scene.sync()

    finding = scene.findings()["a"]
    assert (finding.open, finding.active, finding.title) == (True, False, "Said differently")
    said = {decision.field: decision.value for decision in Decision.objects.all()}
    assert said == {"verdict": "false positive", "note": "seen it, harmless"}


def test_the_vendors_verdict_is_kept_beside_a_persons_and_the_person_wins(scene: Scene) -> None:
    """records.md: active is open and neither a person nor the vendor says otherwise; a person's
    word beats the vendor's."""
    from tidegate.actions.finding import decide_finding

    scene.mapped(shop=rows("a", status="false positive"))
    scene.sync()
    assert (scene.findings()["a"].open, scene.findings()["a"].active) == (True, False)

    decide_finding(ALICE, scene.findings()["a"].pk, verdict="real")
    scene.world.issues("shop")["a"]["title"] = "Changed meanwhile"
    scene.sync()

    finding = scene.findings()["a"]
    assert (finding.active, finding.vendor_verdict) == (True, 1)


def test_findings_of_other_engagements_are_never_touched(scene: Scene) -> None:
    """promises.md 4: nothing outside Global Connectors is ever read for matching, changed, closed or deleted.
    records.md: findings that other people or imports put there are never read, matched, changed or closed."""
    from django.db import connection

    from tidegate.store.models import Engagement, Feed, Finding, Product, Test

    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    engagement = Engagement.objects.create(product=Product.objects.get(), name="Global Connectors", kind="other")
    test = Test.objects.create(engagement=engagement, name="Pentest 2026")
    feed = Feed.objects.create(record=scene.record("shop"), test=test)
    mine = scene.findings()["a"]
    foreign = Finding.objects.create(
        feed=feed, family="issues", key=mine.key, key_hash=mine.key_hash, fingerprint=mine.fingerprint,
        mapping_version=1, severity_vendor=4, severity=4, active=True, created_operation=1, title="By hand", fields={},
    )  # fmt: skip

    def xmin() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT xmin::text FROM finding WHERE id = %s", [foreign.pk])
            return str(cursor.fetchall()[0][0])

    before = xmin()
    scene.world.issues("shop")["a"]["title"] = "Changed"
    scene.sync()
    scene.world.issues("shop").clear()
    scene.sync()

    assert xmin() == before
    foreign.refresh_from_db()
    assert (foreign.title, foreign.open) == ("By hand", True)


def test_a_newer_mapping_rewrites_once_and_journals_nothing(scene: Scene) -> None:
    """records.md: a newer connector that maps differently rewrites once, as one line of the
    Operation, not as changes."""
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    scene.world.mapping_version = 2

    first, second = scene.sync(), scene.sync()

    assert first.counts == {"seen": 2, "rewritten": 2, "records": 1}
    assert second.counts == {"seen": 2, "unchanged": 2, "records": 1}
    assert scene.journal("a") == []


@pytest.mark.parametrize("paged", ["whole", "steady", "drifting"])
def test_every_paging_brings_the_same_findings(scene: Scene, paged: Any) -> None:
    """records.md: the proof is kept per Record, Family and Branch (pages, declared total, seen)."""
    scene.world.paged = paged
    scene.mapped(shop=many(37))

    scene.sync()

    assert scene.open() == set(many(37))
    proof = scene.part("shop").proof
    assert (proof["kind"], proof["seen"]) == (paged, 37)


def test_hostile_text_is_stored_as_it_can_be(scene: Scene) -> None:
    """promises.md, Body: NUL and lone surrogates in text."""
    scene.mapped(shop={"a": row("a", title="NUL \0 and \ud800 here", description="<script>alert(1)</script>" * 40_000)})

    operation = scene.sync()

    assert operation.status == "success"
    assert scene.findings()["a"].title == "NUL \ufffd and \ufffd here"


def test_a_sync_of_one_record_reads_only_that_one(scene: Scene) -> None:
    """records.md: a Sync can be asked for one Record, a selection, or all."""
    scene.mapped(shop=rows("a"), api=rows("b"))

    scene.sync("api")

    assert set(scene.findings()) == {"b"}


def test_remapping_there_and_back_takes_the_feed_up_again(scene: Scene) -> None:
    """promises.md 3: nothing is imported twice into one Test, through remaps there and back.
    records.md: mapping where a Feed of this Record exists already takes it up again."""
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    scene.map("shop", "Elsewhere")
    scene.sync()
    scene.map("shop", "Product shop")

    operation = scene.sync()

    assert operation.counts == {"seen": 2, "unchanged": 2, "records": 1}
    from tidegate.store.models import Finding

    assert Finding.objects.count() == 4
