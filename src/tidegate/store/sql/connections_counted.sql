-- What a list of Connections says of each in numbers: the findings that came through it, how many open ones no Sync looks
-- at any more (as reads/count.py says it: Feeds that are left behind, all of a Connection that was deleted, and of the
-- others what is skipped), and how many of its Records are in each state (record_state in schema/0023_states).
-- Parameters: ids. Locks: none. Rows: one a Connection, severity, openness, activity; one without severity for what is
-- unwatched, where there is any; and one for each state in which there are some.
SELECT connection_id AS of, NULL::text AS state, severity, open, active, sum(n)::int8 AS n, 0::int8 AS unwatched
  FROM connection_tally
 WHERE connection_id = ANY (%(ids)s::bigint[])
 GROUP BY connection_id, severity, open, active
HAVING sum(n) > 0
UNION ALL
SELECT test.connection_id, NULL, NULL, NULL, NULL, 0, sum(gone.n)::int8
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
UNION ALL
SELECT connection_id, state, NULL, NULL, NULL, sum(n)::int8, 0
  FROM record_tally
 WHERE connection_id = ANY (%(ids)s::bigint[])
 GROUP BY connection_id, state
HAVING sum(n) > 0
 ORDER BY severity DESC NULLS LAST
