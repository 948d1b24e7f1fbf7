-- Lets go of an Operation that goes on elsewhere: nobody died, and whoever looks may take it at once.
-- Parameters: operation, attempt. Locks: the lease. Rows: one, or none where another attempt has it.
UPDATE lease SET until = now(), handed_back = true WHERE operation_id = %(operation)s AND attempt = %(attempt)s
