"""The machine is worth something only if it goes red: each of these bugs, planted alone, must be found by it."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from django.db import IntegrityError
from django.db import connection as database
from hypothesis import strategies as st

from tests.ingest.scene import Scene
from tests.property.histories import HUNTED, LONGEST_HUNT, Scent, play
from tests.property.machine import (
    AUTO_MAP,
    BRANCH_CHANGED,
    CHANGED,
    CLOSES_AFTER,
    DECISIONS,
    DETOUR,
    FINDING_CHANGES,
    MAP,
    PREVIEW,
    SYNC,
    THRESHOLD,
    UNDO,
    UNDO_A_SYNC,
    VEP,
    VEP_AND_DISCOVER,
    event,
)
from tidegate.rules.equation import Equation

pytestmark = pytest.mark.usefixtures("settings_read_once")

Plant = Callable[[pytest.MonkeyPatch], None]


def in_sql(name: str, healthy: str, sick: str) -> Plant:
    """A statement of store/sql with other words in it."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        from tidegate.store.sql import sql

        text = sql(name)  # pyright: ignore[reportArgumentType]
        assert healthy in text, f"{name}.sql has changed: plant the bug anew"
        sick_text = text.replace(healthy, sick)
        users = [module for module in list(sys.modules.values()) if vars(module).get("sql") is sql]
        for module in users:
            patch.setattr(module, "sql", lambda asked: sick_text if asked == name else sql(asked))

    return plant


def in_python(path: str, sick: Any) -> Plant:
    return lambda patch: patch.setattr(path, sick)


def always_close(counts: Any, policy: Any) -> dict[int, str]:
    return {count.record_id: "close" for count in counts}


def each_for_itself(counts: Any, policy: Any) -> dict[int, str]:
    return {c.record_id: "hold" if policy.is_collapse(c.open_before, c.gone) else "close" for c in counts}


def in_both(*plants: Plant) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        for each in plants:
            each(patch)

    return plant


