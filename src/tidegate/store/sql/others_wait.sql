-- Whether an Operation waits for a worker that has a hand free.
-- Parameters: none. Locks: none. Rows: one where one does.
SELECT id FROM procrastinate_jobs
 WHERE status = 'todo' AND queue_name = 'operations' AND coalesce(scheduled_at <= now(), true)
 LIMIT 1
