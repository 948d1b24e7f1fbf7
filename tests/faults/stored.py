"""What must be the same after a fault as without one: content, not numbers, times, steps, attempts and logs."""

from __future__ import annotations

from typing import Any

from django.db import connection

QUESTIONS = {
    "records": "SELECT record.connection_id, vendor_id, record.name, parent, decision, absent_since IS NULL,"
    " finalized_how, product.name FROM record LEFT JOIN feed ON feed.id = feed_id LEFT JOIN test ON test.id = test_id"
    " LEFT JOIN engagement ON engagement.id = engagement_id LEFT JOIN product ON product.id = product_id ORDER BY 1, 2",
    "history": "SELECT vendor_id, count(*) FROM record_history JOIN record ON record.id = record_id"
    " GROUP BY 1 ORDER BY 1",
    "findings": "SELECT feed_id, key, family, title, severity, open, active, closed_because, fields::text"
    " FROM finding ORDER BY 1, 2",
    "decisions": "SELECT feed_id, key_hash, field, value, by FROM decision ORDER BY 1, 2, 3",
    "journal": "SELECT key, kind, actor, before - 'closed_operation' - 'step'"
    " FROM journal JOIN finding ON finding.id = finding_id ORDER BY finding.feed_id, 1, journal.id",
    "held": "SELECT key, standing FROM held JOIN finding ON finding.id = finding_id ORDER BY finding.feed_id, 1",
    "held absences": "SELECT vendor_id FROM held_absence JOIN record ON record.id = record_id ORDER BY 1",
    "proofs": "SELECT feed_id, family, proof::text, last_outcome, below, skipped FROM part ORDER BY 1, 2",
    "tally": "SELECT feed_id, severity, open, active, sum(n) FROM tally GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0"
    " ORDER BY 1, 2, 3, 4",
}


Stored = dict[str, list[tuple[Any, ...]]]


def stored() -> Stored:
    """Records, findings, decisions, journal, held and proofs."""
    found: Stored = {}
    with connection.cursor() as cursor:
        for name, question in QUESTIONS.items():
            cursor.execute(question)
            found[name] = cursor.fetchall()
    return found


def versions() -> list[tuple[Any, ...]]:
    """Which version of each finding and journal line there is: another one means that somebody wrote it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 'finding', id, xmin::text FROM finding UNION ALL SELECT 'journal', id, xmin::text FROM journal"
            " UNION ALL SELECT 'part', id, xmin::text FROM part UNION ALL SELECT 'result', id, xmin::text FROM result"
            " UNION ALL SELECT 'operation', id, xmin::text FROM operation ORDER BY 1, 2"
        )
        return cursor.fetchall()
