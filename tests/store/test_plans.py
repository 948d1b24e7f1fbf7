"""Every hand-written statement finds its rows by an index where a million findings are stored.

A million rows take a minute to store, and a planner looks at no rows: it looks at statistics. So 24,000 are stored for
their statistics, and then PostgreSQL is told that the tables hold forty times as many on the pages they have, and that
to read a page takes forty times as long. With TIDEGATE_TEST_A_MILLION=1 they are stored in truth; so this was tried.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

import tidegate
from tidegate.ingest.apply import PLANS
from tidegate.store.sql import sql

FOLDER = Path(tidegate.__file__).parent / "store" / "sql"
BIG = frozenset({"finding", "journal", "finding_words", "decision", "held"})
"""Tables with a row or more for each finding, or for many."""

COMMENT = re.compile(r"--[^\n]*")
TABLE = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE|USING)\s+(\w+)")
NAMES = sorted(path.stem for path in FOLDER.glob("*.sql") if BIG & set(TABLE.findall(COMMENT.sub("", sql(path.stem)))))
"""Statements that name one of them: a new one is held to its plan without being asked."""

FEEDS, OF_EACH = 240, 100
IN_TRUTH = os.environ.get("TIDEGATE_TEST_A_MILLION") == "1"
ALL = 1_000_000
STAGED = 1_000

READS_IT_ALL = {
    ("acceptances_ended", "decision"): "asks all decisions, once in each tick, which of them has ended",
    ("back_to_go", "journal"): "counts an undo's lines by their step, once for each part of it: a step has no index",
    ("merge_state", "journal"): "looks for a merge's lines by their step, once for each part of it",
    ("unmerge_lines", "journal"): "where a Feed has very many findings its lines are cheaper to join than to look up",
    ("compare", "held"): "one pass over what waits is cheaper than to look it up for each finding of a Feed",
    ("findings_close_below", "held"): "the same, for what closes",
    ("findings_close_by_person", "held"): "the same, for what closes",
    ("metrics_held", "held"): "counts what waits, of all Connections",
    ("news_still_held", "held"): "counts what waits, of all Connections",
    ("operations_forget", "held"): "asks once for many Operations whether a closing waits on them",
    ("results_forget", "journal"): "asks once for many results whether a closing is proven by them",
}
"""Who may read a whole table, and why. None reads all findings but where it is said."""

ONLY_IN_TRUTH = frozenset({"undo_sync_changed", "undo_sync_created", "words_wanted"})
"""They find rows by an index of ranges of pages (BRIN), and some hundred pages have no ranges."""


def test_every_statement_finds_its_rows_by_an_index(database: object):
    """Issue 5: each statement is held to its plan at 1,000,000 rows."""
    names = NAMES if IN_TRUTH else [name for name in NAMES if name not in ONLY_IN_TRUTH]
    with a_million_findings():
        found = {(name, table) for name in names for table in whole_reads(name)}

    assert sorted(found - READS_IT_ALL.keys()) == []


def test_every_exception_is_of_a_statement_that_is_there():
    assert {name for name, _ in READS_IT_ALL} | ONLY_IN_TRUTH <= set(NAMES)


@pytest.mark.parametrize(
    ("indexes", "name"),
    [
        ("finding_key finding_list_of_feed", "findings_judge"),
        ("journal_of_finding journal_step", "findings_reopen_by_undo"),
        ("held_feed_id", "hold_pending"),
        ("decision_field", "findings_judge"),
    ],
)
def test_it_goes_red_where_an_index_is_missing(database: object, indexes: str, name: str):
    with a_million_findings(), connection.cursor() as cursor:
        before = whole_reads(name)
        for index in indexes.split():
            drop(cursor, index)

        assert not before
        assert whole_reads(name)


def drop(cursor: Any, index: str) -> None:
    """The index goes, and the constraint that it stands for."""
    cursor.execute(
        "SELECT pg_class.relname, indrelid::regclass::text, conname"
        "  FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid LEFT JOIN pg_constraint ON conindid = indexrelid"
        " WHERE starts_with(pg_class.relname, %s) AND (conname IS NULL OR contype IN ('p', 'u'))",
        [index],
    )
    ((name, table, constraint),) = cursor.fetchall()
    cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}" if constraint else f"DROP INDEX {name}")


def whole_reads(name: str) -> set[str]:
    """The big tables of which the statement's plan reads every row."""
    statement = sql(name)
    if statement_kind(statement) == "COPY":
        return set()
    if statement_kind(statement) == "EXPLAIN":
        statement = statement[statement.index("SELECT") :]
    given = PARAMETERS | OF_ITS_OWN.get(name, {})
    unknown = set(re.findall(r"%\((\w+)\)s", statement)) - given.keys()
    assert not unknown, f"say in PARAMETERS what {name} may be given as {', '.join(sorted(unknown))}"
    with connection.cursor() as cursor:
        if name == "compare":  # as apply.py does
            cursor.execute(PLANS, {"may": "off"})
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", given)
        ((plan,),) = cursor.fetchall()
        cursor.execute(PLANS, {"may": "on"})
    return set(read_whole(plan if isinstance(plan, list) else json.loads(plan)))


