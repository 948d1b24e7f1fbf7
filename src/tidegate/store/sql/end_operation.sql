-- Ends an Operation that is still run by this attempt; one that a person cancelled meanwhile is cancelled.
-- Parameters: operation, attempt, status, why, counts, complete. Locks: the Operation. Rows: one, or none if it was lost.
UPDATE operation
   SET status = CASE WHEN cancelled_by <> '' THEN 'cancelled' ELSE %(status)s END,
       why = %(why)s, counts = %(counts)s, complete = %(complete)s, ended_at = now()
 WHERE id = %(operation)s AND attempt = %(attempt)s AND status = 'running'
