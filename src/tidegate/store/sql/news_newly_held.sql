-- What this Operation held where nothing was held before: closings, Record by Record, or the Connection's absences.
-- Parameters: operation, connection. Locks: none. Rows: one a Record.
SELECT record.id, record.name, count(*) AS findings, 0 AS absences
  FROM result
  JOIN record ON record.id = result.record_id
  JOIN feed ON feed.record_id = record.id
  JOIN held ON held.feed_id = feed.id
 WHERE result.operation_id = %(operation)s
   AND result.family = ''
   AND held.standing = 'held'
 GROUP BY record.id
HAVING min(held.since_operation) = %(operation)s
 UNION ALL
SELECT record.id, record.name, 0, 1
  FROM held_absence
  JOIN record ON record.id = held_absence.record_id
 WHERE held_absence.connection_id = %(connection)s
   AND NOT EXISTS (
    SELECT FROM held_absence AS before
     WHERE before.connection_id = %(connection)s AND before.since_operation_id <> %(operation)s
   )
 ORDER BY 2, 1
