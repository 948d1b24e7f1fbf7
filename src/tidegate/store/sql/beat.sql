-- Keeps leases alive, shows how far their Operations are, tells who listens, and brings back who asked for the end.
-- Parameters: operations, attempts, progresses (arrays of the same length). Locks: the leases. Rows: one a lease that is
-- still of this attempt; what is missing is another's by now.
WITH beating AS (
    SELECT * FROM unnest(%(operations)s::bigint[], %(attempts)s::integer[], %(progresses)s::jsonb[])
        AS given (operation_id, attempt, progress)
), beaten AS (
    UPDATE lease
       SET until = now() + make_interval(secs => lease.seconds), progress = beating.progress
      FROM beating
     WHERE lease.operation_id = beating.operation_id AND lease.attempt = beating.attempt AND NOT lease.handed_back
    RETURNING lease.operation_id, lease.progress, lease.cancelled_by
)
SELECT beaten.operation_id, beaten.cancelled_by,
       pg_notify('tidegate_progress', jsonb_build_object(
           'operation', operation.id, 'status', operation.status, 'progress', beaten.progress)::text)
  FROM beaten JOIN operation ON operation.id = beaten.operation_id
