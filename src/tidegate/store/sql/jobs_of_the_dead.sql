-- Jobs that were fetched and that nobody is at any more: their worker died, or its connection was cut as it wanted to say
-- that it had looked, which it says once. The Operations' rows say what is left to do; to look at one that waits is done
-- in no time. Parameters: seconds (of silence). Locks: these jobs. Rows: one a job.
DELETE FROM procrastinate_jobs AS job
 WHERE job.status = 'doing'
   AND (NOT EXISTS (SELECT FROM procrastinate_workers AS worker
                     WHERE worker.id = job.worker_id
                       AND worker.last_heartbeat > now() - make_interval(secs => %(seconds)s))
        OR EXISTS (SELECT FROM operation
                    WHERE operation.id = (job.args ->> 'operation')::bigint
                      AND (operation.ended_at < now() - make_interval(secs => %(seconds)s)
                           OR (operation.status = 'pending'
                               AND EXISTS (SELECT FROM procrastinate_events AS event
                                            WHERE event.job_id = job.id AND event.type = 'started'
                                              AND event.at < now() - make_interval(secs => %(seconds)s))))))