def statement_kind(statement: str) -> str:
    return COMMENT.sub("", statement).split()[0].upper()


def read_whole(plan: Any, limited: bool = False) -> Iterator[str]:
    """Big tables read row by row, or through all of an index, but for those that stop after some rows."""
    if isinstance(plan, list):
        for each in plan:
            yield from read_whole(each, limited)
        return
    if not isinstance(plan, dict):
        return
    kind, table = plan.get("Node Type"), plan.get("Relation Name")
    by_index = kind in ("Index Scan", "Index Only Scan") and "Index Cond" in plan
    scans = kind in ("Seq Scan", "Index Scan", "Index Only Scan")
    if table in BIG and scans and not by_index and not (limited and kind != "Seq Scan"):
        yield table
    for word, below in plan.items():
        if word in ("Plan", "Plans"):
            yield from read_whole(below, limited or kind == "Limit")


@contextmanager
def a_million_findings() -> Iterator[None]:
    """As a service has them: many Feeds, a twentieth of them waiting to be closed, a tenth of them decided about, a
    journal, words; and what one apply has staged. Taken back at the end."""
    each = ALL // FEEDS if IN_TRUTH else OF_EACH
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(STORED, {"feeds": FEEDS, "each": each})
            cursor.execute("ANALYZE")
            cursor.execute(sql("staging"))
            cursor.execute(STAGED_ROWS, {"staged": STAGED})
            cursor.execute("ANALYZE compared, incoming")  # as apply.py does
            if not IN_TRUTH:
                believe(cursor, ALL / (FEEDS * each))
            yield
            raise TakenBack
    except TakenBack:
        pass


class TakenBack(Exception):
    """Ends the transaction."""


def believe(cursor: Any, times: float) -> None:
    """PostgreSQL believes in so many times the rows of each big table, on as many pages that are so much dearer: it
    looks itself how many pages there are, so no more can be claimed."""
    cursor.execute(f"SET LOCAL seq_page_cost = {times:f}")
    cursor.execute(
        "SELECT relname, relpages, reltuples FROM pg_class WHERE oid IN ("
        " SELECT oid FROM pg_class WHERE relname = ANY(%(big)s) UNION"
        " SELECT indexrelid FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE relname = ANY(%(big)s))"
        " AND relpages > 0",
        {"big": list(BIG)},
    )
    for name, pages, rows in cursor.fetchall():
        if connection.pg_version >= 180000:
            cursor.execute(
                "SELECT pg_restore_relation_stats('schemaname', current_schema()::text, 'relname', %s::text,"
                " 'relpages', %s::int, 'reltuples', %s::real)",
                [name, pages, rows * times],
            )
        else:  # before 18 only an administrator can say so, as the one of the tests is
            cursor.execute("UPDATE pg_class SET reltuples = %s WHERE relname = %s", [rows * times, name])


