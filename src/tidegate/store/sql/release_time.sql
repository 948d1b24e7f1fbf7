-- Gives the right to be the scheduler back.
-- Parameters: none. Locks: none. Rows: one.
SELECT pg_advisory_unlock(hashtext('tidegate.scheduler'))
