-- Closings that wait go over with their findings; where the same finding is at the destination, it waits instead.
-- Sorted, so that all are taken out before the first goes in.
-- Parameters: source, destination. Locks: the caller holds the Record. Rows: one a closing that waits.
WITH twin AS (
    SELECT finding.id AS source_id, there.id AS there_id
      FROM finding
      JOIN finding AS there
        ON there.feed_id = %(destination)s
       AND (there.family, there.branch, there.key_hash) = (finding.family, finding.branch, finding.key_hash)
     WHERE finding.feed_id = %(source)s
), waiting AS (
    DELETE FROM held
     WHERE feed_id = %(source)s OR finding_id IN (SELECT there_id FROM twin)
    RETURNING *
)
INSERT INTO held (finding_id, feed_id, since_operation, latest_operation, last_seen_at, standing, said_by, said_at)
SELECT coalesce(twin.there_id, waiting.finding_id), %(destination)s, since_operation, latest_operation, last_seen_at,
       standing, said_by, said_at
  FROM waiting
  LEFT JOIN twin ON twin.source_id = waiting.finding_id
 WHERE waiting.feed_id = %(source)s
 ORDER BY 1