PARAMETERS: dict[str, Any] = {
    "actor": "alice",
    "after": 12_000,
    "at_most": 100,
    "because": "gone",
    "before": "{}",
    "before_names": [],
    "connection": 1,
    "created": True,
    "decision": "ignored",
    "deleted": False,
    "delivered": 1,
    "destination": 3,
    "due": [1, 2],
    "facts": "[]",
    "family": "issues",
    "feed": 2,
    "feeds": [2],
    "finding": 700,
    "findings": [7, 8, 9, 2_000],
    "frozen": "60s",
    "high": "7fffffff-ffff-ffff-ffff-ffffffffffff",
    "how": "person",
    "ids": [7, 8, 9, 2_000],
    "kept": 100,
    "key_hash": "00000000-0000-0000-0000-000000000000",
    "lines": [5, 6, 7],
    "looked_at": 100,
    "low": "00000000-0000-0000-0000-000000000000",
    "mapping_version": 1,
    "minimum": 3,
    "missing": [2],
    "names": 3,
    "news": [3],
    "now": "2026-05-03T00:00:00Z",
    "operation": 2,
    "operations": [2, 3],
    "parts": [0],
    "passed": [1],
    "products": [2],
    "record": 2,
    "records": [2],
    "seen": None,
    "source": 2,
    "sources": [2],
    "step": "00000000-0000-0000-0000-000000000000",
    "undoing": "00000000-0000-0000-0000-000000000001",
    "sync": 2,
    "theres": [3],
    "theirs": [7, 8],
    "tidegate": "tidegate",
}
"""What a statement may be given: one Feed of many, one Operation, some findings."""

NO_FILTER: dict[str, Any] = dict.fromkeys(
    [
        "active",
        "after_first",
        "least",
        "worst",
        "after_id",
        "after_line",
        "after_second",
        "after_severity",
        "after_third",
        "component",
        "cwe",
        "feeds",
        "from_id",
        "open",
        "severity",
        "since",
        "tests",
        "to_id",
        "until",
    ]
)
A_LIST: dict[str, Any] = NO_FILTER | {"by": "severity", "left_feeds": [], "oldest": False, "unwatched": False}

OF_ITS_OWN: dict[str, dict[str, Any]] = {
    "delivered_due": {"test": 2},
    "delivered_rows": {"test": 2},
    "delivered_save": {"versions": [1], "theirs": [1], "written": [b""], "seen": ["{}"], "ats": ["2026-05-03"]},
    "delivered_meant": {"meant": ["{}"]},
    "delivered_seen": {"seen": ["{}"]},
    "delivered_tests": {"connection": 1},
    "finding_at": {"at": "2026-05-03T00:00:00Z"},
    "finding_ids_among": A_LIST
    | {"given": [7, 8, 9], "newest_from": None, "text": "shop", "words": ["shop"], "first_hits": 1_000}
    | {"query": "'w17'", "gathered": 20_000, "standing": None},
    "finding_ids_by_age": A_LIST,
    "finding_ids_oldest_of_tests": A_LIST,
    "finding_ids_searched": {"given": [7, 8, 9], "query": "'w17'", "cwe": 79, "component": "lib"},
    "finding_ids_walked": A_LIST | {"tests": [2], "looked_at": 8_000},
    "finding_ids_by_change": A_LIST,
    "finding_ids_by_change_inside": {name: value for name, value in A_LIST.items() if name != "tests"},
    "finding_ids_by_severity": A_LIST,
    "finding_ids_of_feeds": A_LIST | {"feeds": [2]},
    "findings_decide": {"fields": ["verdict"], "contents": ["accepted"], "untils": [None]},
    "findings_sort": {"mine": None, "deed": "close", "most": 10},
    "findings_undo_sort": {"mine": None},
    "journal_forget": {"before": "2026-05-03T00:00:00Z"},
    "news_still_held": {"before": "2026-05-03T00:00:00Z"},
    "results_forget": {"results": [2], "before": "2026-05-03T00:00:00Z"},
    "words_estimate": {"query": "'w17'"},
    "words_find_inside": {"query": "'w17'", "severity": 4, "active": True, "most": 8_000},
    "words_find_in_feeds": {"query": "'w17'", "most": 40_000},
    "words_find_newest": {"query": "'w17'", "looked_at": 8_000, "tests": None},
    "words_gathered": {"query": "'w17'", "at_most": 30_001},
    "words_progress": {"due": 2},
}
"""Where a name means something else, and the filters of lists, of which none is set."""

