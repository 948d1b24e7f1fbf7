-- What results say is added up on their Operations before they go, where an Operation does not say it itself: one that
-- took its worker along or was cancelled while nobody ran it ended without counts.
-- Parameters: operations. Locks: these Operations. Rows: one an Operation that lacked its counts.
UPDATE operation
   SET counts = told.counts
  FROM (
    SELECT operation_id, jsonb_object_agg(word, number) AS counts
      FROM (
        SELECT result.operation_id, said.word, sum(said.number) AS number
          FROM result
         CROSS JOIN LATERAL (
            SELECT key AS word, value::bigint AS number FROM jsonb_each_text(result.counts)
            UNION ALL SELECT 'records', 1
         ) AS said
         WHERE result.operation_id = ANY(%(operations)s::bigint[]) AND result.family = ''
         GROUP BY result.operation_id, said.word
      ) AS sums
     GROUP BY operation_id
  ) AS told
 WHERE operation.id = told.operation_id AND operation.counts = '{}'
   AND operation.status IN ('success', 'partial', 'failed', 'cancelled')
