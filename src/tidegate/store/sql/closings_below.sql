-- How many open findings a threshold would close in each Record that has such, where Records of the Connection write to.
-- Parameters: connection, minimum (rank). Locks: none. Rows: one a Record, by id.
SELECT record.id AS record_id, sum(tally.n)::bigint AS n
  FROM record
  JOIN tally ON tally.feed_id = record.feed_id
 WHERE record.connection_id = %(connection)s
   AND tally.open AND tally.severity < %(minimum)s AND tally.severity <> 2
 GROUP BY record.id
HAVING sum(tally.n) > 0
 ORDER BY record.id
