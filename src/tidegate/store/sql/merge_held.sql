-- Closings that wait go over with their findings; where the same finding is at the destination, it waits instead.
-- Sorted, so that all are taken out before the first goes in.
-- Parameters: source, destination; sources and theres (pairwise). Locks: the caller holds the Record.
-- Rows: one a closing that waits.
WITH pair AS MATERIALIZED (
    SELECT source_id, there_id FROM unnest(%(sources)s::bigint[], %(theres)s::bigint[]) AS met (source_id, there_id)
), waiting AS (
    DELETE FROM held
     USING pair
     WHERE held.finding_id = pair.source_id OR held.finding_id = pair.there_id
    RETURNING held.*, pair.there_id
)
INSERT INTO held (finding_id, feed_id, since_operation, latest_operation, last_seen_at, standing, said_by, said_at,
                  because, undone)
SELECT coalesce(there_id, finding_id), %(destination)s, since_operation, latest_operation, last_seen_at, standing,
       said_by, said_at, because, undone
  FROM waiting
 WHERE feed_id = %(source)s
 ORDER BY 1
