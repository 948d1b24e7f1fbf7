"""What PostgreSQL holds, by names, as tests/property/model.py says it should be; read in one statement."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.db import connection as database
from psycopg import Cursor

from tests.kept import KEPT_WRONGLY

EVERYTHING = (
    """
SELECT json_build_object(
  'records', (SELECT json_agg(json_build_object(
      'id', record.id, 'xmin', record.xmin::text, 'row', to_jsonb(record) - 'epoch' - 'told', 'product', product.name,
      'earlier', earlier.name, 'absence_held_by', held_absence.latest_operation_id))
    FROM record
    LEFT JOIN feed ON feed.id = record.feed_id
    LEFT JOIN test ON test.id = feed.test_id
    LEFT JOIN engagement ON engagement.id = test.engagement_id
    LEFT JOIN product ON product.id = engagement.product_id
    LEFT JOIN product AS earlier ON earlier.id = record.earlier_product_id
    LEFT JOIN held_absence ON held_absence.record_id = record.id),
  'findings', (SELECT json_agg(json_build_object(
      'id', finding.id, 'xmin', finding.xmin::text,
      'place', json_build_array(
        record.vendor_id, product.name, concat_ws('@', finding.family, nullif(finding.branch, '')), finding.key),
      'ours', engagement.kind = 'connectors',
      'row', json_build_object(
        'open', finding.open, 'active', finding.active, 'closed_because', finding.closed_because,
        'closed_operation', finding.closed_operation, 'severity', finding.severity,
        'severity_vendor', finding.severity_vendor, 'vendor_verdict', finding.vendor_verdict, 'title', finding.title),
      'blank', finding.fingerprint = '00000000-0000-0000-0000-000000000000',
      'waits', CASE WHEN held.undone AND held.standing = 'pending' THEN json_build_object(
        'waiting', 'remembered', 'waits_for', NULL, 'would_be', held.because, 'undone', true)
      ELSE json_build_object(
        'waiting', held.standing, 'waits_for', held.latest_operation, 'would_be', held.because, 'undone', held.undone)
      END))
    FROM finding
    JOIN feed ON feed.id = finding.feed_id
    JOIN record ON record.id = feed.record_id
    JOIN test ON test.id = feed.test_id
    JOIN engagement ON engagement.id = test.engagement_id
    JOIN product ON product.id = engagement.product_id
    LEFT JOIN held ON held.finding_id = finding.id),
  'decisions', (SELECT json_agg(json_build_array(
      record.vendor_id, product.name, decision.family, decision.key_hash, decision.field, decision.value))
    FROM decision
    JOIN feed ON feed.id = decision.feed_id
    JOIN record ON record.id = feed.record_id
    JOIN test ON test.id = feed.test_id
    JOIN engagement ON engagement.id = test.engagement_id
    JOIN product ON product.id = engagement.product_id),
  'unseen', (SELECT json_agg(json_build_array(
      record.vendor_id, product.name, concat_ws('@', part.family, part.branch),
      floor(extract(epoch FROM now() - greatest(part.listed_at, part.proven_at)) / 86400)))
    FROM part
    JOIN feed ON feed.id = part.feed_id
    JOIN record ON record.id = feed.record_id
    JOIN test ON test.id = feed.test_id
    JOIN engagement ON engagement.id = test.engagement_id
    JOIN product ON product.id = engagement.product_id
   WHERE part.branch <> ''),
  'products', (SELECT json_agg(json_build_object(
      'id', product.id, 'name', product.name, 'engagement', engagement.id, 'test', test.id, 'test_name', test.name))
    FROM product
    LEFT JOIN engagement ON engagement.product_id = product.id AND engagement.kind = 'connectors'
    LEFT JOIN test ON test.engagement_id = engagement.id AND test.connection_id IS NOT NULL),
  'history', (SELECT json_agg(to_jsonb(record_history) ORDER BY id) FROM record_history WHERE id > %(history)s),
  'journal', (SELECT json_agg(to_jsonb(journal) ORDER BY id) FROM journal WHERE id > %(journal)s),
  'miscounted', (SELECT json_agg(wrong) FROM (
      (SELECT feed_id, family, branch, severity, open, active, n FROM tally WHERE n <> 0
       EXCEPT
       SELECT feed_id, family, branch, severity, open, active, count(*) FROM finding GROUP BY 1, 2, 3, 4, 5, 6)
      UNION ALL
      (SELECT feed_id, family, branch, severity, open, active, count(*) FROM finding GROUP BY 1, 2, 3, 4, 5, 6
       EXCEPT
       SELECT feed_id, family, branch, severity, open, active, n FROM tally)) AS wrong),
  'kept_wrongly', (SELECT json_agg(wrong) FROM ("""
    + KEPT_WRONGLY
    + """) AS wrong),
  'unexplained', (SELECT json_agg(json_build_array(finding.key, finding.closed_because, finding.closed_operation))
    FROM finding
    JOIN feed ON feed.id = finding.feed_id
   WHERE NOT finding.open AND NOT (
         EXISTS (SELECT FROM journal WHERE journal.finding_id = finding.id
                    AND journal.kind IN ('closed', 'decided', 'merged', 'undone'))
     AND CASE
           WHEN finding.closed_because IN ('person', 'merged') THEN finding.closed_operation IS NULL
           WHEN finding.closed_because = 'threshold' AND finding.closed_operation IS NULL THEN true
           WHEN finding.closed_because = 'undone' OR EXISTS (
             SELECT FROM operation
              WHERE operation.id = finding.closed_operation AND operation.type = 'change'
                AND finding.closed_because = 'threshold'
           ) THEN EXISTS (
             SELECT FROM result
              WHERE result.operation_id = finding.closed_operation AND result.record_id = feed.record_id
                AND result.family = '' AND result.outcome = 'complete')
           ELSE EXISTS (
             SELECT FROM result
              WHERE result.operation_id = finding.closed_operation AND result.record_id = feed.record_id
                AND (result.family, result.branch) = (finding.family, finding.branch)
                AND (result.outcome = CASE finding.closed_because WHEN 'branch' THEN 'off' ELSE 'complete' END
                     OR finding.closed_because IN ('fixed', 'threshold')
                     AND result.outcome = 'incomplete'))
         END)))::text
