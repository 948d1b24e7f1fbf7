-- Whoever changes who may do what waits for whoever does so now: two administrators cannot take each other away at once.
-- Locks: people, until the transaction ends. Rows: one.
SELECT pg_advisory_xact_lock(hashtext('tidegate.people'))
