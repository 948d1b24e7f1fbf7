-- How many open findings of these Connections no Sync looks at any more (as reads/count.py says it): few Feeds are so.
-- Parameters: ids. Locks: none. Rows: one a Connection that has any.
SELECT record.connection_id AS of, sum(tally.n)::int8 AS unwatched
  FROM (
    SELECT feed.id, true AS whole FROM feed WHERE NOT EXISTS (SELECT FROM record WHERE record.feed_id = feed.id)
    UNION
    SELECT record.feed_id, true FROM record WHERE record.absent_since IS NOT NULL AND record.feed_id IS NOT NULL
    UNION
    SELECT record.feed_id, true
      FROM connection JOIN record ON record.connection_id = connection.id
     WHERE connection.deleted_at IS NOT NULL AND record.feed_id IS NOT NULL
    UNION
    SELECT part.feed_id, false
      FROM part JOIN feed ON feed.id = part.feed_id JOIN record ON record.feed_id = feed.id
      JOIN connection ON connection.id = record.connection_id
     WHERE part.last_outcome = 'skipped' AND record.absent_since IS NULL AND connection.deleted_at IS NULL
  ) AS behind
  JOIN feed ON feed.id = behind.id
  JOIN record ON record.id = feed.record_id
  JOIN tally ON tally.feed_id = feed.id
 WHERE record.connection_id = ANY (%(ids)s::bigint[]) AND tally.open AND tally.n > 0
   AND (behind.whole OR EXISTS (
           SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                = (tally.feed_id, tally.family, tally.branch) AND part.last_outcome = 'skipped'))
 GROUP BY record.connection_id
