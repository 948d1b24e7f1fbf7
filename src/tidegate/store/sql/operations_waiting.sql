-- What waits for a Connection, the eldest first.
-- Parameters: connection. Locks: none. Rows: one an Operation.
SELECT id FROM operation WHERE connection_id = %(connection)s AND status = 'pending' ORDER BY id
