-- Operations that nobody looks at and somebody should: those that run without a living lease, and those whose time has
-- come while nothing else of their Connection (a deliver: of their Destination) runs. One that a worker has just fetched is looked at; where a lease ran
-- out, whoever fetched it is dead or hangs.
-- Parameters: none. Locks: none. Rows: one an Operation.
SELECT operation.id
  FROM operation
  LEFT JOIN lease ON lease.operation_id = operation.id
 WHERE (operation.status = 'running' OR (
           operation.status = 'pending' AND coalesce(operation.not_before <= now(), true)
           AND (operation.type = 'change'
                OR operation.type = 'deliver' AND NOT EXISTS (
                    SELECT FROM operation AS other
                     WHERE other.destination_id = operation.destination_id AND other.status = 'running')
                OR operation.type IN ('discover', 'sync') AND NOT EXISTS (
                    SELECT FROM operation AS other
                     WHERE other.connection_id = operation.connection_id AND other.status = 'running'
                       AND other.type IN ('discover', 'sync')))
           AND NOT EXISTS (SELECT FROM procrastinate_jobs AS job
                            WHERE job.queueing_lock = 'operation ' || operation.id AND job.status = 'doing')))
   AND (lease.operation_id IS NULL OR lease.handed_back OR lease.until <= now()
        OR lease.until > now() + make_interval(secs => lease.seconds + 5))
   AND NOT EXISTS (SELECT FROM procrastinate_jobs AS job
                    WHERE job.queueing_lock = 'operation ' || operation.id AND job.status = 'todo')