"""
)


@dataclass
class Stored:
    """One look at the database. `state` is compared with the model's; the rest proves what a state cannot."""

    records: dict[str, dict[str, Any]]
    findings: dict[int, dict[str, Any]]
    products: dict[str, dict[str, Any]]
    decisions: list[list[Any]]
    unseen: list[list[Any]]
    """For how many days a Branch was not there."""
    history: list[dict[str, Any]]
    """New lines since the last look."""
    journal: list[dict[str, Any]]
    miscounted: list[Any]
    kept_wrongly: list[Any]
    unexplained: list[Any]
    hashes: dict[str, str]
    """The vendor's keys by their hashes."""

    def state(self) -> dict[str, dict[Any, Any]]:
        ours = [finding for finding in self.findings.values() if finding["ours"]]
        others = [finding["place"][1] for finding in self.findings.values() if not finding["ours"]]
        return {
            "records": {key: facts_of(record) for key, record in self.records.items()},
            "findings": {tuple(found["place"]): found["row"] | found["waits"] for found in ours},
            "decisions": {
                (record, product, family, self.hashes[key], name): value
                for record, product, family, key, name, value in self.decisions
            },
            "unseen": {tuple(place): days for *place, days in self.unseen},
            "products": {
                name: (product["engagement"] is not None, product["test"] is not None, others.count(name))
                for name, product in self.products.items()
            },
        }


def look(history: int, journal: int, hashes: dict[str, str]) -> Stored:
    """Planned once for all looks: Django would plan each anew, which takes three times as long as the reading."""
    database.ensure_connection()
    connection = database.connection
    with Cursor(connection) as cursor:
        connection.prepare_threshold, as_ever = 0, connection.prepare_threshold
        cursor.execute(EVERYTHING, {"history": history, "journal": journal})
        connection.prepare_threshold = as_ever
        (everything,) = cursor.fetchone() or ("{}",)
    found = {name: rows or [] for name, rows in json.loads(everything).items()}
    return Stored(
        records={record["row"]["vendor_id"]: record for record in found["records"]},
        findings={finding["id"]: finding for finding in found["findings"]},
        products={product["name"]: product for product in found["products"]},
        decisions=found["decisions"],
        unseen=found["unseen"],
        history=found["history"],
        journal=found["journal"],
        miscounted=found["miscounted"],
        kept_wrongly=found["kept_wrongly"],
        unexplained=found["unexplained"],
        hashes=hashes,
    )


