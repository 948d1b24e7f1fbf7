-- Troubles that were told and are not well again, the oldest first; of one Connection, or of all where it is null.
-- Parameters: kind, connection. Locks: none. Rows: one a told trouble.
SELECT told.connection_id, told.operation_id, told.at, told.facts
  FROM outbox AS told
  JOIN connection ON connection.id = told.connection_id AND connection.deleted_at IS NULL
 WHERE told.kind = %(kind)s
   AND (%(connection)s::bigint IS NULL OR told.connection_id = %(connection)s)
   AND NOT EXISTS (
    SELECT FROM outbox AS well
     WHERE well.connection_id = told.connection_id
       AND well.kind = 'recovered'
       AND well.id > told.id
       AND well.facts -> 'of' ? told.kind
   )
 ORDER BY told.id
