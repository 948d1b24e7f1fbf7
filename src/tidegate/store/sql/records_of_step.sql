-- The Records that a step decided.
-- Parameters: step. Locks: none. Rows: one a Record, by id.
SELECT DISTINCT record_id FROM record_history WHERE step = %(step)s::uuid ORDER BY record_id
