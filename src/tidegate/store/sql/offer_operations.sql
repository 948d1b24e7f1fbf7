-- Tells the workers to look at these Operations; who waits already is not told twice, but perhaps earlier. One that a
-- person waits for goes before the schedule's, until it has had its turn.
-- Parameters: operations. Locks: jobs that wait. Rows: one a job that was made or moved.
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, queueing_lock, args, scheduled_at)
SELECT 'operations', 'look_at_operation', CASE WHEN trigger <> 'scheduled' AND attempt = 0 THEN 10 ELSE 0 END,
       'operation ' || id, jsonb_build_object('operation', id), CASE WHEN not_before > now() THEN not_before END
  FROM operation
 WHERE id = ANY(%(operations)s::bigint[]) AND status IN ('pending', 'running')
 ORDER BY id
    ON CONFLICT (queueing_lock) WHERE status = 'todo' DO UPDATE
   SET scheduled_at = excluded.scheduled_at, priority = greatest(procrastinate_jobs.priority, excluded.priority)
 WHERE procrastinate_jobs.scheduled_at IS DISTINCT FROM excluded.scheduled_at
    OR procrastinate_jobs.priority < excluded.priority
