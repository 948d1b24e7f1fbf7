-- Connections with Records that wait for a decision, some of them new since the last digest, which is old enough.
-- Parameters: before, names. Locks: none. Rows: one a Connection.
WITH told AS (
    SELECT DISTINCT ON (connection_id) connection_id, at, (facts ->> 'up_to')::bigint AS up_to
      FROM outbox
     WHERE kind = 'new_records'
     ORDER BY connection_id, id DESC
), waiting AS (
    SELECT record.connection_id, count(*) AS waiting, max(record.id) AS up_to, coalesce(min(told.up_to), 0) AS before,
           count(*) FILTER (WHERE record.id > coalesce(told.up_to, 0)) AS new
      FROM record
      JOIN connection ON connection.id = record.connection_id AND connection.deleted_at IS NULL
      LEFT JOIN told ON told.connection_id = record.connection_id
     WHERE record.decision = 'undecided'
       AND record.deleted_at IS NULL
       AND record.absent_since IS NULL
       AND (told.at IS NULL OR told.at <= %(before)s)
     GROUP BY record.connection_id
)
SELECT waiting.connection_id, waiting.waiting, waiting.new, waiting.up_to,
       ARRAY(
        SELECT record.name
          FROM record
         WHERE record.connection_id = waiting.connection_id
           AND record.id > waiting.before
           AND record.decision = 'undecided'
           AND record.deleted_at IS NULL
           AND record.absent_since IS NULL
         ORDER BY record.name, record.id
         LIMIT %(names)s
       ) AS names
  FROM waiting
 WHERE waiting.new > 0
 ORDER BY waiting.connection_id
