-- Jobs that a worker fetched and did not finish before it died: the Operations' rows say what is left to do.
-- Parameters: seconds (without a heart-beat). Locks: these jobs. Rows: one a job.
DELETE FROM procrastinate_jobs AS job
 WHERE job.status = 'doing'
   AND NOT EXISTS (SELECT FROM procrastinate_workers AS worker
                    WHERE worker.id = job.worker_id
                      AND worker.last_heartbeat > now() - make_interval(secs => %(seconds)s))
