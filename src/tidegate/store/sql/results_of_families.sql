-- How each Family and Branch of some Records went, each Record in one Operation.
-- Parameters: operations, records (side by side). Locks: none. Rows: one a Record, Family and Branch.
SELECT result.record_id, result.family, result.branch, result.outcome, result.why
  FROM unnest(%(operations)s::bigint[], %(records)s::bigint[]) AS wanted (operation_id, record_id)
  JOIN result ON (result.operation_id, result.record_id) = (wanted.operation_id, wanted.record_id)
 WHERE result.family <> ''
