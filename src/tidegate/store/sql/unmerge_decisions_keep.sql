-- Undoing a merge: what was decided since about findings that go back, goes back with them. What was decided before it is
-- still where it was said.
-- Parameters: source (where they go back to), destination; lines (from unmerge_lines). Locks: the caller holds the Record.
-- Rows: one a decision.
INSERT INTO decision (feed_id, family, key_hash, field, value, until, by, at)
SELECT DISTINCT %(source)s::bigint, decision.family, decision.key_hash, decision.field, decision.value, decision.until,
       decision.by, decision.at
  FROM journal
  JOIN finding ON finding.id = journal.finding_id
  JOIN decision ON (decision.feed_id, decision.family, decision.key_hash)
                 = (%(destination)s, finding.family, finding.key_hash)
 WHERE journal.id = ANY(%(lines)s::bigint[])
   AND decision.at > journal.at
    ON CONFLICT (feed_id, family, key_hash, field) DO UPDATE
   SET value = excluded.value, until = excluded.until, by = excluded.by, at = excluded.at
