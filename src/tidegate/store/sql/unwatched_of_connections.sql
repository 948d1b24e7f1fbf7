-- How many open findings of these Connections no Sync looks at any more (as reads/count.py says it): Feeds that are left
-- behind, all of a Connection that was deleted, and of the others what is skipped.
-- Parameters: ids. Locks: none. Rows: one a Connection that has any.
SELECT test.connection_id AS of, sum(gone.n)::int8 AS unwatched
  FROM (
    SELECT test_id, open_findings AS n FROM feed WHERE behind
    UNION ALL
    SELECT feed.test_id, feed.open_findings
      FROM connection
      JOIN test ON test.connection_id = connection.id
      JOIN feed ON feed.test_id = test.id
     WHERE connection.deleted_at IS NOT NULL AND connection.id = ANY (%(ids)s::bigint[]) AND NOT feed.behind
    UNION ALL
    SELECT feed.test_id, tally.n
      FROM part
      JOIN feed ON feed.id = part.feed_id
      JOIN test ON test.id = feed.test_id
      JOIN connection ON connection.id = test.connection_id
      JOIN tally ON (tally.feed_id, tally.family, tally.branch) = (part.feed_id, part.family, part.branch)
     WHERE part.last_outcome = 'skipped' AND NOT feed.behind AND connection.deleted_at IS NULL AND tally.open
  ) AS gone
  JOIN test ON test.id = gone.test_id
 WHERE test.connection_id = ANY (%(ids)s::bigint[])
 GROUP BY test.connection_id
HAVING sum(gone.n) > 0
