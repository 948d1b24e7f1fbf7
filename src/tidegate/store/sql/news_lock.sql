-- Lets one process at a time decide what is news, so that nothing is told twice; held until the transaction ends.
-- Locks: an advisory lock of its own. Rows: one.
SELECT pg_advisory_xact_lock(hashtext('tidegate.news'))
