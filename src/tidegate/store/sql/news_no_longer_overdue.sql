-- Connections that were told to be overdue, are so no more, and of which something went well since.
-- Parameters: overdue (numbers of Connections that still are). Locks: none. Rows: one a Connection.
SELECT told.connection_id, min(told.at) AS since
  FROM outbox AS told
  JOIN connection ON connection.id = told.connection_id AND connection.deleted_at IS NULL
 WHERE told.kind = 'overdue'
   AND NOT told.connection_id = ANY (%(overdue)s::bigint[])
   AND NOT EXISTS (
    SELECT FROM outbox AS well
     WHERE well.connection_id = told.connection_id
       AND well.kind = 'recovered'
       AND well.id > told.id
       AND well.facts -> 'of' ? 'overdue'
   )
   AND EXISTS (
    SELECT FROM operation
     WHERE operation.connection_id = told.connection_id
       AND told.facts -> 'types' ? operation.type
       AND operation.status IN ('success', 'partial')
       AND NOT operation.preview
       AND operation.ended_at > told.at
   )
 GROUP BY told.connection_id
 ORDER BY told.connection_id
