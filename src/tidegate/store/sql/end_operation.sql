-- Ends an Operation that is still run by this attempt; one that a person cancelled meanwhile is cancelled.
-- Parameters: operation, attempt, status, why, cause, counts, complete. Locks: the Operation. Rows: one with its
-- Connection, type and status, or none if it was lost.
UPDATE operation
   SET status = CASE WHEN lease.cancelled_by <> '' THEN 'cancelled' ELSE %(status)s END,
       cancelled_by = lease.cancelled_by,
       why = %(why)s, cause = %(cause)s, counts = %(counts)s, complete = %(complete)s, ended_at = now()
  FROM lease
 WHERE operation.id = %(operation)s AND operation.attempt = %(attempt)s AND operation.status = 'running'
   AND lease.operation_id = operation.id
RETURNING operation.connection_id, operation.type, operation.status
