-- The verdict is carried out: what this Operation saw gone, and is still open, becomes closed.
-- Parameters: feed, operation, actor. Locks: the caller holds Operation, Record and Test. Rows: one a closing.
WITH gone AS (
    DELETE FROM held
     WHERE feed_id = %(feed)s AND latest_operation = %(operation)s AND standing <> 'kept open' AND NOT undone
    RETURNING finding_id, because
), closed AS (
    UPDATE finding
       SET open = false, active = false, closed_because = gone.because, closed_operation = %(operation)s, closed_at = now(),
           changed_operation = %(operation)s
      FROM gone
     WHERE finding.id = gone.finding_id AND finding.open
    RETURNING finding.id
)
INSERT INTO journal (finding_id, operation, actor, kind, before)
SELECT id, %(operation)s, %(actor)s, 'closed', '{"open": true}' FROM closed
