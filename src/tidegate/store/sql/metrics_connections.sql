-- For each Connection and type of Operation: how long ago the last one for everything ended well, at least in part (as
-- rules/health.py sees it); where none ever did, how long the Connection has been there. One look at an index each.
-- Parameters: none. Locks: none. Rows: two a Connection.
SELECT connection.label, connection.tool, asked.type, connection.paused_at IS NOT NULL AS paused,
       extract(epoch FROM now() - coalesce(last.ended_at, connection.created_at))::float8 AS seconds
  FROM connection
 CROSS JOIN (VALUES ('discover'), ('sync')) AS asked (type)
  LEFT JOIN LATERAL (
    SELECT ended_at
      FROM operation
     WHERE operation.connection_id = connection.id AND operation.type = asked.type
       AND operation.status IN ('success', 'partial') AND NOT operation.preview
       AND NOT operation.scope ? 'records'
     ORDER BY operation.id DESC
     LIMIT 1
  ) AS last ON true
 WHERE connection.deleted_at IS NULL
 ORDER BY connection.label, asked.type