PROVEN = """
SELECT record.vendor_id, concat_ws('@', result.family, nullif(result.branch, '')),
       result.proof -> 'equation', part.proof = result.proof
  FROM result
  JOIN record ON record.id = result.record_id
  LEFT JOIN part ON (part.feed_id, part.family, part.branch) = (result.feed_id, result.family, result.branch)
   AND part.proven_operation_id = result.operation_id
 WHERE result.operation_id = %s AND result.family <> '' AND result.outcome = 'complete'
"""

DID = """
SELECT 'created', feed.record_id, family, branch, key, title, severity
  FROM finding
  JOIN feed ON feed.id = feed_id
 WHERE created_operation = %(operation)s
UNION ALL
SELECT journal.kind, feed.record_id, family, branch, key, CASE WHEN open THEN title END,
       CASE WHEN open THEN severity END
  FROM journal
  JOIN finding ON finding.id = finding_id
  JOIN feed ON feed.id = feed_id
 WHERE operation = %(operation)s
UNION ALL
SELECT standing, feed.record_id, family, branch, key, NULL, NULL
  FROM held
  JOIN finding ON finding.id = finding_id
  JOIN feed ON feed.id = held.feed_id
 WHERE latest_operation = %(operation)s AND standing = 'held'
 ORDER BY 1, 2, 3, 4, 5
"""

WOULD_DO = """
SELECT kind, record_id, family, branch, key, CASE WHEN kind NOT IN ('closed', 'held') THEN title END,
       CASE WHEN kind NOT IN ('closed', 'held') THEN severity END
  FROM difference
 WHERE operation_id = %(operation)s
 ORDER BY 1, 2, 3, 4, 5
"""


def proven(operation: int) -> tuple[dict[tuple[str, str], Any], bool]:
    """Of what a Sync has read whole where each row is; and whether each proof is the one that stands now."""
    with database.cursor() as cursor:
        cursor.execute(PROVEN, [operation])
        rows = cursor.fetchall()
    return {(record, family): json.loads(where or "null") for record, family, where, _ in rows}, all(
        row[3] for row in rows
    )


def did(operation: int) -> list[Any]:
    """What a Sync did to findings, and to which."""
    return _listed(DID, operation)


def would_do(preview: int) -> list[Any]:
    """What its preview said."""
    return _listed(WOULD_DO, preview)


def _listed(query: str, operation: int) -> list[Any]:
    with database.cursor() as cursor:
        cursor.execute(query, {"operation": operation})
        return cursor.fetchall()


def facts_of(record: dict[str, Any]) -> dict[str, Any]:
    row = record["row"]
    same = ("name", "parent", "decision", "finalized_how", "hands_off", "ignored_because", "target_lost")
    return {name: row[name] for name in (*same, "earlier_product_name")} | {
        "product": record["product"],
        "earlier": record["earlier"],
        "absent": row["absent_since"] is not None,
        "deleted": row["deleted_at"] is not None,
        "absence_held_by": record["absence_held_by"],
    }


def forget_everything() -> None:
    """Empty tables for the next history; far cheaper than TRUNCATE where there is little in them."""
    order = ("product", "decision", "quarantine", "result", "log_line", "lease", "record", "operation", "connection")
    with database.cursor() as cursor:
        cursor.execute("; ".join(f"DELETE FROM {table}" for table in order))


def days_pass(days: int) -> None:
    """All that was noted of Branches is so much older."""
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE part SET listed_at = listed_at - make_interval(days => %(days)s),"
            " proven_at = proven_at - make_interval(days => %(days)s)",
            {"days": days},
        )


def delete(table: str, id: int) -> None:
    """Plain SQL of somebody else."""
    with database.cursor() as cursor:
        cursor.execute(
            {
                "product": "DELETE FROM product WHERE id = %s",
                "engagement": "DELETE FROM engagement WHERE id = %s",
                "test": "DELETE FROM test WHERE id = %s",
            }[table],
            [id],
        )
