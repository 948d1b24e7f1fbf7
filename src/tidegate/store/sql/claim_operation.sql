-- Takes an Operation and its lease under a new attempt, which fences whoever had it.
-- Parameters: operation, worker, seconds. Locks: the Operation, by the caller. Rows: one.
WITH claimed AS (
    UPDATE operation
       SET status = 'running', attempt = attempt + 1, started_at = coalesce(started_at, now())
     WHERE id = %(operation)s
    RETURNING id, attempt
), leased AS (
    INSERT INTO lease (operation_id, attempt, until, worker, progress)
    SELECT id, attempt, now() + make_interval(secs => %(seconds)s), %(worker)s, '{}' FROM claimed
        ON CONFLICT (operation_id) DO UPDATE
       SET attempt = excluded.attempt, until = excluded.until, worker = excluded.worker
)
SELECT attempt FROM claimed