def in_method(path: str, sick: Callable[..., Any]) -> Plant:
    """A function that is given the healthy one first."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        healthy = resolved(path)
        patch.setattr(path, lambda *given, **named: sick(healthy, *given, **named))

    return plant


def resolved(path: str) -> Any:
    owner, _, name = path.rpartition(".")
    return getattr(pkgutil.resolve_name(owner), name)


def with_proofs(healthy: Any, run: Any, *given: Any) -> None:
    """A preview that saves what it has read as if it had applied it."""
    run.operation.preview, preview = False, run.operation.preview
    healthy(run, *given)
    run.operation.preview = preview


def without_the_last_row(healthy: Any, spool: Any) -> Iterator[bytes]:
    stream = b"".join(healthy(spool))
    yield stream[: -ROW - 2] + stream[-2:] if len(stream) > HEADER + ROW + 2 else stream


HEADER, ROW = 19, 92
"""Of the stream in which a spool goes to PostgreSQL, in bytes."""


def proven_anyway(healthy: Any, walk: Any, part: Any, record: int) -> None:
    healthy(walk, part, record)
    part.outcome = replace(part.outcome, complete=True, why="", error=None)


def only_the_first(healthy: Any, findings: int) -> Any:
    return healthy(findings)[:1]


def first_of(healthy: Any, *given: Any) -> Iterator[Any]:
    return islice(healthy(*given), 1)


PLANTED: dict[str, Plant] = {
    "what an unproven answer does not show is gone": in_sql("compare", "OR NOT stored.closes", ""),
    "a collapse is believed": in_python("tidegate.ingest.sync.verdict", always_close),
    "Records that collapse together are believed": in_python("tidegate.ingest.sync.verdict", each_for_itself),
    "keep open is not respected": in_sql("compare", "WHEN stored.standing = 'kept open' THEN 8", ""),
    "a move leaves decisions behind": in_sql("merge_decisions", "WHERE feed_id", "WHERE false AND feed_id"),
    "ignore forgets the earlier Product": in_sql(
        "records_unmap", "= coalesce(product.id, record.earlier", "= (record.earlier"
    ),
    "an incomplete Discover makes Records Missing": in_python("tidegate.ingest.discover.VepsRead.complete", True),
    "absences are never held": in_python("tidegate.ingest.discover.absences_are_held", lambda present, gone: False),
    "a Sync forgets a person's verdict": in_sql(
        "compare",
        "CASE WHEN said.verdict IS NULL THEN staged.verdict <> 0 ELSE said.verdict <> 'real' END",
        "staged.verdict <> 0",
    ),
    "the threshold keeps Unknown away": in_sql("compare", "<> 2", "<> 99"),
    "the threshold looks at the vendor's severity": in_sql(
        "compare", "coalesce(said.severity, staged.severity) <", "staged.severity <"
    ),
    "no witness is asked": in_python("tidegate.ingest.witness.Witness.still_names", lambda self, vep: True),
    "a list that drifts is read once": in_python("tidegate.ingest.read.PartRead.drifting", False),
    "a VEP that is back is New": in_sql(
        "refresh_records",
        "absent_since = NULL,",
        "absent_since = NULL, decision = 'undecided', feed_id = NULL, finalized_at = NULL, target_lost_at = NULL,",
    ),
    "what is open again says who closed it": in_sql(
        "change_findings",
        "THEN %(operation)s END,\n       closed_at",
        "THEN %(operation)s ELSE closed_operation END,\n       closed_at",
    ),
    "a Sync closes findings of the other Record in its Product": in_sql(
        "compare",
        "finding.feed_id = %(feed)s",
        "finding.feed_id IN (SELECT id FROM feed WHERE test_id = (SELECT test_id FROM feed WHERE id = %(feed)s))",
    ),
    "a Sync takes findings of others for its own": in_sql(
        "compare",
        "finding.feed_id = %(feed)s",
        "finding.feed_id IN (SELECT id FROM feed WHERE record_id = (SELECT record_id FROM feed WHERE id = %(feed)s))",
    ),
    "what is unchanged is written again": in_sql("compare", "staged.fingerprint THEN 0", "staged.fingerprint THEN 2"),
    "an undo is allowed although a Sync wrote": in_sql("record_steps", "EXISTS (", "false AND EXISTS ("),
    "auto-map decides again what a person undid": in_sql("records_to_auto_map", "AND NOT record.hands_off", ""),
    "an odd row does not count as seen": in_python("tidegate.ingest.stage.Spool.add_odd", lambda *told: None),
    "a finding closes without a line of journal": in_sql("journal_changes", "IN (2, 4, 5, 6)", "IN (2, 4)"),
    "an undo forgets the severity that a person said": in_sql(
        "undo_sync_changed",
        "coalesce(said.severity, back.severity_vendor) AS severity_back",
        "back.severity_vendor AS severity_back",
    ),
    "an undo opens what a person approved": in_sql("undo_sync_changed", "AND line.actor = %(tidegate)s\n)", "\n)"),
    "an undo takes another Record along": in_sql("undo_sync_created", "AND feed_id = %(feed)s", ""),
    "an undo forgets that it opened a closing": in_sql(
        "undo_sync_changed", "'pending', becomes.closed_because, true", "'pending', becomes.closed_because, false"
    ),
    "an undone closing is believed where it comes again": in_sql("compare", "WHEN stored.undone THEN 11", ""),
    "an undone fixing is believed where it comes again": in_sql("compare", "WHEN stored.undone THEN 13", ""),
    "a Sync is undone although a later one was applied": in_sql(
        "undo_sync_facts", "AND (after.feed_id IS NOT NULL", "AND false AND (after.feed_id IS NOT NULL"
    ),
    "an undo leaves what the Sync changed": in_sql(
        "undo_sync_changed", "title = coalesce(becomes.before ->> 'title', finding.title)", "title = finding.title"
    ),
    "a preview saves its proofs": in_method("tidegate.ingest.record._save_parts", with_proofs),
    "a preview says closed of what would be held": in_sql("foresee_held", "SET kind = 'held'", "SET kind = 'closed'"),
    "a lost row closes its finding, for nobody counts": in_both(
        in_method("tidegate.ingest.stage.Spool.index", without_the_last_row),
        in_python("tidegate.ingest.record.does_not_add_up", lambda equation: ""),
    ),
    "what is below the threshold counts as open": in_python(
        "tidegate.ingest.record._equation",
        lambda part, comparison: Equation(vendor=part.outcome.seen, open=part.outcome.seen),
    ),
    "a share takes rows of another Record": in_sql("stage_share", "record_id = %(record)s AND", ""),
    "a share of an export that failed closes": in_method("tidegate.ingest.walk.Walk.fill", proven_anyway),
    "a Branch closes what is on another": in_sql("compare", "AND staged_part.branch = finding.branch", ""),
    "a decision holds on one Branch alone": in_sql(
        "findings_judge",
        "finding.key_hash = %(key_hash)s::uuid",
        "finding.key_hash = %(key_hash)s::uuid AND finding.branch = ''",
    ),
    "a Branch that is there ages": in_sql("branches_listed", "(branch = ANY(%(branches)s::text[]) OR (", "(false OR ("),
    "what closes with its Branch is said to be gone": in_sql("hold_gone", "ELSE staged_part.because", "ELSE 'gone'"),
    "a merge mixes Branches": in_sql(
        "merge_pairs",
        "(there.family, there.branch, there.key_hash) = (this.family, this.branch, this.key_hash)",
        "(there.family, there.key_hash) = (this.family, this.key_hash)",
    ),
    "a Branch that an unproven list lacks has vanished": in_python("tidegate_sdk.branch.Listed.complete", True),
    "a Branch that may hide between two pages has vanished": in_python(
        "tidegate.ingest.record._may_hide", lambda read: False
    ),
    "a preview says closed of a Branch that would be held": in_sql("foresee_held", "('gone', 'branch')", "('gone')"),
    "of a Branch one Family alone closes": in_method("tidegate.ingest.branch._parts", first_of),
    "a change in steps stops after the first": in_method("tidegate.store.writers.remap.spans", only_the_first),
}


def changed(what: str, then: str = "", **more: Any) -> Any:
    chosen = {"what": what, "then": then, "severity": "high", "kind": ""} | more
    return event("vendor_changes_and_sync", **CHANGED | {name: st.just(value) for name, value in chosen.items()})


def decided(*decisions: int) -> Any:
    choice = st.sampled_from([DECISIONS[number] for number in decisions])
    return event("decide", vep=VEP, key=st.just("k1"), pick=st.just(0), decision=choice)


def settled(*, approve: bool) -> Any:
    return event("settle_what_is_held", pick=st.just(-1), approve=st.just(approve))


def on_a_branch(what: str, **more: Any) -> Any:
    chosen = {"vep": "a", "branch": "dev", "what": what, "kind": "", "foreseen": False, "then": ""} | more
    return event(
        "vendor_changes_a_branch_and_sync", **BRANCH_CHANGED | {name: st.just(it) for name, it in chosen.items()}
    )


BRANCHED: dict[str, Any] = {"branched": True, "mapped": ["P1", "P1"]}
GOES, COMES = on_a_branch("vanish", days=CLOSES_AFTER), on_a_branch("appear")
MERGE = event(
    "detour",
    **{name: st.just(it) for name, it in {"vep": "a", "to": "P2", "key": "k1", "imported": "move"}.items()},
    decision=st.sampled_from(DECISIONS),
)
SCENTS: dict[str, Scent] = {
    "a Branch closes what is on another": Scent(BRANCHED, (on_a_branch("remove"),)),
    "a decision holds on one Branch alone": Scent(BRANCHED, (COMES, decided(0, 4))),
    "a Branch that is there ages": Scent(
        BRANCHED, (COMES, on_a_branch("off", days=CLOSES_AFTER), on_a_branch("vanish", days=0))
    ),
    "what closes with its Branch is said to be gone": Scent(BRANCHED, (GOES, COMES)),
    "a merge mixes Branches": Scent(BRANCHED, (COMES, on_a_branch("fixed"), MERGE)),
    "a preview says closed of a Branch that would be held": Scent(
        BRANCHED | {"hold_above": 2, "bulk": False},
        (
            on_a_branch("appear", keys={"k1", "k2", "k3"}),
            changed("remove", veps={"a"}, keys={"k2", "k3"}),
            on_a_branch("vanish", days=CLOSES_AFTER, foreseen=True),
        ),
    ),
    "of a Branch one Family alone closes": Scent(BRANCHED, (COMES, on_a_branch("family"), GOES)),
    "a Branch that an unproven list lacks has vanished": Scent(
        BRANCHED, (on_a_branch("title", kind="nameless", days=CLOSES_AFTER), COMES)
    ),
    "a Branch that may hide between two pages has vanished": Scent(
        BRANCHED | {"paged": "drifting"}, (on_a_branch("title", kind="hidden", days=CLOSES_AFTER), COMES)
    ),
    "an undo forgets the severity that a person said": Scent(
        events=(decided(4, 5), changed("severity", "undo", severity="low"), changed("title", "undo"))
    ),
    "an undo leaves what the Sync changed": Scent(events=(changed("title", "undo"),)),
    "an undo takes another Record along": Scent(
        {"bulk": False, "mapped": ["P1", "P2"]}, (changed("many", "undo", veps={"a", "b"}),)
    ),
    "an undo opens what a person approved": Scent({"hold_above": 2}, (changed("clear", "approve, undo"),)),
    "an undone fixing is believed where it comes again": Scent(events=(changed("fixed", "undo, sync"),)),
    "a share takes rows of another Record": Scent({"exported": True}),
    "a share of an export that failed closes": Scent({"exported": True}, (SYNC, changed("title", kind="cut"))),
    "a change in steps stops after the first": Scent({"small_steps": True}, (MAP,)),
    "the threshold looks at the vendor's severity": Scent(events=(decided(4, 5), THRESHOLD)),
    "keep open is not respected": Scent({"hold_above": 2}, (changed("clear"), settled(approve=False))),
    "a preview says closed of what would be held": Scent({"hold_above": 2}, (changed("add"), PREVIEW, FINDING_CHANGES)),
    "a Sync forgets a person's verdict": Scent(events=(decided(0, 1), changed("title"))),
    "a list that drifts is read once": Scent({"paged": "drifting"}, (changed("add", kind="hidden"),)),
    "auto-map decides again what a person undid": Scent(events=(AUTO_MAP, UNDO)),
    "a move leaves decisions behind": Scent(events=(DETOUR,)),
    "what is unchanged is written again": Scent({"hold_above": 2}, (changed("clear"), changed("add"))),
    "a VEP that is back is New": Scent(events=(VEP_AND_DISCOVER,)),
    "a Sync is undone although a later one was applied": Scent(events=(UNDO_A_SYNC,)),
    "Records that collapse together are believed": Scent(
        {"hold_above": 4, "bulk": False, "mapped": ["P1", "P2"]}, (changed("clear", veps={"a", "b"}), changed("add"))
    ),
}
"""Of bugs that would take long to be met by chance alone."""

TRIGGERS = {
    "a deleted Test does not make its Records Stale": ("test", "test_lose_target"),
    "history forgets": ("record", "record_history"),
    "the tally forgets what changed": ("finding", "finding_tally_updated"),
    "a Product forgets what changed": ("tally", "tally_of_product_updated"),
    "a Product keeps what was moved out of it": ("feed", "feed_moves_product_tally"),
    "a Connection forgets what became of its Records": ("record", "record_tally_updated"),
    "nobody says that a Feed is left behind": ("record", "record_leaves_feeds"),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(scene: Scene, monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    """The machine finds it; house-style.md: break the code once and see it red."""
    PLANTED[bug](monkeypatch)

    with pytest.raises((AssertionError, IntegrityError)):
        play(scene, HUNTED, LONGEST_HUNT, scent=SCENTS.get(bug))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("bug", TRIGGERS)
def test_a_missing_trigger_is_found(scene: Scene, bug: str) -> None:
    """What the database itself promises is watched too."""
    with without_trigger(*TRIGGERS[bug]), pytest.raises((AssertionError, IntegrityError)):
        play(scene, HUNTED, LONGEST_HUNT)


@contextmanager
def without_trigger(table: str, trigger: str) -> Iterator[None]:
    with database.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
    try:
        yield
    finally:
        with database.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
