-- Takes an Operation and its lease under a new attempt, which fences whoever had it.
-- Parameters: operation, worker, seconds, died. Locks: the Operation, by the caller. Rows: one.
WITH claimed AS (
    UPDATE operation
       SET status = 'running', attempt = attempt + 1, started_at = coalesce(started_at, now()),
           deaths = deaths + %(died)s::integer, worker = %(worker)s,
           seconds = CASE WHEN attempt > 0 THEN seconds ELSE jsonb_build_object('queue', round(extract(epoch FROM
               greatest(now() - greatest(requested_at, not_before), interval '0'))::numeric, 3)) END
     WHERE id = %(operation)s
    RETURNING id, attempt, deaths
), leased AS (
    INSERT INTO lease (operation_id, attempt, until, seconds, worker, progress)
    SELECT id, attempt, now() + make_interval(secs => %(seconds)s), %(seconds)s, %(worker)s, '{}' FROM claimed
        ON CONFLICT (operation_id) DO UPDATE
       SET attempt = excluded.attempt, until = excluded.until, seconds = excluded.seconds, worker = excluded.worker,
           handed_back = false
)
SELECT attempt, deaths FROM claimed
