-- What waits for a person, by Connection: findings, Records that would go Missing, and since when.
-- Parameters: none. Locks: none. Rows: one a Connection where anything waits.
SELECT connection.label, connection.tool, sum(waiting.findings)::bigint AS findings,
       sum(waiting.absences)::bigint AS absences,
       extract(epoch FROM now() - min(since.ended_at))::float8 AS seconds
  FROM (
    SELECT record.connection_id, sum(held.n) AS findings, 0 AS absences, min(held.since) AS since
      FROM (SELECT feed_id, count(*) AS n, min(since_operation) AS since
              FROM held WHERE standing = 'held' GROUP BY feed_id) AS held
      JOIN feed ON feed.id = held.feed_id
      JOIN record ON record.id = feed.record_id
     GROUP BY record.connection_id
    UNION ALL
    SELECT connection_id, 0, count(*), min(since_operation_id) FROM held_absence GROUP BY connection_id
  ) AS waiting
  JOIN connection ON connection.id = waiting.connection_id
  LEFT JOIN operation AS since ON since.id = waiting.since
 WHERE connection.deleted_at IS NULL
 GROUP BY connection.label, connection.tool
 ORDER BY connection.label
