-- What waits for a Connection, and for the Destination of an Operation that ended, the eldest first.
-- Parameters: connection, operation. Locks: none. Rows: one an Operation.
SELECT id
  FROM operation
 WHERE status = 'pending'
   AND (connection_id = %(connection)s
        OR destination_id = (SELECT ended.destination_id FROM operation AS ended WHERE ended.id = %(operation)s))
 ORDER BY id