STORED = """
INSERT INTO product_type (name) VALUES ('Plans');
INSERT INTO connection (tool, label, created_by, settings) VALUES ('acme', 'Plans', 'alice', '{}');
INSERT INTO product (product_type_id, name, origin)
SELECT (SELECT max(id) FROM product_type), 'Plans ' || n, 'acme' FROM generate_series(1, %(feeds)s) AS n;
INSERT INTO engagement (product_id, name, kind) SELECT id, 'Global Connectors', 'connectors' FROM product;
INSERT INTO test (engagement_id, connection_id, name)
SELECT id, (SELECT max(id) FROM connection), 'Acme' FROM engagement;
INSERT INTO operation (type, connection_id, trigger, actor, status)
SELECT 'sync', (SELECT max(id) FROM connection), 'manual', 'alice', 'success' FROM generate_series(1, %(feeds)s * 4);
INSERT INTO record (connection_id, vendor_id, name)
SELECT (SELECT max(id) FROM connection), 'p' || n, 'Plan ' || n FROM generate_series(1, %(feeds)s) AS n;
INSERT INTO feed (record_id, test_id)
SELECT record.id, test.id
  FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM record) AS record
  JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM test) AS test USING (n);
UPDATE record
   SET decision = 'mapped', feed_id = feed.id, finalized_at = now(), finalized_by = 'alice', finalized_how = 'person'
  FROM feed WHERE feed.record_id = record.id;
INSERT INTO finding (feed_id, family, branch, key_hash, fingerprint, mapping_version, severity_vendor, severity,
                     open, active, closed_because, closed_operation, created_operation, key, title, fields)
SELECT feed.id, CASE n %% 2 WHEN 0 THEN 'issues' ELSE 'hotspots' END, '',
       md5(feed.id || ' ' || n)::uuid, md5('f' || n)::uuid,
       1, n %% 6, n %% 6, n %% 9 > 0, n %% 9 > 1, CASE n %% 9 WHEN 0 THEN 'gone' END,
       CASE n %% 9 WHEN 0 THEN feed.id * 4 END,
       feed.id * 4 + n %% 4, 'key ' || n, 'Weakness ' || n, '{"path": "src/shop.py"}'
  FROM feed, generate_series(1, %(each)s) AS n;
INSERT INTO finding_words (finding_id, feed_id, words)
SELECT id, feed_id, to_tsvector('simple', title || ' w' || id) FROM finding;
INSERT INTO journal (finding_id, operation, actor, kind, before)
SELECT id, created_operation, 'tidegate', CASE id %% 3 WHEN 0 THEN 'closed' ELSE 'changed' END,
       '{"open": true}'
  FROM finding, generate_series(1, 2) WHERE id %% 4 = 0;
INSERT INTO decision (feed_id, family, key_hash, field, value, until, by)
SELECT feed_id, family, key_hash, 'verdict', 'accepted', now() + id * interval '1 minute', 'alice'
  FROM finding WHERE id %% 10 = 0;
INSERT INTO held (finding_id, feed_id, since_operation, latest_operation, standing)
SELECT id, feed_id, created_operation, created_operation, 'held' FROM finding WHERE id %% 20 = 1
"""

STAGED_ROWS = """
INSERT INTO staged_part VALUES (0, 'issues', '', true, 'gone');
INSERT INTO staged (turn, part, key_hash, fingerprint, severity, verdict, flags, position, length)
SELECT 1, 0, key_hash, fingerprint, severity, 0, 0, 1000 * n, 1000
  FROM (SELECT *, row_number() OVER () AS n FROM finding
         WHERE feed_id = (SELECT min(id) + 1 FROM feed) LIMIT %(staged)s) AS shown;
INSERT INTO compared (kind, part, finding_id, key_hash, fingerprint, severity_vendor, severity, verdict, active,
                      position, length, let_go)
SELECT 2, 0, id, key_hash, fingerprint, severity, severity, 0, active, 1000 * id, 1000, false
  FROM finding WHERE feed_id = (SELECT min(id) + 1 FROM feed) AND id %% 10 = 0;
INSERT INTO incoming (finding_id, key, title, fields) SELECT id, key, title, fields FROM finding
 WHERE id IN (SELECT finding_id FROM compared)
"""
