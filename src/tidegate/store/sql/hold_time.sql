-- Takes, for this session, the right to be the scheduler; there is one at a time.
-- Parameters: none. Locks: an advisory lock of the session. Rows: one.
SELECT pg_try_advisory_lock(hashtext('tidegate.scheduler')) AS held
