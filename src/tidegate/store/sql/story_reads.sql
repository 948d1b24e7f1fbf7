-- What Operations are, and how they read one Family and Branch of a Record: by their results, or where these are forgotten by the
-- proof of the last complete read.
-- Parameters: operations, record, feed (of the proof), family, branch. Locks: none. Rows: one an Operation.
SELECT operation.id,
       operation.type,
       coalesce(operation.ended_at, operation.started_at, operation.requested_at) AS at,
       coalesce(result.outcome = 'complete', part.id IS NOT NULL) AS complete,
       coalesce(result.why, '') AS why,
       (result.counts ->> 'seen')::bigint AS seen,
       coalesce(nullif(result.proof, '{}'), part.proof, '{}')::text AS proof
  FROM operation
  LEFT JOIN result
    ON (result.operation_id, result.record_id, result.family, result.branch)
     = (operation.id, %(record)s, %(family)s, %(branch)s)
  LEFT JOIN part
    ON (part.feed_id, part.family, part.branch) = (%(feed)s, %(family)s, %(branch)s)
   AND part.proven_operation_id = operation.id
 WHERE operation.id = ANY(%(operations)s::bigint[])
