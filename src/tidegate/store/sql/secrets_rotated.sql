-- Gives the right to rotate back.
-- Parameters: none. Locks: lets go of an advisory lock of the session. Rows: one.
SELECT pg_advisory_unlock(hashtext('tidegate.secrets'))
