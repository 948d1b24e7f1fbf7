-- Keeps a lease alive for another while, and shows how far its Operation is.
-- Parameters: operation, attempt, seconds, progress. Locks: the lease. Rows: one, or none where another attempt has it.
UPDATE lease SET until = now() + make_interval(secs => %(seconds)s), progress = %(progress)s
 WHERE operation_id = %(operation)s AND attempt = %(attempt)s
