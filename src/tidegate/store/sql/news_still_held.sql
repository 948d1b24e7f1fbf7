-- Connections whose closings or absences wait for a person, and of which nothing was told since a moment.
-- Parameters: before. Locks: none. Rows: one a Connection.
WITH waiting AS (
    SELECT record.connection_id, count(*) AS findings, 0 AS absences, min(held.since_operation) AS since
      FROM held
      JOIN feed ON feed.id = held.feed_id
      JOIN record ON record.id = feed.record_id
     WHERE held.standing = 'held'
     GROUP BY record.connection_id
     UNION ALL
    SELECT connection_id, 0, count(*), min(since_operation_id) FROM held_absence GROUP BY connection_id
), summed AS (
    SELECT connection_id, sum(findings)::integer AS findings, sum(absences)::integer AS absences, min(since) AS since
      FROM waiting
     GROUP BY connection_id
)
SELECT summed.connection_id, summed.findings, summed.absences,
       coalesce(operation.ended_at, operation.requested_at) AS since, told.id AS told
  FROM summed
  JOIN connection ON connection.id = summed.connection_id AND connection.deleted_at IS NULL
  LEFT JOIN operation ON operation.id = summed.since
  LEFT JOIN LATERAL (
    SELECT outbox.id, outbox.at
      FROM outbox
     WHERE outbox.connection_id = summed.connection_id AND outbox.kind = 'held'
     ORDER BY outbox.id DESC
     LIMIT 1
  ) AS told ON true
 WHERE coalesce(told.at, operation.ended_at, operation.requested_at) <= %(before)s
 ORDER BY summed.connection_id
