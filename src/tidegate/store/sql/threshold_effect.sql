-- What another threshold would do, before it is saved: how many findings it closes at once, and how many of those kept
-- away until now (closed by it, or not stored) the next Sync may bring.
-- Parameters: connection, minimum (rank). Locks: none. Rows: one.
SELECT coalesce((
           SELECT sum(tally.n)
             FROM record
             JOIN tally ON tally.feed_id = record.feed_id
            WHERE record.connection_id = connection.id
              AND tally.open AND tally.severity < %(minimum)s AND tally.severity <> 2
       ), 0)::bigint AS closes,
       CASE WHEN connection.minimum_severity <= %(minimum)s THEN 0 ELSE coalesce((
           SELECT sum(part.below)
             FROM record
             JOIN part ON part.feed_id = record.feed_id
            WHERE record.connection_id = connection.id
       ), 0) END::bigint AS may_bring
  FROM connection
 WHERE connection.id = %(connection)s
