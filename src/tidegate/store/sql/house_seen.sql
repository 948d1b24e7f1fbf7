-- What the doctor asks of the database: its clock, its connections, and what of the queue nobody will look at.
-- Parameters: silent (seconds without a heart-beat after which a worker is dead). Locks: none. Rows: one.
SELECT clock_timestamp() AS now,
       current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer AS places,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS taken,
       (SELECT count(*) FROM procrastinate_jobs AS job
         WHERE job.status = 'doing'
           AND NOT EXISTS (SELECT FROM procrastinate_workers AS worker
                            WHERE worker.id = job.worker_id
                              AND worker.last_heartbeat > now() - make_interval(secs => %(silent)s))) AS stuck,
       (SELECT count(*) FROM operation
         WHERE status = 'running'
           AND NOT EXISTS (SELECT FROM lease
                            WHERE lease.operation_id = operation.id AND NOT lease.handed_back AND lease.until > now()
                              AND lease.until <= now() + make_interval(secs => lease.seconds + 5))) AS lifeless,
       (SELECT count(*) FROM operation
         WHERE status = 'pending' AND coalesce(not_before <= now(), true)
           AND NOT EXISTS (SELECT FROM operation AS other
                            WHERE other.connection_id = operation.connection_id AND other.status = 'running')
           AND NOT EXISTS (SELECT FROM procrastinate_jobs AS job
                            WHERE job.queueing_lock = 'operation ' || operation.id AND job.status IN ('todo', 'doing'))
       ) AS unlooked,
       (SELECT count(*) FROM operation WHERE status = 'pending' AND coalesce(not_before <= now(), true)) AS waiting,
       (SELECT count(*) FROM schedule JOIN connection ON connection.id = schedule.connection_id
         WHERE schedule.kind <> 'off' AND connection.paused_at IS NULL AND connection.deleted_at IS NULL) AS planned
