-- Deletes what hangs on these Operations, some rows of each kind at once: a preview of everything has a million.
-- Parameters: operations, at_most. Locks: these rows. Rows: one: how many were deleted.
WITH differences AS (
    DELETE FROM difference
     WHERE id IN (SELECT id FROM difference WHERE operation_id = ANY(%(operations)s::bigint[]) LIMIT %(at_most)s)
    RETURNING id
), results AS (
    DELETE FROM result
     WHERE id IN (SELECT id FROM result WHERE operation_id = ANY(%(operations)s::bigint[]) LIMIT %(at_most)s)
    RETURNING id
), lines AS (
    DELETE FROM log_line
     WHERE id IN (SELECT id FROM log_line WHERE operation_id = ANY(%(operations)s::bigint[]) LIMIT %(at_most)s)
    RETURNING id
), odd AS (
    DELETE FROM quarantine
     WHERE id IN (SELECT id FROM quarantine WHERE operation_id = ANY(%(operations)s::bigint[]) LIMIT %(at_most)s)
    RETURNING id
)
SELECT (SELECT count(*) FROM differences) + (SELECT count(*) FROM results) + (SELECT count(*) FROM lines)
     + (SELECT count(*) FROM odd) AS deleted
