-- What waits for a Connection is not begun any more; but for what asks no vendor: changes and deliveries.
-- Parameters: connection, actor, why. Locks: none. Rows: one an Operation.
UPDATE operation
   SET status = 'cancelled', cancelled_by = %(actor)s, why = %(why)s, ended_at = now()
 WHERE connection_id = %(connection)s AND status = 'pending' AND type IN ('discover', 'sync')
