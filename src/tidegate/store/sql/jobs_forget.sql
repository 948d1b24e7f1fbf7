-- Deletes jobs of the queue that ended long ago, and those that wait for an Operation that has ended or is gone.
-- Parameters: before (time), at_most. Locks: these jobs. Rows: one a job.
DELETE FROM procrastinate_jobs
 WHERE id IN (
    SELECT job.id
      FROM procrastinate_jobs AS job
     WHERE (job.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
            OR (job.status = 'todo' AND job.args ? 'operation' AND NOT EXISTS (
                   SELECT FROM operation
                    WHERE operation.id = (job.args ->> 'operation')::bigint
                      AND operation.status IN ('pending', 'running'))))
       AND NOT EXISTS (SELECT FROM procrastinate_events AS event
                        WHERE event.job_id = job.id AND event.at >= %(before)s::timestamptz)
     ORDER BY job.id
     LIMIT %(at_most)s)
