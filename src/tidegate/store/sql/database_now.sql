-- The database's clock: the one that all machines share.
-- Parameters: none. Locks: none. Rows: one.
SELECT clock_timestamp() AS now
