-- Undoing a merge: what was decided since about findings that go back, goes back with them.
-- Parameters: source (where they go back to), destination, step. Locks: the caller holds the Record. Rows: one a decision.
INSERT INTO decision (feed_id, family, key_hash, field, value, until, by, at)
SELECT DISTINCT %(source)s::bigint, decision.family, decision.key_hash, decision.field, decision.value, decision.until,
       decision.by, decision.at
  FROM decision
  JOIN finding ON (finding.feed_id, finding.family, finding.key_hash)
                = (decision.feed_id, decision.family, decision.key_hash)
  JOIN journal ON journal.finding_id = finding.id AND journal.before ->> 'step' = %(step)s
 WHERE decision.feed_id = %(destination)s
   AND (journal.kind = 'moved' OR (journal.kind = 'merged' AND decision.at > journal.at))
    ON CONFLICT (feed_id, family, key_hash, field) DO UPDATE
   SET value = excluded.value, until = excluded.until, by = excluded.by, at = excluded.at
