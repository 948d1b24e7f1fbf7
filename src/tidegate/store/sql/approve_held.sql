-- A person believes that these findings are gone: those on the list that are still open become closed.
-- Parameters: operation, feeds, actor. Locks: the caller holds the Records of these Feeds. Rows: one a closing.
WITH gone AS (
    DELETE FROM held WHERE feed_id = ANY (%(feeds)s::bigint[]) AND latest_operation = %(operation)s AND standing = 'held'
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
