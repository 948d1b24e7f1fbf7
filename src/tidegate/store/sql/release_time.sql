-- Gives the right to be the scheduler back; the session may be idle again.
-- Parameters: none. Locks: none. Rows: one.
SELECT pg_advisory_unlock(hashtext('tidegate.scheduler')), set_config('idle_session_timeout', '0', false)
