-- Deletes these results where they are old, and nobody asks for them any more. These stay:
-- * the latest of each Record: its badge is made of it; and the latest that was applied: that Sync can be undone,
-- * what read a Family and Branch when findings were closed there that are closed still: it proves why.
-- Nobody reads an old preview. Findings are looked for Feed by Feed (OFFSET 0): left to itself, the planner begins with all
-- there are.
-- Parameters: results, before (time). Locks: these results. Rows: one a result.
WITH old AS MATERIALIZED (
    SELECT result.id, result.operation_id, result.record_id, result.family, result.branch, result.feed_id,
           result.undone_by, operation.preview,
           result.gone > 0
               OR coalesce((result.counts ->> 'closed')::bigint, 0) + coalesce((result.counts ->> 'held')::bigint, 0) > 0
               AS closed
      FROM result
      JOIN operation ON operation.id = result.operation_id
     WHERE result.id = ANY(%(results)s::bigint[]) AND operation.ended_at < %(before)s::timestamptz
), proving AS MATERIALIZED (
    SELECT finding.closed_operation AS operation_id, its.record_id, told.family, told.branch
      FROM (SELECT record_id, array_agg(DISTINCT operation_id) AS operations
              FROM old
             WHERE closed AND NOT preview
             GROUP BY record_id) AS its
      JOIN feed ON feed.record_id = its.record_id
     CROSS JOIN LATERAL (
        SELECT closed_operation, family, branch
          FROM finding
         WHERE feed_id = feed.id AND NOT active AND closed_operation = ANY(its.operations)
        OFFSET 0
     ) AS finding
     CROSS JOIN LATERAL (VALUES ('', ''), (finding.family, finding.branch)) AS told (family, branch)
     GROUP BY finding.closed_operation, its.record_id, told.family, told.branch
), later AS MATERIALIZED (
    SELECT its.record_id, max(result.operation_id) AS latest,
           max(result.operation_id) FILTER (WHERE result.feed_id IS NOT NULL AND result.undone_by IS NULL) AS latest_applied
      FROM (SELECT DISTINCT record_id FROM old) AS its
      JOIN result ON result.record_id = its.record_id AND result.family = ''
      JOIN operation ON operation.id = result.operation_id AND operation.type = 'sync' AND NOT operation.preview
     GROUP BY its.record_id
)
DELETE FROM result
 USING old
  LEFT JOIN later ON later.record_id = old.record_id
  LEFT JOIN proving
    ON (proving.operation_id, proving.record_id, proving.family, proving.branch)
     = (old.operation_id, old.record_id, old.family, old.branch)
 WHERE result.id = old.id
   AND (old.preview OR (
           proving.operation_id IS NULL
           AND later.latest > old.operation_id
           AND (old.feed_id IS NULL OR old.undone_by IS NOT NULL OR later.latest_applied > old.operation_id)))
