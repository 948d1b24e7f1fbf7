-- Takes, for this session, the right to rotate the key; there is one who does at a time.
-- Parameters: none. Locks: an advisory lock of the session. Rows: one.
SELECT pg_try_advisory_lock(hashtext('tidegate.secrets')) AS held
