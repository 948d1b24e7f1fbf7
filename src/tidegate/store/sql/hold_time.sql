-- Takes, for this session, the right to be the scheduler; there is one at a time. A session that asks nothing for a while
-- is ended by the server, and the right with it.
-- Parameters: frozen (a time, as PostgreSQL writes it). Locks: an advisory lock of the session. Rows: one.
SELECT pg_try_advisory_lock(hashtext('tidegate.scheduler')) AS held, set_config('idle_session_timeout', %(frozen)s, false)
