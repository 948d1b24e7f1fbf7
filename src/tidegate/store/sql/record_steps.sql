-- What an undo must know: for each Record of a step, its history from that step on, newest last, and whether a Sync
-- wrote under it since.
-- Parameters: step, records. Locks: the caller holds the Records. Rows: one a line of history.
WITH first AS (
    SELECT record_id, min(id) AS id
      FROM record_history
     WHERE step = %(step)s::uuid AND record_id = ANY(%(records)s::bigint[])
     GROUP BY record_id
)
SELECT record.id AS record_id, record.name, history.step, history.actor, history.at, history.before, history.after,
       EXISTS (
           SELECT FROM part
             LEFT JOIN operation ON operation.id = part.last_operation_id
            WHERE part.feed_id = record.feed_id
              AND (part.proven_at > history.at
                   OR (part.last_operation_id IS NOT NULL AND coalesce(operation.ended_at > history.at, true)))
       ) AS written_under
  FROM first
  JOIN record ON record.id = first.record_id
  JOIN record_history AS history ON history.record_id = first.record_id AND history.id >= first.id
 ORDER BY record.id, history.id
