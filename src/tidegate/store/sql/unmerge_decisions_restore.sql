-- Undoing a merge: the destination gets back the decisions it had before.
-- Parameters: lines (from unmerge_lines). Locks: the caller holds the Record. Rows: one a decision.
INSERT INTO decision (feed_id, family, key_hash, field, value, until, by, at)
SELECT DISTINCT was.feed_id, was.family, was.key_hash, was.field, was.value, was.until, was.by, was.at
  FROM journal
  CROSS JOIN LATERAL jsonb_to_recordset(journal.before -> 'decisions')
       AS was (feed_id bigint, family text, key_hash uuid, field text, value text, until timestamptz, by text,
               at timestamptz)
 WHERE journal.id = ANY(%(lines)s::bigint[])
    ON CONFLICT (feed_id, family, key_hash, field) DO NOTHING
