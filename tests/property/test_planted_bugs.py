"""The machine is worth something only if it goes red: each of these bugs, planted alone, must be found by it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError
from django.db import connection as database

from tests.ingest.scene import Scene
from tests.property.histories import HUNTED, LONGEST_HUNT, play

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
}

TRIGGERS = {
    "a deleted Test does not make its Records Stale": ("test", "test_lose_target"),
    "history forgets": ("record", "record_history"),
    "the tally forgets what changed": ("finding", "finding_tally_updated"),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(scene: Scene, monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    """The machine finds it; house-style.md: break the code once and see it red."""
    PLANTED[bug](monkeypatch)

    with pytest.raises(AssertionError):
        play(scene, HUNTED, LONGEST_HUNT)


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
