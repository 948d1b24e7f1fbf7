-- How many findings there are, by what they are asked for by, from the tallies of the Feeds concerned; and how many of
-- them are open where no Sync looks any more (as reads/count.py says it).
-- Parameters: by (test, record, feed), ids. Locks: none. Rows: one a group, severity, openness, activity.
SELECT wanted.of, tally.severity, tally.open, tally.active, sum(tally.n::int8)::int8 AS n,
       coalesce(sum(tally.n) FILTER (WHERE tally.open AND (wanted.left_behind OR EXISTS (
           SELECT FROM part WHERE (part.feed_id, part.family, part.branch)
                                = (tally.feed_id, tally.family, tally.branch) AND part.last_outcome = 'skipped'))), 0)::int8
           AS unwatched
  FROM (
    SELECT feed.id, given.of, feed.behind OR connection.deleted_at IS NOT NULL AS left_behind
      FROM (
        SELECT feed.test_id AS of, feed.id FROM feed WHERE %(by)s = 'test' AND feed.test_id = ANY (%(ids)s::bigint[])
        UNION ALL
        SELECT feed.record_id, feed.id FROM feed WHERE %(by)s = 'record' AND feed.record_id = ANY (%(ids)s::bigint[])
        UNION ALL
        SELECT feed.id, feed.id FROM feed WHERE %(by)s = 'feed' AND feed.id = ANY (%(ids)s::bigint[])
      ) AS given
      JOIN feed ON feed.id = given.id
      JOIN record ON record.id = feed.record_id
      JOIN connection ON connection.id = record.connection_id
  ) AS wanted
  JOIN tally ON tally.feed_id = wanted.id
 WHERE tally.n > 0
 GROUP BY wanted.of, tally.severity, tally.open, tally.active
 ORDER BY tally.severity DESC
