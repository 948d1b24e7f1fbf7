-- Syncs and changes that are about some Records: they were asked for these by number, or for all of a Connection, or
-- they say how it went for these.
-- Parameters: records, operation (the one that is looked for; null for all). Locks: none. Rows: one an Operation.
SELECT operation.id
  FROM operation
  LEFT JOIN LATERAL jsonb_array_elements_text(
    CASE jsonb_typeof(operation.scope -> 'records') WHEN 'array' THEN operation.scope -> 'records' ELSE '[]' END
  ) AS asked (record) ON true
 WHERE (%(operation)s::bigint IS NULL OR operation.id = %(operation)s::bigint)
   AND CASE
           WHEN operation.type = 'discover' THEN false
           WHEN jsonb_typeof(operation.scope -> 'records') = 'array' THEN asked.record::bigint = ANY (%(records)s::bigint[])
           ELSE operation.type = 'sync' AND operation.connection_id IN (
               SELECT record.connection_id FROM record WHERE record.id = ANY (%(records)s::bigint[]))
       END
UNION
SELECT operation.id
  FROM result
  JOIN operation ON operation.id = result.operation_id
 WHERE result.record_id = ANY (%(records)s::bigint[]) AND result.family = '' AND operation.type <> 'discover'
   AND (%(operation)s::bigint IS NULL OR operation.id = %(operation)s::bigint)
