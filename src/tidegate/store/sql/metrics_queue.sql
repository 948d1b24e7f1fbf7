-- How many Operations run, wait for a worker, wait for another of their Connection, or wait for their time; and how long
-- the eldest has waited for a worker. Two partial indexes hold just these rows.
-- Parameters: none. Locks: none. Rows: one.
SELECT (SELECT count(*) FROM operation WHERE status = 'running' AND type IN ('discover', 'sync')) AS running,
       count(*) FILTER (WHERE NOT behind AND NOT later) AS waiting,
       count(*) FILTER (WHERE behind AND NOT later) AS behind,
       count(*) FILTER (WHERE later) AS later,
       coalesce(max(seconds) FILTER (WHERE NOT behind AND NOT later), 0)::float8 AS oldest
  FROM (
    SELECT coalesce(operation.not_before > now(), false) AS later,
           EXISTS (SELECT FROM operation AS other
                    WHERE other.connection_id = operation.connection_id AND other.status = 'running'
                      AND other.type IN ('discover', 'sync')) AS behind,
           extract(epoch FROM now() - greatest(operation.requested_at, operation.not_before)) AS seconds
      FROM operation
     WHERE operation.status = 'pending'
  ) AS pending
