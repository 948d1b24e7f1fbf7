-- Tells whoever runs an Operation that somebody wants its end; the first who asks counts.
-- Parameters: operation, actor. Locks: the lease. Rows: one, or none where nobody runs it.
UPDATE lease SET cancelled_by = CASE WHEN cancelled_by = '' THEN %(actor)s ELSE cancelled_by END
 WHERE operation_id = %(operation)s AND NOT handed_back
   AND until > now() AND until <= now() + make_interval(secs => seconds + 5)
